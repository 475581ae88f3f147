//! Whose rows are these? A registry number finds a person, a national id recognises one who comes back under a new number.
//! In doubt nobody gets somebody else's account: the rows are refused and a person decides.
use super::KnownPerson;
use super::survey::Survey;
use crate::account::AccountState;
use crate::id::PersonId;
use crate::ports::Mark;
use crate::staff::feed::{Field, Row};
use crate::staff::issue::IssueKind;
use crate::staff::person::{Person, RegistryNo};
use crate::staff::roster::{Context, Draft, Fault};
use crate::text;
use std::collections::HashMap;

/// The people of one part who are known, found in three ways.
#[derive(Default)]
pub(super) struct KnownPeople {
    all: Vec<KnownPerson>,
    by_id: HashMap<PersonId, usize>,
    by_no: HashMap<RegistryNo, usize>,
    by_former: HashMap<RegistryNo, usize>,
    by_mark: HashMap<Mark, usize>,
}

#[derive(Debug)]
pub(super) enum Identity {
    New,
    Known(KnownPerson),
    /// Known under another number until now.
    Returned(KnownPerson),
    /// An old record of somebody who is known, or comes, under another number: nothing to be done.
    History,
    Refused(Fault),
}

impl KnownPeople {
    pub fn new(people: Vec<KnownPerson>) -> KnownPeople {
        let mut known = KnownPeople::default();
        people.into_iter().for_each(|person| known.put(person));
        known
    }

    /// Adds a person, or replaces what was known: the next rows of the same part see it.
    pub fn put(&mut self, person: KnownPerson) {
        let held = self.by_id.get(&person.person.id).copied();
        let at = held.unwrap_or(self.all.len());
        if let Some(held) = held {
            self.by_no.remove(&self.all[held].person.registry_no);
        }
        self.by_id.insert(person.person.id, at);
        self.by_no.insert(person.person.registry_no.clone(), at);
        self.by_former.extend(person.former_registry_nos.iter().map(|no| (no.clone(), at)));
        self.by_mark.extend(person.mark.map(|mark| (mark, at)));
        match held {
            Some(held) => self.all[held] = person,
            None => self.all.push(person),
        }
    }

    pub fn by_no(&self, no: &RegistryNo) -> Option<&KnownPerson> {
        self.by_no.get(no).map(|at| &self.all[*at])
    }
    fn by_former(&self, no: &RegistryNo) -> Option<&KnownPerson> {
        self.by_former.get(no).map(|at| &self.all[*at])
    }
    fn by_mark(&self, mark: Option<Mark>) -> Option<&KnownPerson> {
        self.by_mark.get(&mark?).map(|at| &self.all[*at])
    }

    pub fn identify(&self, at: usize, draft: &Draft, survey: &Survey, rows: &[Row], ctx: &Context<'_>) -> Identity {
        let mark = survey.groups[at].mark;
        let refused =
            |message: String| Identity::Refused(Fault::new(IssueKind::DuplicatePerson, Field::NationalId, draft.line, message).rejecting());
        if let Some(known) = self.by_no(&draft.registry_no) {
            return match (known.mark, mark, self.by_mark(mark)) {
                (Some(held), Some(said), Some(other)) if held != said && other.person.id != known.person.id => refused(format!(
                    "this registry number is held with another national id, and this one is that of {}",
                    other.person.registry_no
                )),
                (Some(held), Some(said), _) if held != said => {
                    if known.decided_id == Some(said.short()) && !survey.is_borne_by_another(at) {
                        return Identity::Known(known.clone());
                    }
                    let message = "this registry number is held with another national id: one of the two is wrong";
                    let fault = Fault::new(IssueKind::DuplicatePerson, Field::NationalId, draft.line, message).rejecting();
                    Identity::Refused(Fault { said: Some(said.short()), ..fault })
                }
                (None, _, Some(other)) if other.person.id != known.person.id => {
                    refused(format!("registry number {} is held with the same national id", other.person.registry_no))
                }
                _ => Identity::Known(known.clone()),
            };
        }
        let (by_mark, by_former) = (self.by_mark(mark), self.by_former(&draft.registry_no));
        if let (Some(_), Some(owner)) = (mark, by_former)
            && by_mark.map(|k| k.person.id) != Some(owner.person.id)
            && owner.mark.is_some()
        {
            return refused(format!("this registry number was that of somebody else, who now has {}", owner.person.registry_no));
        }
        // Why: an older record of theirs may be known without a national id, and gets it with this very delivery.
        let by_double = survey.other_numbers(rows, at).find_map(|no| self.by_no(&no).filter(|k| k.mark.is_none() || k.mark == mark));
        match by_mark.or(by_former).or(by_double) {
            Some(known) => self.returning(known, at, draft, survey, ctx).unwrap_or_else(refused),
            None if !survey.is_borne_by_another(at) => Identity::New,
            None if survey.groups[at].left => Identity::History,
            None => refused("another person of this delivery who is in service has the same national id: no account is opened".to_owned()),
        }
    }

    /// The person is known under another number. Taken for a return only if that number is out of service; `Err`: why not.
    fn returning(&self, known: &KnownPerson, at: usize, draft: &Draft, survey: &Survey, ctx: &Context<'_>) -> Result<Identity, String> {
        if survey.groups[at].left {
            return Ok(Identity::History);
        }
        let held = &known.person.registry_no;
        let gone = match survey.names(held) {
            Some(group) => group.left,
            // Why: a snapshot is everybody. The number is gone and its national id stands under a new one: HR has renumbered.
            None => survey.everybody || known.account_state == AccountState::Closed || ctx.has_left(&known.person),
        };
        if !gone {
            return Err(format!("registry number {held} is in service with the same national id: no account is opened for this one"));
        }
        if survey.is_borne_by_another(at) {
            return Err("another person of this delivery who is in service has the same national id".to_owned());
        }
        // Why: one wrong digit can be a valid number, a leaver's; a stranger must not get their mailbox. People who marry
        // keep their given name.
        if !names_agree(draft, &known.person) {
            return Err(format!("registry number {held} has the same national id and quite another name: one of the two is wrong"));
        }
        Ok(Identity::Returned(known.clone()))
    }
}

fn names_agree(draft: &Draft, known: &Person) -> bool {
    let agree = |said: Option<&Box<str>>, held: &str| said.is_none_or(|said| text::fold(said) == text::fold(held));
    agree(draft.given_name.value(), &known.given_name) || agree(draft.family_name.value(), &known.family_name)
}
