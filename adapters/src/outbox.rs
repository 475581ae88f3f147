//! The gateway that sends nothing: texts stay in the store. For a ministry that one only looks at, and for the first weeks of a
//! real one.
use async_trait::async_trait;
use kimlik_domain::health::{Finding, Kind, Subject};
use kimlik_domain::message::{Channel, Purpose};
use kimlik_domain::ports::{Accepted, Gateway, Inspect, Parcel, PortResult};
use kimlik_domain::text::gsm::{self, Shift};

pub struct OutboxGateway {
    pub channel: Channel,
    /// Texts are left readable: with the embedded directory, where no real person is behind them.
    pub keeps_texts: bool,
}

#[async_trait]
impl Gateway for OutboxGateway {
    fn name(&self) -> &str {
        "outbox"
    }
    fn keeps_texts(&self) -> bool {
        self.keeps_texts
    }
    fn parts(&self, _: Purpose, text: &str) -> u32 {
        match self.channel {
            Channel::Sms => gsm::measure(text, Shift::None).parts,
            Channel::Mail => 1,
        }
    }
    async fn send(&self, parcel: &Parcel<'_>) -> PortResult<Accepted> {
        Ok(Accepted { id: None, parts: self.parts(parcel.purpose, parcel.text) })
    }
}

#[async_trait]
impl Inspect for OutboxGateway {
    async fn inspect(&self) -> Vec<Finding> {
        let (about, unread) = match self.channel {
            Channel::Sms => (Subject::SmsGateway, Kind::OutboxSms),
            Channel::Mail => (Subject::MailGateway, Kind::OutboxMail),
        };
        vec![Finding::new(about, "outbox", if self.keeps_texts { Kind::OutboxReadable } else { unread }, &[])]
    }
}
