//! What a dry run takes for given: what HR would say, what would be ordered.
use super::Look;
use crate::account::adoption::AdoptionOrdered;
use crate::account::rename::NamesOrdered;
use crate::account::{Account, Names};
use crate::card::hr_photo::PhotoWish;
use crate::id::PersonId;
use crate::lifecycle::suspension::Suspension;
use crate::phone::{self, Phones};
use crate::ports::PersonRecord;
use crate::staff::intake::{Changed, PEOPLE_KINDS};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// What a dry run takes for given of one person.
#[derive(Clone, Debug)]
pub enum Supposed {
    /// The latest suspension.
    Suspension(Suspension),
    /// Names that are free, and who ordered them.
    Names(Names, NamesOrdered),
    /// The account that is to become the person's.
    Adoption(AdoptionOrdered),
    /// None is to become the person's any more.
    NoAdoption,
}

impl Look<'_> {
    /// `of`: whom they are the records of. Whoever HR speaks of for the first time is added.
    pub(in crate::lifecycle) fn suppose(&self, records: &mut Vec<PersonRecord>, of: &[PersonId]) {
        if !self.said.is_empty() {
            let now = self.of.clock.now();
            records.iter_mut().filter_map(|r| Some((self.said.get(&r.person.id)?, r))).for_each(|(said, record)| hear(record, said, now));
            let known: HashSet<PersonId> = records.iter().map(|r| r.person.id).collect();
            let new = of.iter().filter(|id| !known.contains(id)).filter_map(|id| self.said.get(id));
            records.extend(new.map(newcomer));
        }
        if !self.proposed.is_empty() {
            for record in records.iter_mut().filter(|r| r.account.is_none()) {
                record.account = self.proposed.get(&record.person.id).map(|names| Account::new(record.person.id, names.clone()));
            }
        }
        let Some((person, supposed)) = &self.supposed else { return };
        for record in records.iter_mut().filter(|r| r.person.id == *person) {
            match supposed {
                Supposed::Suspension(suspension) => record.suspension = Some(suspension.clone()),
                Supposed::Names(names, by) => {
                    if let Some(account) = &mut record.account {
                        (account.names, account.renamed) = (names.clone(), Some(by.clone()));
                    }
                }
                Supposed::Adoption(order) => {
                    let nameless = Names {
                        username: "".into(),
                        mail: "".into(),
                        aliases: Vec::new(),
                        aliases_since: Default::default(),
                        named_for: "".into(),
                    };
                    let account = record.account.get_or_insert_with(|| Account::new(*person, nameless));
                    account.adopt = Some(order.clone());
                }
                // Why all of it: the names came with the account that is not to be adopted.
                Supposed::NoAdoption if record.account.as_ref().is_some_and(|a| a.guid.is_none() && a.opening == 0) => {
                    record.account = None
                }
                Supposed::NoAdoption => record.account.iter_mut().for_each(|account| account.adopt = None),
            }
        }
    }
}

/// The record once HR has said this.
fn hear(record: &mut PersonRecord, said: &Changed, now: DateTime<Utc>) {
    let mut person = said.person.clone();
    let mut before = record.person.clone();
    before.mobile.clone_from(&record.phones.hr_mobile);
    (before.work_phone, before.extension) = (record.phones.hr_work.number.clone(), record.phones.hr_work.extension.clone());
    let mut ledger = record.phones.ledger.clone();
    ledger.hear(&before, &person, now);
    record.phones = Phones::lay_over(&mut person, ledger);
    record.person = person;
    record.open_issues.retain(|kind| !PEOPLE_KINDS.contains(kind));
    record.open_issues.extend(&said.faults);
}

fn newcomer(said: &Changed) -> PersonRecord {
    let mut person = said.person.clone();
    PersonRecord {
        phones: Phones::lay_over(&mut person, phone::Ledger::default()),
        person,
        account: None,
        decisions: Vec::new(),
        accepted: Vec::new(),
        open_issues: said.faults.clone(),
        unsettled: Vec::new(),
        under_way: Vec::new(),
        suspension: None,
        mailbox: None,
        photo: PhotoWish::default(),
        language: None,
    }
}
