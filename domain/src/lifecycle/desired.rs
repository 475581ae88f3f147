//! What the account of one person should be on a day. Pure: HR's facts, the ledger's names, the settings and the day in;
//! state, place, attributes and groups out.
use super::photo;
use super::policy::Policy;
use super::reason::Because;
use super::suspension::Suspension;
use crate::account::mapping::Pattern;
use crate::account::{AccountState, Applied, Attribute, Attributes, Dn, Names, Value, compose, placement};
use crate::card;
use crate::day::Day;
use crate::id::AccountGuid;
use crate::mailbox;
use crate::message::Channel;
use crate::ports::PersonRecord;
use crate::staff::unit::Unit;
use crate::staff::{Blocked, DataIssue, Effect, EmploymentStatus, IssueKind, Person, PostingKind, Reasons, RegistryNo, UnitCode, Units};
use crate::text;
use chrono::Days;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What all people of a run share.
pub struct Facts<'a> {
    pub policy: &'a Policy,
    pub units: &'a Units,
    pub today: Day,
    /// The OUs that exist.
    pub containers: &'a HashSet<Dn>,
    /// Accounts of managers.
    pub managers: &'a HashMap<RegistryNo, AccountGuid>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Desired {
    /// No account is due (yet, or because something blocks the opening).
    Nothing,
    /// A person has to decide first; whatever is there stays as it is.
    AsItIs,
    Account(Box<DesiredAccount>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredAccount {
    /// Never [`AccountState::None`].
    pub state: AccountState,
    /// Why this state.
    pub because: Because,
    pub withdrawn: bool,
    /// Only whether it works is decided; what HR says otherwise, a person has to decide first.
    pub is_state_only: bool,
    pub unit: Option<UnitCode>,
    pub unit_name: Arc<str>,
    pub seconded: bool,
    pub posting_end: Option<Day>,
    pub ou: Dn,
    pub cn: Arc<str>,
    pub attributes: Attributes,
    pub groups: Vec<Dn>,
    /// Of somebody who left long ago: mail is not taken any more from this day on, and is not to be.
    pub mail_ended: Option<Day>,
    /// Addresses of Kimlik's own that are not to be carried any more: their term is over.
    pub lapsed: Vec<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    pub desired: Desired,
    pub issues: Vec<DataIssue>,
    /// The next day on which this changes by itself.
    pub next_look: Option<Day>,
}

/// What HR's dates, status and reason make of a person on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Hired for a later day.
    Coming,
    InService,
    Away(Because),
    Gone {
        because: Because,
        withdrawn: bool,
    },
    /// With what the intake could not see; what it could (an unknown code, a code that holds) it has reported itself.
    Undecided(Option<(IssueKind, String)>),
}

/// The dates decide; a reason decides where it says so; what contradicts itself or is unknown, a person decides.
pub fn standing(person: &Person, reasons: &Reasons, today: Day) -> Standing {
    let code = person.reason_code.as_deref();
    let reason: Option<Arc<str>> = code.map(Into::into);
    let effect = match code.map(|c| (c, reasons.effect(c))) {
        Some((_, None | Some(Effect::Hold))) => return Standing::Undecided(None),
        Some((_, effect)) => effect,
        None => None,
    };
    let (start, end) = (person.employment_start, person.employment_end);
    let gone = |because| Standing::Gone { because, withdrawn: false };
    match effect {
        Some(Effect::Withdraw) => return Standing::Gone { because: Because::HireTakenBack { reason }, withdrawn: true },
        Some(Effect::CloseNow) => return gone(Because::ClosedAtOnce { reason }),
        _ => {}
    }
    if end.is_some_and(|last| last < today) {
        return gone(Because::LeftService { last_day: end, reason });
    }
    if end.is_none() {
        match (person.status, effect) {
            (Some(EmploymentStatus::Terminated), _) | (None, Some(Effect::Close)) => {
                return gone(Because::LeftService { last_day: None, reason });
            }
            (Some(_), Some(Effect::Close)) => {
                let message = "the reason says that the person leaves, the status says otherwise, and there is no last day in service";
                return Standing::Undecided(Some((IssueKind::ReasonHolds, message.into())));
            }
            _ => {}
        }
    }
    if start.is_some_and(|first| today < first) {
        return Standing::Coming;
    }
    let away = |status: &str| Standing::Away(Because::Leave { status: status.into(), reason: reason.clone() });
    match (person.status, effect) {
        (Some(EmploymentStatus::OnLeave), _) => away("on leave"),
        (Some(EmploymentStatus::Suspended), _) => away("suspended"),
        (_, Some(Effect::Suspend)) => away("away from duty"),
        _ => Standing::InService,
    }
}

/// An account in use whose first day in service has moved into the future, while a posting of its owner has begun: HR contradicts
/// itself, and who is at work is not locked out for that.
fn at_work_already(person: &Person, today: Day) -> Option<Standing> {
    let begun = |p: &&crate::staff::Posting| p.start.is_some_and(|start| start <= today) && p.covers(today);
    let posting = person.postings.iter().find(begun)?;
    let (first, since) = (person.employment_start?, posting.start?);
    let message = format!("the first day in service is {first}, and a posting has begun on {since}: the account stays as it is");
    Some(Standing::Undecided(Some((IssueKind::ReasonHolds, message))))
}

/// The whole outlook for one person.
pub fn outlook(record: &PersonRecord, facts: &Facts<'_>) -> Outlook {
    let person = &record.person;
    let mut issues = Vec::new();
    let next_look = next_look(person, facts.units, facts.today);
    let linked = record.account.as_ref().is_some_and(|a| a.guid.is_some());
    let state_now = record.account.as_ref().map_or(AccountState::None, |a| a.state);
    let ordered = record.suspension.as_ref().filter(|s| s.is_in_force()).map(Suspension::because);
    let standing = match standing(person, &facts.policy.reasons, facts.today) {
        Standing::Coming if state_now == AccountState::Active => at_work_already(person, facts.today).unwrap_or(Standing::Coming),
        other => other,
    };
    let desired = match standing {
        Standing::Undecided(found) => {
            issues.extend(found.map(|(kind, message)| issue(kind, person, facts, message)));
            let is_open = matches!(state_now, AccountState::Opening | AccountState::Active | AccountState::Suspended);
            match ordered {
                Some(because) if linked && is_open => {
                    state_only(account(record, facts, AccountState::Suspended, because, false, &mut Vec::new()))
                }
                _ if linked => Desired::AsItIs,
                _ => Desired::Nothing,
            }
        }
        _ if !linked && record.open_issues.iter().any(blocks_opening) => Desired::Nothing,
        // Why not only linked ones: a living directory may hold an account of somebody who has left; it is taken over and closed.
        Standing::Gone { .. } if record.account.is_none() => Desired::Nothing,
        Standing::Gone { because, withdrawn } => account(record, facts, AccountState::Closed, because, withdrawn, &mut issues),
        Standing::Coming => {
            let start = person.employment_start.unwrap_or(facts.today);
            let reason: Option<Arc<str>> = person.reason_code.as_deref().map(Into::into);
            match state_now {
                // Why suspended, not opening: the account has been in use; until the new first day nobody is to use it.
                AccountState::Active | AccountState::Suspended => {
                    let because = Because::Leave { status: format!("in service again from {start}").into(), reason };
                    account(record, facts, AccountState::Suspended, ordered.unwrap_or(because), false, &mut issues)
                }
                _ => account(record, facts, AccountState::Opening, Because::NewInHr { start, reason }, false, &mut issues),
            }
        }
        // Why the order first: HR's suspension may wait in a hold, an order does not.
        Standing::Away(because) => account(record, facts, AccountState::Suspended, ordered.unwrap_or(because), false, &mut issues),
        Standing::InService => {
            let reason: Option<Arc<str>> = person.reason_code.as_deref().map(Into::into);
            let because = match state_now {
                AccountState::None => Because::NewInHr { start: person.employment_start.unwrap_or(facts.today), reason },
                AccountState::Opening => Because::FirstDay { start: person.employment_start.unwrap_or(facts.today) },
                AccountState::Closed => Because::Returned { reason },
                AccountState::Active | AccountState::Suspended => {
                    let lifted = record.suspension.as_ref().and_then(|s| s.lifted_on(facts.today));
                    lifted.unwrap_or(Because::BackInService { reason })
                }
            };
            match ordered {
                // Why its own reason: that an account comes back is HR's doing, that it does not work is not.
                Some(_) if state_now == AccountState::Closed => {
                    account(record, facts, AccountState::Suspended, because, false, &mut issues)
                }
                Some(ordered) => account(record, facts, AccountState::Suspended, ordered, false, &mut issues),
                None => account(record, facts, AccountState::Active, because, false, &mut issues),
            }
        }
    };
    let term = record.account.as_ref().and_then(|a| a.names.next_end(facts.policy.names.keep_aliases_days, facts.today));
    let next_look = next_look.into_iter().chain(mail_ends(record, &desired, facts)).chain(term).min();
    Outlook { desired, issues, next_look }
}

/// The day on which a leaver's mailbox is to be closed, if it is still to come: counted from the closing, or from today where
/// that is only now planned.
fn mail_ends(record: &PersonRecord, desired: &Desired, facts: &Facts<'_>) -> Option<Day> {
    let closed = matches!(desired, Desired::Account(d) if d.state == AccountState::Closed);
    let account = record.account.as_ref().filter(|_| closed && facts.policy.closes_mailboxes())?;
    let days = facts.policy.mailbox_retention_days;
    let from_today = || facts.today.checked_add_days(Days::new(days.into()));
    mailbox::closes_on(account, days).or_else(from_today).filter(|day| *day > facts.today)
}

fn state_only(desired: Desired) -> Desired {
    match desired {
        Desired::Account(desired) => Desired::Account(Box::new(DesiredAccount { is_state_only: true, ..*desired })),
        other => other,
    }
}

/// Faults of the row that keep a newcomer from being opened. (What planning itself finds is found anew each time.)
fn blocks_opening(kind: &IssueKind) -> bool {
    let of_row = kind.blocks() == Blocked::Opening || *kind == IssueKind::DuplicatePerson;
    of_row && !IssueKind::OF_PLANNING.contains(kind)
}

/// An issue about `person` for its personnel unit.
pub fn issue(kind: IssueKind, person: &Person, facts: &Facts<'_>, message: impl Into<String>) -> DataIssue {
    let unit = person.posting_on(facts.today).map(|p| p.unit);
    DataIssue {
        person: Some(person.id),
        registry_no: Some(person.registry_no.clone()),
        personnel_unit: unit.and_then(|u| facts.units.personnel_unit(u)),
        ..DataIssue::new(kind, message)
    }
}

/// A number that takes no messages, for the personnel unit; an address that takes none, for the head office's administrators, since
/// it is Kimlik's own. Goes away with another number or address.
pub fn undeliverable(person: &Person, channel: Channel, units: &Units, today: Day, reason: &str) -> DataIssue {
    let unit = person.posting_on(today).map(|p| p.unit);
    let (kind, field, personnel_unit, what) = match channel {
        Channel::Sms => (IssueKind::UndeliverableMobile, "mobile", unit.and_then(|u| units.personnel_unit(u)), "the mobile number"),
        Channel::Mail => (IssueKind::UndeliverableMail, "mail", None, "the mail address"),
    };
    DataIssue {
        person: Some(person.id),
        registry_no: Some(person.registry_no.clone()),
        personnel_unit,
        field: Some(field.into()),
        ..DataIssue::new(kind, format!("messages to {what} do not arrive: {reason}"))
    }
}

fn next_look(person: &Person, units: &Units, today: Day) -> Option<Day> {
    let after = |last: Option<Day>| last.and_then(|d| d.succ_opt());
    let postings = person.postings.iter().flat_map(|p| {
        let unit = units.get(p.unit);
        [
            p.start,
            after(p.end),
            unit.and_then(|u| after(u.valid_to)),
            unit.and_then(|u| u.replaced_by).and_then(|c| units.get(c)).and_then(|u| u.valid_from),
        ]
    });
    [person.employment_start, after(person.employment_end)].into_iter().chain(postings).flatten().filter(|day| *day > today).min()
}

fn account(
    record: &PersonRecord,
    facts: &Facts<'_>,
    state: AccountState,
    because: Because,
    withdrawn: bool,
    issues: &mut Vec<DataIssue>,
) -> Desired {
    let person = &record.person;
    let Some(names) = record.account.as_ref().map(|a| &a.names) else {
        let message = "no user name or address could be made of this name: decide on one by hand";
        issues.push(issue(IssueKind::NoNameLeft, person, facts, message));
        return Desired::Nothing;
    };
    let stays = stays(record, facts);
    let posting = person.posting_on(facts.today).filter(|_| stays.is_none());
    let unit = unit_of(record, facts);
    let ou = place(person, unit, facts, state, issues);
    let groups = match (state, unit) {
        (AccountState::Closed, _) | (_, None) => Vec::new(),
        (_, Some(unit)) => {
            let mut groups: Vec<Dn> =
                facts.policy.groups.iter().filter(|g| g.when.holds(unit, facts.units)).map(|g| g.group.clone()).collect();
            groups.sort();
            groups.dedup();
            groups
        }
    };
    let lapsed = names.lapsed(facts.policy.names.keep_aliases_days, facts.today);
    let lapsed = lapsed.flat_map(|a| [Some(a.clone()), facts.policy.mailboxes.routing(a).map(Into::into)]).flatten().collect();
    let ends = record.account.as_ref().filter(|_| state == AccountState::Closed && facts.policy.closes_mailboxes());
    let mail_ended = ends.and_then(|a| mailbox::closes_on(a, facts.policy.mailbox_retention_days)).filter(|day| *day <= facts.today);
    let mut attributes = attributes(person, names, unit, stays, state, facts, issues);
    photo::want(&mut attributes, record, state, facts, issues);
    if mail_ended.is_some() && facts.policy.marks_mailboxes() {
        Attribute::ALL.iter().filter(|a| a.is_address() || a.is_remote_mailbox()).for_each(|a| attributes.set(*a, None));
    }
    Desired::Account(Box::new(DesiredAccount {
        state,
        because,
        withdrawn,
        is_state_only: false,
        unit: unit.map(|u| u.code),
        unit_name: unit.map_or_else(|| "".into(), |u| u.short_name.clone()),
        seconded: stays.map_or_else(|| posting.is_some_and(|p| p.kind == PostingKind::Seconded), |a| a.seconded),
        posting_end: posting.and_then(|p| p.end),
        ou,
        // Why 60 of 64: room for the number that tells homonyms in one OU apart.
        cn: text::clip(&card::display_name(person, facts.policy.family_name_in_capitals), 60).into(),
        attributes,
        groups,
        mail_ended,
        lapsed,
    }))
}

/// What the settings' rule makes of the facts for a mapped attribute, whole, and the alternative of the rule that gave it.
pub fn made_of<'p>(record: &PersonRecord, attribute: Attribute, facts: &Facts<'p>) -> Option<(Arc<str>, &'p Pattern)> {
    let (stays, person) = (stays(record, facts), &record.person);
    let unit = unit_of(record, facts);
    let of_card = compose::Facts { person, unit, units: facts.units, today: facts.today, stays };
    compose::value(facts.policy.mapping.patterns(attribute), &of_card)
}

/// The unit whose facts the card shows.
pub fn unit_of<'a>(record: &PersonRecord, facts: &Facts<'a>) -> Option<&'a Arc<Unit>> {
    let stays = stays(record, facts);
    let posting = record.person.posting_on(facts.today).filter(|_| stays.is_none());
    stays.and_then(|a| a.unit).or(posting.map(|p| p.unit)).and_then(|u| facts.units.standing(u, facts.today))
}

/// The place of an account whose person is announced elsewhere for a later day, HR having let go of the old posting
/// already: until that day it stays where it was put.
fn stays<'a>(record: &'a PersonRecord, facts: &Facts<'_>) -> Option<&'a Applied> {
    let applied = record.account.as_ref()?.applied.as_ref()?;
    (record.person.posting_begun(facts.today).is_none() && !record.person.postings.is_empty()).then_some(applied)
}

fn place(person: &Person, unit: Option<&Arc<Unit>>, facts: &Facts<'_>, state: AccountState, issues: &mut Vec<DataIssue>) -> Dn {
    if state == AccountState::Closed {
        return facts.policy.closed_ou.clone();
    }
    let rule = unit.and_then(|u| placement::ou(&facts.policy.placement, &facts.policy.base, u, facts.units));
    match (rule, unit) {
        (Some(ou), _) if facts.containers.contains(&ou) => return ou,
        (Some(ou), Some(unit)) => {
            let message = format!("the OU {ou} does not exist; the accounts of its people stand in {}", facts.policy.default_ou);
            issues.push(of_unit(unit, message));
        }
        (None, Some(unit)) => {
            let message =
                format!("no placement rule fits {}; the accounts of its people stand in {}", unit.short_name, facts.policy.default_ou);
            issues.push(of_unit(unit, message));
        }
        (_, None) => {
            let message = format!("no known unit; the account stands in {}", facts.policy.default_ou);
            issues.push(issue(IssueKind::NoOrganizationalUnit, person, facts, message));
        }
    }
    facts.policy.default_ou.clone()
}

/// One for all its people. Not HR's to mend: OUs and rules are made by those who administer the directory.
fn of_unit(unit: &Unit, message: String) -> DataIssue {
    DataIssue { unit: Some(unit.code), ..DataIssue::new(IssueKind::NoOrganizationalUnit, message) }
}

/// Who is the manager: the one that HR names, else the nearest head above.
pub fn manager_of<'a>(person: &'a Person, units: &'a Units, today: Day) -> Option<&'a RegistryNo> {
    let unit = person.posting_on(today).and_then(|p| units.standing(p.unit, today));
    person.manager.as_ref().filter(|m| **m != person.registry_no).or_else(|| units.head_above(unit?.code, &person.registry_no))
}

fn attributes(
    person: &Person,
    names: &Names,
    unit: Option<&Arc<Unit>>,
    stays: Option<&Applied>,
    state: AccountState,
    facts: &Facts<'_>,
    issues: &mut Vec<DataIssue>,
) -> Attributes {
    let (units, policy) = (facts.units, facts.policy);
    let mut out = Attributes::with_capacity(24);
    let mut set = |attribute: Attribute, text: &str| out.set(attribute, Some(Value::text(text::clip(text, attribute.max_len()))));
    set(Attribute::UserPrincipalName, &format!("{}@{}", names.username, policy.upn_suffix));
    set(Attribute::DisplayName, &card::display_name(person, policy.family_name_in_capitals));
    set(Attribute::GivenName, &person.given_name);
    set(Attribute::FamilyName, &person.family_name);
    out.set(Attribute::Username, Some(Value::Text(names.username.clone())));
    out.set(Attribute::EmployeeId, Some(Value::Text(person.registry_no.shared())));
    out.set(Attribute::Mail, Some(Value::Text(names.mail.clone())));
    let of_card = compose::Facts { person, unit, units, today: facts.today, stays };
    for unfit in compose::fill(&mut out, &policy.mapping, &of_card, policy.exchange) {
        let (name, max) = (unfit.attribute.ldap_name(), unfit.attribute.max_len());
        let message = if unfit.is_cut {
            format!("{name} is {} characters long and was cut: the address book holds {max}", unfit.length)
        } else {
            format!("{name} is no number that the directory takes, and is left out")
        };
        let found = issue(IssueKind::CardValueCut, person, facts, message);
        issues.push(DataIssue { field: Some(name.to_owned()), ..found });
    }
    let manager = manager_of(person, units, facts.today).and_then(|m| facts.managers.get(m));
    out.set(Attribute::Manager, manager.map(|guid| Value::Account(*guid)));
    let aliases = names.kept(policy.names.keep_aliases_days, facts.today).filter(|a| **a != names.mail).map(|a| format!("smtp:{a}").into());
    let mut proxies: Vec<Arc<str>> = std::iter::once(format!("SMTP:{}", names.mail).into()).chain(aliases).collect();
    if policy.exchange {
        out.set(Attribute::MailNickname, names.mail.split('@').next().map(|local| Value::text(text::clip(local, 64))));
        out.set(Attribute::HideFromAddressLists, (state == AccountState::Closed).then(|| Value::text("TRUE")));
        if let Some(routing) = policy.mailboxes.stamp(&names.mail, &mut out) {
            proxies.push(format!("smtp:{routing}").into());
        }
    }
    out.set(Attribute::ProxyAddresses, Some(Value::list(proxies)));
    out
}
