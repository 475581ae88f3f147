//! What a personnel unit is told once a day: the open data issues of its people, counted by kind; those that keep newcomers from
//! being told, or are overdue, come first. No name, no number and nothing that HR wrote stands in it.
use super::round::DailyRound;
use super::{Language, NewMessage, Notice, Telling, Templates, notices};
use crate::access::roles;
use crate::account::AccountState;
use crate::day::{self, Day};
use crate::id::{PersonId, uuid_v7};
use crate::ports::{Clock, Entropy, OpenIssue, PeopleBy, PersonRecord, PortResult, Store};
use crate::staff::{Blocked, IssueKind, MendTerms, RegistryNo, UnitCode, Units, issue_words};
use chrono::{DateTime, Days, Utc};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestRules {
    pub by_mail: bool,
    pub by_sms: bool,
}

pub struct Digest {
    pub round: DailyRound,
    pub store: Arc<dyn Store>,
    pub texts: Arc<Templates>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub rules: DigestRules,
    /// Until when an issue is to be mended.
    pub terms: MendTerms,
}

/// Of one kind, in one personnel unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tally {
    count: u32,
    /// Those that should have been mended by now.
    overdue: u32,
    /// The oldest of them.
    since: DateTime<Utc>,
    /// The last day for that one.
    mend_by: Day,
}

type Tallies = BTreeMap<IssueKind, Tally>;

const AT_ONCE: u32 = 1_000;

/// What a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub units: u32,
    /// Units with open issues of which HR names nobody with an account: nobody was told.
    pub deaf: Vec<UnitCode>,
}

impl Digest {
    /// To be called again and again: it does something once a day. `None`: not now.
    pub async fn round(&self) -> PortResult<Option<Told>> {
        if !(self.rules.by_mail || self.rules.by_sms) {
            return Ok(None);
        }
        let Some(hold) = self.round.take().await? else { return Ok(None) };
        let units = self.store.units().await?;
        let open = self.open(hold.day).await?;
        let officers = if open.is_empty() { HashMap::new() } else { self.officers(&open, &units, hold.day).await? };
        let mut told = Told::default();
        for (unit, tallies) in &open {
            if !self.round.keep(&hold).await? {
                return Ok(Some(told));
            }
            let its: &[PersonRecord] = officers.get(unit).map_or(&[], Vec::as_slice);
            let messages = self.messages(*unit, tallies, its, hold.day);
            if messages.is_empty() {
                told.deaf.push(*unit);
            } else if self.round.rounds.queue_digest(*unit, hold.day, &messages, self.clock.now()).await? {
                told.units += 1;
            }
        }
        self.round.made(&hold).await?;
        Ok(Some(told))
    }

    /// By personnel unit. What nobody there can mend is not theirs.
    async fn open(&self, today: Day) -> PortResult<BTreeMap<UnitCode, Tallies>> {
        let mut open: BTreeMap<UnitCode, Tallies> = BTreeMap::new();
        let mut after = None;
        loop {
            let page: Vec<OpenIssue> = self.store.issues(after, AT_ONCE).await?;
            after = page.last().map(|issue| issue.id);
            for found in &page {
                let Some(unit) = found.issue.personnel_unit else { continue };
                let mend_by = self.terms.mend_by(found.issue.kind, found.since);
                let none = Tally { count: 0, overdue: 0, since: found.since, mend_by };
                let tally = open.entry(unit).or_default().entry(found.issue.kind).or_insert(none);
                tally.count += 1;
                tally.overdue += u32::from(mend_by < today);
                tally.since = tally.since.min(found.since);
                tally.mend_by = tally.mend_by.min(mend_by);
            }
            if page.len() < AT_ONCE as usize {
                return Ok(open);
            }
        }
    }

    /// Head and staff of these units, as HR names them today.
    async fn officers(
        &self,
        open: &BTreeMap<UnitCode, Tallies>,
        units: &Units,
        today: Day,
    ) -> PortResult<HashMap<UnitCode, Vec<PersonRecord>>> {
        let desks: HashSet<UnitCode> = open.keys().copied().collect();
        let below: Vec<UnitCode> =
            units.iter().map(|u| u.code).filter(|code| units.upward(*code).any(|u| desks.contains(&u.code))).collect();
        let heads: Vec<RegistryNo> = desks.iter().filter_map(|code| units.get(*code)?.head.clone()).collect();
        let mut people = self.store.people(PeopleBy::RegistryNos(&heads)).await?;
        let known: HashSet<PersonId> = people.iter().map(|record| record.person.id).collect();
        let mut staff = self.round.rounds.people_in(&below).await?;
        staff.retain(|id| !known.contains(id));
        people.extend(self.store.people(PeopleBy::Ids(&staff)).await?);
        let mut officers: HashMap<UnitCode, Vec<PersonRecord>> = HashMap::new();
        for record in people {
            for desk in roles::desks(&record.person, units, today).into_iter().filter(|desk| desks.contains(desk)) {
                officers.entry(desk).or_default().push(record.clone());
            }
        }
        Ok(officers)
    }

    fn messages(&self, unit: UnitCode, tallies: &Tallies, officers: &[PersonRecord], today: Day) -> Vec<(PersonId, NewMessage)> {
        let now = self.clock.now();
        let count = tallies.values().map(|t| t.count).sum();
        let blocking = tallies.iter().filter(|(kind, _)| blocks(**kind)).map(|(_, t)| t.count).sum();
        let overdue = tallies.values().map(|t| t.overdue).sum();
        let lists = Language::ALL.map(|language| (language, list(tallies, language, today)));
        let mut messages = Vec::new();
        for record in officers {
            let Some(account) = record.account.as_ref().filter(|a| a.state == AccountState::Active) else { continue };
            let language = record.language.unwrap_or(self.texts.language);
            let issues = lists.iter().find(|(of, _)| *of == language).map_or("", |(_, list)| list.as_str());
            let telling = Telling::IssueDigest { count, blocking, overdue, issues };
            let to = Notice {
                mobile: record.person.mobile.as_ref().filter(|_| self.rules.by_sms),
                mail: Some(account.names.mail.as_ref()).filter(|_| self.rules.by_mail),
                occasion: format!("{unit}:{today}"),
                language: Some(language),
                // Why not later: the next day there is another one.
                valid_until: today.checked_add_days(Days::new(1)).map(day::midnight),
            };
            let made = notices(&self.texts, &telling, &to, || {
                let mut random = [0; 10];
                self.entropy.fill(&mut random);
                uuid_v7(now, random)
            });
            messages.extend(made.into_iter().map(|message| (record.person.id, message)));
        }
        messages
    }
}

fn blocks(kind: IssueKind) -> bool {
    matches!(kind.blocks(), Blocked::Announcement | Blocked::Opening)
}

/// One line a kind, with the last day for the oldest: first what keeps newcomers waiting, then what is overdue, then what is due
/// first, then the most frequent.
fn list(tallies: &Tallies, language: Language, today: Day) -> String {
    let mut lines: Vec<(&IssueKind, &Tally)> = tallies.iter().collect();
    lines.sort_by_key(|(kind, tally)| (!blocks(**kind), tally.overdue == 0, tally.mend_by, std::cmp::Reverse(tally.count), **kind));
    let mut text = String::new();
    for (kind, tally) in lines {
        let words = issue_words::short(*kind, language);
        let days = (today - day::today(tally.since)).num_days().max(0);
        let (by, overdue) = (tally.mend_by.format("%d.%m.%Y"), tally.overdue);
        let told = match (language, overdue) {
            (Language::Tr, 0) => format!("en eskisi {days} gündür açık, son gün {by}"),
            (Language::Tr, _) => format!("en eskisi {days} gündür açık, son gün {by} idi; geciken: {overdue}"),
            (Language::En, 0) => format!("the oldest for {days} days, to be mended by {by}"),
            (Language::En, _) => format!("the oldest for {days} days, was to be mended by {by}; overdue: {overdue}"),
        };
        let waits = match (language, blocks(*kind)) {
            (Language::Tr, true) => " — yeni personel bekliyor",
            (Language::En, true) => " — newcomers are waiting",
            (_, false) => "",
        };
        // Why ignore: writing into a text does not fail.
        writeln!(text, "- {words}: {} ({told}){waits}", tally.count).ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_newcomers_waiting_comes_first_then_what_is_overdue_and_each_names_its_last_day() {
        let today = day::parse("2026-11-28").unwrap();
        let tally = |kind: IssueKind, count, overdue, since: &str| {
            let since = since.parse().unwrap();
            (kind, Tally { count, overdue, since, mend_by: MendTerms::default().mend_by(kind, since) })
        };
        let tallies = Tallies::from([
            tally(IssueKind::TextTooLong, 9, 0, "2026-11-28T00:00:00Z"),
            tally(IssueKind::MissingMobile, 2, 1, "2026-11-20T22:00:00Z"),
            tally(IssueKind::UnknownManager, 3, 2, "2026-11-01T00:00:00Z"),
            tally(IssueKind::UnknownUnit, 12, 0, "2026-11-27T00:00:00Z"),
        ]);
        let text = list(&tallies, Language::Tr, today);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "- Cep telefonu numarası yok: 2 (en eskisi 7 gündür açık, son gün 22.11.2026 idi; geciken: 1) — yeni personel bekliyor"
        );
        assert!(lines[1].ends_with(": 3 (en eskisi 27 gündür açık, son gün 11.11.2026 idi; geciken: 2)"), "{text}");
        assert!(lines[2].contains(": 12 (en eskisi 1 gündür açık, son gün 30.11.2026)"), "due first: {text}");
        assert!(lines[3].contains(": 9 (en eskisi 0 gündür açık, son gün 08.12.2026)"), "{text}");
        let text = list(&tallies, Language::En, today);
        assert!(text.contains("2 (the oldest for 7 days, was to be mended by 22.11.2026; overdue: 1) — newcomers are waiting"), "{text}");
        assert!(text.contains("12 (the oldest for 1 days, to be mended by 30.11.2026)"), "{text}");
    }
}
