//! Brings mailboxes to what their accounts ask for, through whoever makes them. That something is going to be asked is committed
//! first; what nobody knows the end of is looked at before anything else is asked; a request has one id however often it is made.
use super::port::{ClaimedMailbox, MailboxHost, MailboxLedger, MailboxRequest, MailboxSave};
use super::state::{Mailbox, MailboxDeed, Next, Seen, Stage, Stands, Waiting, Wanted, told, wanted};
use crate::account::{AccountRef, Mode};
use crate::audit::AuditEvent;
use crate::day;
use crate::id::{PersonId, uuid_v7};
use crate::lifecycle::Policy;
use crate::ports::{Clock, Entropy, PeopleBy, PersonRecord, PortError, PortResult, Store};
use crate::staff::{DataIssue, IssueKind, Units};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct MailboxKeeper {
    pub ledger: Arc<dyn MailboxLedger>,
    pub store: Arc<dyn Store>,
    pub host: Arc<dyn MailboxHost>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub policy: Arc<Policy>,
    pub rules: KeeperRules,
    pub hand: Hand,
}

/// The leases that are held, by generation.
#[derive(Default)]
pub struct Hand(Mutex<BTreeMap<PersonId, i64>>);

impl Hand {
    fn held(&self) -> MutexGuard<'_, BTreeMap<PersonId, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeeperRules {
    /// Longer than one answer may take, and not by much: so long a mailbox waits whose worker was killed. Those that were claimed
    /// together and wait for each other are kept whenever one of them has its turn.
    pub lease: TimeDelta,
    /// So long something may be waited for before it is an issue.
    pub patience: TimeDelta,
    /// Asked at once.
    pub at_once: usize,
}

/// What a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    pub handled: u32,
    /// In plain words, without names.
    pub alarms: Vec<String>,
}

/// What a mailbox's issues are; each step says all that there are.
pub const MAILBOX_ISSUES: &[IssueKind] = &[IssueKind::MailboxOverdue, IssueKind::MailboxRefused];
/// Newly found accounts in one go. Why few: the newest people go first, and thousands found at once would stand before them.
const DISCOVERED: u32 = 100;
const CLAIMED: u32 = 16;

impl MailboxKeeper {
    /// Takes up what is due. Call it again while it handles something.
    pub async fn round(&self) -> PortResult<Round> {
        let now = self.clock.now();
        let mut claims = self.ledger.claim_mailboxes(now, now + self.rules.lease, CLAIMED).await?;
        if claims.is_empty() && self.ledger.discover_mailboxes(now, DISCOVERED).await? > 0 {
            claims = self.ledger.claim_mailboxes(now, now + self.rules.lease, CLAIMED).await?;
        }
        if claims.is_empty() {
            return Ok(Round::default());
        }
        // Why all anew: what was in hand when a round before failed is nobody's, and must not be kept for ever.
        *self.hand.held() = claims.iter().map(|c| (c.mailbox.person, c.generation)).collect();
        let units = self.store.units().await?;
        let people: Vec<PersonId> = claims.iter().map(|c| c.mailbox.person).collect();
        let people = self.store.people(PeopleBy::Ids(&people)).await?;
        let people: HashMap<PersonId, PersonRecord> = people.into_iter().map(|r| (r.person.id, r)).collect();
        let (people, units) = (&people, &units);
        let steps = stream::iter(claims).map(|claimed| async move {
            let person = claimed.mailbox.person;
            let Some(record) = people.get(&person) else { return Ok(None) };
            // Why: two workers must not have the program started for one mailbox at the same time.
            let is_held = self.keep(person).await?;
            let step = if is_held { self.handle(claimed, record, units).await } else { Ok(None) };
            self.hand.held().remove(&person);
            step
        });
        let ended: Vec<PortResult<Option<String>>> = steps.buffer_unordered(self.rules.at_once.max(1)).collect().await;
        let mut round = Round::default();
        for end in ended {
            round.handled += 1;
            round.alarms.extend(end?);
        }
        round.alarms.dedup();
        Ok(round)
    }

    /// A round was broken off: what it was asking is ended, and whoever comes next takes its mailboxes up at once, looking first at
    /// those that were being asked for.
    pub async fn let_go(&self) -> PortResult<()> {
        // Why in this order: nobody is to ask for a mailbox while the program is still at it.
        self.host.end().await;
        let held: Vec<(PersonId, i64)> = std::mem::take(&mut *self.hand.held()).into_iter().collect();
        self.ledger.let_go_of_mailboxes(&held, self.clock.now()).await
    }

    /// Keeps the leases of all that is still in hand. False: this one was lost meanwhile.
    async fn keep(&self, person: PersonId) -> PortResult<bool> {
        let all: Vec<(PersonId, i64)> = self.hand.held().iter().map(|(p, g)| (*p, *g)).collect();
        let lost = self.ledger.renew_mailboxes(&all, self.clock.now() + self.rules.lease).await?;
        let mut held = self.hand.held();
        held.retain(|person, _| !lost.contains(person));
        Ok(held.contains_key(&person))
    }

    /// One step for one mailbox; answers what somebody should hear of.
    async fn handle(&self, claimed: ClaimedMailbox, record: &PersonRecord, units: &Units) -> PortResult<Option<String>> {
        let ClaimedMailbox { mailbox, generation } = claimed;
        let now = self.clock.now();
        let account = record.account.as_ref();
        let today = day::today(now);
        let unit = record.person.posting_on(today).map(|p| p.unit);
        let managed = self.policy.mode_of(unit, units) == Mode::Manage;
        let wanted = wanted(account.filter(|_| managed), self.policy.mailbox_retention_days, today);
        let keep = self.policy.names.keep_aliases_days;
        let told = account.map_or_else(|| "".into(), |a| told(a, keep, today));
        let mailbox = mailbox.without_what_nobody_wants(wanted, &told);
        let desk = Desk { keeper: self, record, generation, wanted, told };
        let (Some(account), Some(guid), Some(dn)) = (account, account.and_then(|a| a.guid), account.and_then(|a| a.dn.clone())) else {
            desk.save(mailbox, Vec::new(), true).await?;
            return Ok(None);
        };
        let request = |id, deed| MailboxRequest {
            id,
            deed,
            account: AccountRef { guid, dn },
            username: account.names.username.clone(),
            user_principal_name: format!("{}@{}", account.names.username, self.policy.upn_suffix),
            display_name: crate::card::display_name(&record.person, self.policy.family_name_in_capitals),
            mail: account.names.mail.clone(),
            aliases: account.names.kept(keep, today).cloned().collect(),
        };
        match mailbox.next(wanted, &desk.told) {
            Next::Rest => {
                let mut mailbox = mailbox;
                mailbox.closes_on = match wanted {
                    Wanted::Hidden { closes_on } => Some(closes_on).filter(|_| mailbox.stands == Some(Stands::Hidden)),
                    Wanted::Closed { .. } => mailbox.closes_on,
                    Wanted::Nothing | Wanted::Open => None,
                };
                desk.save(mailbox, Vec::new(), true).await?;
                Ok(None)
            }
            Next::Look => {
                let id = mailbox.waiting.as_ref().map_or_else(|| self.uuid(now), |w| w.request);
                let answer = self.host.ask(&request(id, None)).await;
                desk.looked(mailbox, answer).await
            }
            Next::Ask(deed) => {
                let asking = mailbox.asking(deed, self.uuid(now), now);
                let Some(id) = asking.waiting.as_ref().map(|w| w.request) else { return Ok(None) };
                if !desk.save(asking.clone(), Vec::new(), false).await? {
                    return Ok(None);
                }
                let answer = self.host.ask(&request(id, Some(deed))).await;
                desk.answered(asking, deed, answer).await
            }
        }
    }

    fn uuid(&self, now: DateTime<Utc>) -> uuid::Uuid {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        uuid_v7(now, random)
    }
}

/// What the steps of one mailbox share.
struct Desk<'a> {
    keeper: &'a MailboxKeeper,
    record: &'a PersonRecord,
    generation: i64,
    wanted: Wanted,
    told: Arc<str>,
}

impl Desk<'_> {
    async fn looked(&self, mailbox: Mailbox, answer: PortResult<Seen>) -> PortResult<Option<String>> {
        let now = self.keeper.clock.now();
        match answer {
            Ok(seen) => {
                let after = mailbox.seen(&seen, false, self.wanted, &self.told, now);
                let audit = self.changed(&mailbox, &after, now);
                // Why at once: what was looked at for is the next step.
                let more = after.next(self.wanted, &self.told) != Next::Rest && after.waiting.as_ref().is_none_or(again);
                let closed = self.was_closed(&mailbox, &after);
                self.save_due(after, audit, if more { Some(now) } else { None }, closed).await?;
                Ok(None)
            }
            Err(fault) => {
                let mut after = mailbox;
                if let Some(waiting) = &mut after.waiting {
                    waiting.tries = waiting.tries.saturating_add(1);
                }
                let due = after.waiting.is_none().then(|| now + TimeDelta::minutes(5));
                self.save_due(after, Vec::new(), due, false).await?;
                Ok(Some(format!("mailboxes cannot be looked at: {fault}")))
            }
        }
    }

    async fn answered(&self, asking: Mailbox, deed: MailboxDeed, answer: PortResult<Seen>) -> PortResult<Option<String>> {
        let now = self.keeper.clock.now();
        let (after, alarm) = match &answer {
            Ok(seen) => (asking.seen(seen, true, self.wanted, &self.told, now), None),
            Err(PortError::Unavailable(why)) => {
                (asking.failed(Stage::NotDone(why.as_str().into())), Some(format!("a mailbox could not be asked for: {why}")))
            }
            Err(PortError::InDoubt(why)) => {
                (asking.failed(Stage::InDoubt), Some(format!("nobody knows what became of a request for a mailbox: {why}")))
            }
            Err(PortError::Refused { reason, .. }) => (asking.failed(Stage::Refused(reason.as_str().into())), None),
        };
        let mut audit = self.changed(&asking, &after, now);
        if deed == MailboxDeed::Update && answer.is_ok() && after.waiting.is_none() {
            audit.push(self.event(deed.verb(), "addresses or unit changed", json!({ "request": request_of(&asking) }), now));
        }
        let closed = self.was_closed(&asking, &after);
        self.save_due(after, audit, None, closed).await?;
        Ok(alarm)
    }

    /// It was closed on request, by whoever did it.
    fn was_closed(&self, before: &Mailbox, after: &Mailbox) -> bool {
        let takes_mail = |of: &Mailbox| matches!(of.stands, Some(Stands::Open | Stands::Hidden));
        matches!(self.wanted, Wanted::Closed { .. }) && takes_mail(before) && !takes_mail(after)
    }

    fn changed(&self, before: &Mailbox, after: &Mailbox, now: DateTime<Utc>) -> Vec<AuditEvent> {
        let mut events = Vec::new();
        if before.stands != after.stands && before.stands.is_some() {
            let because = match (self.wanted, after.closes_on) {
                (Wanted::Hidden { closes_on }, _) if closes_on > day::today(now) => format!("left service; takes mail until {closes_on}"),
                (Wanted::Hidden { closes_on }, _) => format!("left service; its retention ended on {closes_on}"),
                (Wanted::Closed { since }, _) => format!("its retention ended on {since}"),
                _ => "the account is in use".into(),
            };
            let detail = json!({ "from": before.stands, "to": after.stands, "request": request_of(before) });
            let verb = before.waiting.as_ref().map_or("seen", |w| w.deed.verb());
            events.push(self.event(verb, &because, detail, now));
        }
        if let Some(Waiting { stage: Stage::Refused(why), deed, .. }) = &after.waiting {
            events.push(self.event(deed.verb(), "refused", json!({ "reason": why, "request": request_of(after) }), now));
        }
        events
    }

    fn event(&self, verb: &str, because: &str, detail: serde_json::Value, at: DateTime<Utc>) -> AuditEvent {
        AuditEvent {
            at,
            actor: "kimlik".into(),
            deed: format!("mailbox.{verb}"),
            person: Some(self.record.person.id),
            because: because.into(),
            detail,
        }
    }

    /// `over`: the step is over, and the lease with it.
    async fn save(&self, mailbox: Mailbox, audit: Vec<AuditEvent>, over: bool) -> PortResult<bool> {
        if over {
            return self.save_due(mailbox, audit, None, false).await;
        }
        let at = self.keeper.clock.now();
        let save = MailboxSave { mailbox, generation: self.generation, due_at: None, issues: None, audit, closed: false, at };
        self.keeper.ledger.save_mailbox(&save).await
    }

    async fn save_due(&self, mailbox: Mailbox, audit: Vec<AuditEvent>, due: Option<DateTime<Utc>>, closed: bool) -> PortResult<bool> {
        let at = self.keeper.clock.now();
        let due_at = Some(due.unwrap_or_else(|| mailbox.due_at(self.wanted, at)));
        let issues = Some((self.record.person.registry_no.clone(), self.issues(&mailbox, at)));
        let save = MailboxSave { mailbox, generation: self.generation, due_at, issues, audit, closed, at };
        self.keeper.ledger.save_mailbox(&save).await
    }

    fn issues(&self, mailbox: &Mailbox, now: DateTime<Utc>) -> Vec<DataIssue> {
        let Some(waiting) = &mailbox.waiting else { return Vec::new() };
        let (kind, message) = match &waiting.stage {
            Stage::Refused(why) => {
                (IssueKind::MailboxRefused, format!("whoever makes mailboxes refused to {} this one: {why}", waiting.deed))
            }
            _ if now - waiting.since > self.keeper.rules.patience => {
                let since = day::local(waiting.since).format("%d.%m.%Y %H:%M");
                (
                    IssueKind::MailboxOverdue,
                    format!("to {} the mailbox was asked on {since}; still waited for: {}", waiting.deed, waiting.waits_for()),
                )
            }
            _ => return Vec::new(),
        };
        let person = &self.record.person;
        // Why nobody's unit: mailboxes are made by those who administer them, not by HR.
        let found = DataIssue { person: Some(person.id), registry_no: Some(person.registry_no.clone()), ..DataIssue::new(kind, message) };
        vec![found]
    }
}

/// Something that may be asked at once.
fn again(waiting: &Waiting) -> bool {
    matches!(waiting.stage, Stage::NotDone(_)) && waiting.tries <= 1
}

fn request_of(mailbox: &Mailbox) -> Option<uuid::Uuid> {
    mailbox.waiting.as_ref().map(|w| w.request)
}
