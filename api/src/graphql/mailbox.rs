//! The mailbox of an account: what stands, what is waited for, until when it takes mail.
use super::error::fault;
use super::scalar::Date;
use super::{house, said};
use async_graphql::{Context, Enum, Result, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use kimlik_domain::day;
use kimlik_domain::id::PersonId;
use kimlik_domain::mailbox::{self, Mailboxes};
use kimlik_domain::ports::PeopleBy;

/// How a mailbox stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::mailbox::MailboxState")]
pub enum MailboxState {
    /// There is none.
    None,
    /// Asked for, for the first time or after a return, and not seen yet.
    Requested,
    /// It takes mail, and the address book shows it.
    Open,
    /// Of somebody who has left: it takes mail until closesOn, and the address book does not show it.
    Hidden,
    /// Its retention is over; that it takes no mail any more is not seen yet.
    Closing,
    /// It takes no mail.
    Closed,
}

/// The mailbox of an account.
#[derive(SimpleObject)]
pub struct Mailbox {
    /// How it stands.
    state: MailboxState,
    /// Since when it has stood so; while something is waited for, since when that was.
    since: DateTime<Utc>,
    /// What is waited for, in plain words, in the caller's language; what whoever makes mailboxes said of it, as it was said. Null:
    /// nothing.
    waiting_for: Option<String>,
    /// The first day on which it takes no mail any more, of somebody who has left and does not return before.
    closes_on: Option<Date>,
}

impl Mailbox {
    fn on(today: NaiveDate, of: mailbox::Mailbox, said: impl Fn(&str) -> String) -> Mailbox {
        let planned = || of.waits_for_plan(today).then(|| "its closing to be planned, or a limit or a hold to let it go ahead".into());
        Mailbox {
            state: of.state_on(today).into(),
            since: of.waiting.as_ref().map_or(of.since, |w| w.since),
            waiting_for: of.waiting.as_ref().map(mailbox::Waiting::waits_for).or_else(planned).map(|waits| said(&waits)),
            closes_on: of.closes_on.map(Date),
        }
    }
}

/// Null: mailboxes are made elsewhere, or there is no account.
pub async fn of(ctx: &Context<'_>, person: PersonId) -> Result<Option<Mailbox>> {
    let house = house(ctx)?;
    let exchange = &house.config.exchange;
    let mailboxes = exchange.mailboxes();
    let today = day::today(house.clock.now());
    let found = match &mailboxes {
        Mailboxes::None => None,
        Mailboxes::Command => house.mailboxes.mailbox_of(person).await.map_err(|e| fault(ctx, &e))?,
        Mailboxes::Remote { .. } => {
            let people = house.store.people(PeopleBy::Ids(&[person])).await.map_err(|e| fault(ctx, &e))?;
            let account = people.first().and_then(|r| r.account.as_ref()).filter(|a| a.guid.is_some());
            account.and_then(|a| mailboxes.of_account(a, exchange.mailbox_retention_days, today))
        }
    };
    Ok(found.map(|of| Mailbox::on(today, of, |text| said(ctx, text))))
}
