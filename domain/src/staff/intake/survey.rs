//! The first look at a staff delivery as a whole: whose rows are where, whether it can be believed at all, and what only
//! shows when everybody is looked at (one national id twice, one mobile number twice, circles of managers). Reads each
//! row once without keeping what it says; nothing is saved yet.
use super::{KnownPerson, PART};
use crate::day::Day;
use crate::ports::{Mark, PortResult, Store};
use crate::staff::feed::{Field, Row};
use crate::staff::issue::IssueKind;
use crate::staff::person::RegistryNo;
use crate::staff::roster::{Context, Draft, Fault, ManagerStanding, draft};
use crate::staff::{DataIssue, NationalId};
use std::collections::{HashMap, HashSet};

/// More than this share of a delivery's rows rejected (and more than a handful): the file is wrong, not the rows.
const MOST_PERCENT: usize = 30;
const HANDFUL: usize = 20;
/// Rejected rows that the report on a refused delivery shows.
pub(super) const EXAMPLES: usize = 100;
/// Longer than any chain of superiors.
const HIGHEST: usize = 32;

/// One person of the delivery.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// Into [`Survey::order`].
    start: u32,
    end: u32,
    /// By what the rows say.
    pub left: bool,
    start_day: Option<Day>,
    pub mark: Option<Mark>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Superior {
    None,
    Here(u32),
    Elsewhere(u32),
}

/// Where the chain of superiors goes on from somebody whom a delivery does not name by that number.
#[derive(Clone, Debug)]
enum Superiors {
    Here(u32),
    Above(Option<RegistryNo>),
}

pub(super) struct Survey {
    /// Indices of rows, one person's rows together.
    order: Vec<u32>,
    /// In the order in which the delivery names them first.
    pub groups: Vec<Group>,
    /// Positions in `groups` by registry number.
    by_no: HashMap<RegistryNo, u32>,
    /// Where a national id stands at several people: they, the one who bears it first.
    doubles: HashMap<Mark, Vec<u32>>,
    sharing: HashMap<u32, Vec<RegistryNo>>,
    superiors: Vec<Superior>,
    elsewhere: Vec<RegistryNo>,
    standings: HashMap<u32, ManagerStanding>,
    pub everybody: bool,
    /// Rows without a registry number.
    pub nobodys: Vec<Fault>,
    rejected_rows: usize,
    /// The first of the rejecting faults, for the report on a delivery that is refused.
    pub examples: Vec<(RegistryNo, Fault)>,
    /// People by the field that could not be read.
    doubtful: HashMap<Field, usize>,
}

pub(super) fn survey(rows: &[Row], everybody: bool, ctx: &Context<'_>, mark: impl Fn(&NationalId) -> Mark) -> Survey {
    let mut survey = Survey::grouped(rows, everybody);
    let mut mobiles: Vec<(u64, u32)> = Vec::new();
    let mut managers: Vec<Option<RegistryNo>> = Vec::with_capacity(survey.groups.len());
    for at in 0..survey.groups.len() {
        let Some(draft) = survey.draft(rows, at, ctx) else {
            managers.push(None);
            continue;
        };
        survey.note(at, &draft, ctx, &mark);
        if draft.is_rejected() {
            managers.push(None);
            continue;
        }
        if let (false, Some(number)) = (survey.groups[at].left, draft.mobile.value()) {
            mobiles.push((number.e164()[1..].parse().unwrap_or_default(), at as u32));
        }
        managers.push(draft.manager.value().cloned());
    }
    survey.share_mobiles(mobiles, rows);
    survey.bear_marks(rows);
    survey.superiors(managers);
    survey
}

impl Survey {
    fn grouped(rows: &[Row], everybody: bool) -> Survey {
        let mut nobodys = Vec::new();
        let mut numbered: Vec<(u32, u32)> = Vec::with_capacity(rows.len());
        let mut by_no: HashMap<RegistryNo, u32> = HashMap::with_capacity(rows.len());
        for (at, row) in (0u32..).zip(rows) {
            match row.text(Field::RegistryNo).and_then(RegistryNo::parse) {
                Some(no) => {
                    let next = by_no.len() as u32;
                    numbered.push((*by_no.entry(no).or_insert(next), at));
                }
                None => {
                    let message = "registry_no is missing or is not a registry number (1 to 16 letters, digits, - / .)";
                    nobodys.push(Fault::new(IssueKind::MissingRegistryNo, Field::RegistryNo, row.line, message).rejecting());
                }
            }
        }
        numbered.sort_unstable();
        let mut groups: Vec<Group> = Vec::with_capacity(by_no.len());
        for (at, (group, _)) in (0u32..).zip(&numbered) {
            if groups.len() == *group as usize {
                groups.push(Group { start: at, end: at, left: false, start_day: None, mark: None });
            }
            groups[*group as usize].end = at + 1;
        }
        Survey {
            order: numbered.into_iter().map(|(_, row)| row).collect(),
            superiors: Vec::new(),
            groups,
            by_no,
            doubles: HashMap::new(),
            sharing: HashMap::new(),
            elsewhere: Vec::new(),
            standings: HashMap::new(),
            everybody,
            rejected_rows: nobodys.len(),
            examples: Vec::new(),
            nobodys,
            doubtful: HashMap::new(),
        }
    }

    pub fn people(&self) -> usize {
        self.groups.len()
    }

    /// The people of one part.
    pub fn part(&self, part: usize) -> std::ops::Range<usize> {
        part * PART..((part + 1) * PART).min(self.groups.len())
    }

    pub fn rows<'r>(&self, rows: &'r [Row], at: usize) -> Vec<&'r Row> {
        let group = self.groups[at];
        self.order[group.start as usize..group.end as usize].iter().map(|row| &rows[*row as usize]).collect()
    }

    pub fn registry_no(&self, rows: &[Row], at: usize) -> Option<RegistryNo> {
        let row = *self.order.get(self.groups[at].start as usize)?;
        rows[row as usize].text(Field::RegistryNo).and_then(RegistryNo::parse)
    }

    pub fn draft(&self, rows: &[Row], at: usize, ctx: &Context<'_>) -> Option<Draft> {
        draft(self.registry_no(rows, at)?, &self.rows(rows, at), ctx)
    }

    pub fn names(&self, no: &RegistryNo) -> Option<Group> {
        self.by_no.get(no).map(|at| self.groups[*at as usize])
    }

    /// Does somebody else of this delivery bear the same national id?
    pub fn is_borne_by_another(&self, at: usize) -> bool {
        self.doubles(at).first().is_some_and(|bearer| *bearer as usize != at)
    }

    fn doubles(&self, at: usize) -> &[u32] {
        self.groups[at].mark.and_then(|mark| self.doubles.get(&mark)).map_or(&[], Vec::as_slice)
    }

    /// The registry numbers that this delivery gives with the same national id, this one's own left out.
    pub fn other_numbers<'r>(&'r self, rows: &'r [Row], at: usize) -> impl Iterator<Item = RegistryNo> + 'r {
        let others = self.doubles(at).iter().filter(move |other| **other as usize != at);
        others.filter_map(|other| self.registry_no(rows, *other as usize))
    }

    pub fn sharing_mobile(&self, at: usize) -> &[RegistryNo] {
        self.sharing.get(&(at as u32)).map_or(&[], Vec::as_slice)
    }

    pub fn manager_standing(&self, at: usize) -> ManagerStanding {
        self.standings.get(&(at as u32)).copied().unwrap_or_default()
    }

    fn note(&mut self, at: usize, draft: &Draft, ctx: &Context<'_>, mark: impl Fn(&NationalId) -> Mark) {
        let group = &mut self.groups[at];
        // Why nothing else of rejected rows: they are not believed, so nobody has left or is somebody's double by them.
        if draft.is_rejected() {
            self.rejected_rows += (group.end - group.start) as usize;
            let room = EXAMPLES.saturating_sub(self.examples.len());
            self.examples.extend(draft.faults.iter().filter(|f| f.rejects).take(room).map(|f| (draft.registry_no.clone(), f.clone())));
        } else {
            group.left = draft.says_left(ctx);
            group.start_day = draft.employment_start.value().copied();
            group.mark = draft.national_id.value().map(mark);
        }
        for field in draft.garbled() {
            *self.doubtful.entry(field).or_default() += 1;
        }
    }

    /// Why the delivery cannot be believed, if so. A column that has shifted shows in most of its cells.
    pub fn refusal(&self, rows: usize, broken: usize) -> Option<DataIssue> {
        if self.everybody && rows == 0 {
            let message = "the snapshot names nobody: it was refused whole, nobody was changed";
            return Some(DataIssue::new(IssueKind::FeedEmpty, message));
        }
        let (all, rejected) = (rows + broken, self.rejected_rows + broken);
        let most = |some: usize, of: usize| some > HANDFUL && some * 100 > of * MOST_PERCENT;
        if most(rejected, all) {
            let message = format!("{rejected} of {all} rows cannot be read: the delivery was refused whole, nobody was changed");
            return Some(DataIssue::new(IssueKind::FeedMostlyRejected, message));
        }
        let mut doubtful: Vec<_> = self.doubtful.iter().filter(|(_, some)| most(**some, self.groups.len())).collect();
        doubtful.sort();
        let (field, some) = doubtful.first()?;
        let message = format!(
            "{field} cannot be right for {some} of {} people, perhaps a column has shifted: the delivery was refused whole, nobody was changed",
            self.groups.len()
        );
        Some(DataIssue { field: Some(field.name().to_owned()), ..DataIssue::new(IssueKind::FeedMostlyRejected, message) })
    }

    fn share_mobiles(&mut self, mut mobiles: Vec<(u64, u32)>, rows: &[Row]) {
        mobiles.sort_unstable();
        for same in mobiles.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            let mut all: Vec<(RegistryNo, u32)> =
                same.iter().filter_map(|(_, at)| Some((self.registry_no(rows, *at as usize)?, *at))).collect();
            all.sort();
            for (_, at) in &all {
                // Why a few: a number that a whole office has typed in would fill memory with its square.
                let others = all.iter().filter(|(_, other)| other != at).take(3).map(|(no, _)| no.clone()).collect();
                self.sharing.insert(*at, others);
            }
        }
    }

    /// Of several people with one national id: who is in service before who has left; then who began first.
    fn bear_marks(&mut self, rows: &[Row]) {
        let mut marked: Vec<(Mark, u32)> = (0u32..).zip(&self.groups).filter_map(|(at, g)| Some((g.mark?, at))).collect();
        marked.sort_unstable_by_key(|(mark, at)| (mark.0, *at));
        for same in marked.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            let mut all: Vec<u32> = same.iter().map(|(_, at)| *at).collect();
            all.sort_by_cached_key(|at| {
                let group = &self.groups[*at as usize];
                (group.left, group.start_day.is_none(), group.start_day, self.registry_no(rows, *at as usize))
            });
            self.doubles.insert(same[0].0, all);
        }
    }

    fn superiors(&mut self, managers: Vec<Option<RegistryNo>>) {
        let mut elsewhere: HashMap<RegistryNo, u32> = HashMap::new();
        self.superiors = managers
            .into_iter()
            .map(|manager| match manager {
                None => Superior::None,
                Some(no) => self.by_no.get(&no).map_or_else(
                    || {
                        let next = elsewhere.len() as u32;
                        Superior::Elsewhere(*elsewhere.entry(no).or_insert(next))
                    },
                    |at| Superior::Here(*at),
                ),
            })
            .collect();
        self.elsewhere = vec_by_index(elsewhere);
    }

    /// Finds managers whom nobody knows and circles of managers, following those outside the delivery through the store.
    pub async fn follow_managers(&mut self, store: &dyn Store) -> PortResult<()> {
        if self.elsewhere.is_empty() {
            self.stand_managers(&HashMap::new());
            return Ok(());
        }
        let marked: HashMap<Mark, u32> = (0u32..).zip(&self.groups).filter_map(|(at, g)| Some((g.mark?, at))).collect();
        let mut known: HashMap<RegistryNo, Superiors> = HashMap::new();
        let mut asked: HashSet<RegistryNo> = self.elsewhere.iter().cloned().collect();
        let mut next = self.elsewhere.clone();
        for _ in 0..HIGHEST {
            if next.is_empty() {
                break;
            }
            let mut further = Vec::new();
            for some in next.chunks(PART) {
                for KnownPerson { person, mark, former_registry_nos, .. } in store.known(some, &[]).await? {
                    // Why by the mark too: the person may be in this delivery under a new number.
                    let here = self.by_no.get(&person.registry_no).or_else(|| marked.get(&mark?)).copied();
                    let superiors = here.map_or(Superiors::Above(person.manager.clone()), Superiors::Here);
                    further.extend(person.manager.filter(|m| here.is_none() && !self.by_no.contains_key(m)));
                    known.extend(former_registry_nos.into_iter().map(|former| (former, superiors.clone())));
                    known.insert(person.registry_no, superiors);
                }
            }
            further.retain(|no| asked.insert(no.clone()));
            next = further;
        }
        self.stand_managers(&known);
        Ok(())
    }

    fn stand_managers(&mut self, known: &HashMap<RegistryNo, Superiors>) {
        // Whoever a person's chain of superiors inside the delivery leads to next.
        let next: Vec<Option<u32>> = self.superiors.iter().map(|s| self.next_here(*s, known)).collect();
        let mut seen = vec![0u32; next.len()];
        for start in 0..next.len() {
            let (mut at, round) = (Some(start as u32), start as u32 + 1);
            while let Some(here) = at.filter(|here| seen[*here as usize] == 0) {
                seen[here as usize] = round;
                at = next[here as usize];
            }
            let Some(entry) = at.filter(|here| seen[*here as usize] == round) else { continue };
            let mut here = entry;
            loop {
                self.standings.insert(here, ManagerStanding::Circle);
                match next[here as usize] {
                    Some(further) if further != entry => here = further,
                    _ => break,
                }
            }
        }
        for (at, superior) in (0u32..).zip(&self.superiors) {
            if let Superior::Elsewhere(other) = superior
                && !known.contains_key(&self.elsewhere[*other as usize])
            {
                self.standings.insert(at, ManagerStanding::Unknown);
            }
        }
    }

    fn next_here(&self, superior: Superior, known: &HashMap<RegistryNo, Superiors>) -> Option<u32> {
        let mut no = match superior {
            Superior::None => return None,
            Superior::Here(at) => return Some(at),
            Superior::Elsewhere(other) => &self.elsewhere[other as usize],
        };
        for _ in 0..HIGHEST {
            if let Some(at) = self.by_no.get(no) {
                return Some(*at);
            }
            match known.get(no)? {
                Superiors::Here(at) => return Some(*at),
                Superiors::Above(next) => no = next.as_ref()?,
            }
        }
        None
    }
}

fn vec_by_index(numbers: HashMap<RegistryNo, u32>) -> Vec<RegistryNo> {
    let mut pairs: Vec<(u32, RegistryNo)> = numbers.into_iter().map(|(no, at)| (at, no)).collect();
    pairs.sort_unstable();
    pairs.into_iter().map(|(_, no)| no).collect()
}
