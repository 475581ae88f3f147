//! `kimlik receipt`: what was done to a person's account, step by step. For a leaver it is the proof of the closing.
use super::{registry_no, say, told};
use crate::deeds;
use crate::wiring::House;
use clap::Args;
use kimlik_domain::id::PersonId;
use kimlik_domain::lifecycle::run::OperationRecord;
use kimlik_domain::lifecycle::words::said;
use kimlik_domain::message::Language;
use kimlik_domain::ports::OperationsOf;
use kimlik_domain::staff::RegistryNo;

#[derive(Args)]
pub struct Receipt {
    /// By registry number (sicil no).
    #[arg(long, value_name = "REGISTRY_NO", value_parser = registry_no)]
    person: RegistryNo,
}

impl Receipt {
    pub async fn print(self, house: &House, language: Language) -> anyhow::Result<u8> {
        let record = deeds::person(house, &self.person).await.map_err(told)?;
        let person = &record.person;
        say(&format!("{} ({})", person.full_name(), person.registry_no));
        match &record.account {
            Some(account) => {
                let at = |time: Option<chrono::DateTime<chrono::Utc>>| {
                    time.map_or("-".to_owned(), |t| t.format("%Y-%m-%d %H:%M:%S UTC").to_string())
                };
                say(&format!("account {} is {:?}", account.names.username, account.state));
                say(&format!("opened {}, closed {}", at(account.opened_at), at(account.closed_at)));
            }
            None => say("no account was ever opened"),
        }
        let mut operations = of_person(house, person.id).await?;
        operations.reverse();
        for operation in &operations {
            let time = operation.settled_at.unwrap_or(operation.created_at).format("%Y-%m-%d %H:%M:%S UTC");
            say(&format!("\n{time}  {}  {:?}", operation.kind.name(), operation.status));
            let why = match language {
                Language::En => "because",
                Language::Tr => "gerekçe:",
            };
            say(&format!("    {why} {}", said(&operation.because, language)));
            for line in &operation.receipt {
                say(&format!("    {}  {}: {}", line.at.format("%H:%M:%S%.3f"), said(&line.step, language), said(&line.result, language)));
            }
        }
        Ok(0)
    }
}

/// Newest first.
async fn of_person(house: &House, person: PersonId) -> anyhow::Result<Vec<OperationRecord>> {
    const PAGE: u32 = 500;
    let mut found: Vec<OperationRecord> = Vec::new();
    loop {
        let page = house.store.operations(OperationsOf::Person(person), found.last().map(|o| o.id), PAGE).await.map_err(told)?;
        let is_last = page.len() < PAGE as usize;
        found.extend(page);
        if is_last {
            return Ok(found);
        }
    }
}
