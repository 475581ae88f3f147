//! The gateway that sends nothing: texts stay in the store. For a ministry that one only looks at, and for the first weeks of a
//! real one.
use async_trait::async_trait;
use kimlik_domain::ports::{Accepted, Finding, Health, Inspect, Parcel, PortResult, SmsGateway};
use kimlik_domain::text::gsm::{self, Shift};

pub struct OutboxGateway {
    /// Texts are left readable: with the embedded directory, where no real person is behind them.
    pub keeps_texts: bool,
}

#[async_trait]
impl SmsGateway for OutboxGateway {
    fn name(&self) -> &str {
        "outbox"
    }
    fn keeps_texts(&self) -> bool {
        self.keeps_texts
    }
    async fn send(&self, parcel: &Parcel<'_>) -> PortResult<Accepted> {
        Ok(Accepted { id: None, parts: gsm::measure(parcel.text, Shift::None).parts })
    }
}

#[async_trait]
impl Inspect for OutboxGateway {
    async fn inspect(&self) -> Vec<Finding> {
        let about = "SMS gateway outbox".to_owned();
        vec![if self.keeps_texts {
            Finding {
                health: Health::Good,
                about,
                found: "texts stay in the database, readable for administrators".into(),
                mend: String::new(),
            }
        } else {
            let found = "texts are not sent to anybody, and nobody can read them".to_owned();
            Finding { health: Health::Doubtful, about, found, mend: "name a gateway in sms.gateways before people need codes".into() }
        }]
    }
}
