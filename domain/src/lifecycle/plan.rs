//! What is to be done for one person, made from what should be and what was seen. Data: it can be printed, compared,
//! approved and carried out; nothing in it is left to decide.
use super::reason::Because;
use crate::account::{Attribute, Change, Dn, Mode, NewAccount};
use crate::day::Day;
use crate::id::{AccountGuid, PersonId};
use crate::staff::unit::Province;
use crate::staff::{DataIssue, RegistryNo, UnitCode};
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What an action is to the ministry; limits, holds and receipts speak of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActionKind {
    /// An account that existed before Kimlik becomes this person's.
    Adopt,
    /// A new account.
    Open,
    /// A closed account comes back.
    Reopen,
    /// The first day in service has come.
    Enable,
    /// Back from leave or suspension.
    Reinstate,
    /// Attributes.
    Update,
    /// Birthright groups.
    Groups,
    /// Another OU.
    Move,
    /// Another name or address.
    Rename,
    Suspend,
    Close,
    /// A hire that was taken back before its day.
    Withdraw,
    /// A leaver's mailbox takes no mail any more: its retention is over.
    CloseMailbox,
}

impl ActionKind {
    pub const ALL: [ActionKind; 13] = [
        ActionKind::Adopt,
        ActionKind::Open,
        ActionKind::Reopen,
        ActionKind::Enable,
        ActionKind::Reinstate,
        ActionKind::Update,
        ActionKind::Groups,
        ActionKind::Move,
        ActionKind::Rename,
        ActionKind::Suspend,
        ActionKind::Close,
        ActionKind::Withdraw,
        ActionKind::CloseMailbox,
    ];
    /// The name in the store, in JSON and in GraphQL.
    pub const fn name(self) -> &'static str {
        match self {
            ActionKind::Adopt => "ADOPT",
            ActionKind::Open => "OPEN",
            ActionKind::Reopen => "REOPEN",
            ActionKind::Enable => "ENABLE",
            ActionKind::Reinstate => "REINSTATE",
            ActionKind::Update => "UPDATE",
            ActionKind::Groups => "GROUPS",
            ActionKind::Move => "MOVE",
            ActionKind::Rename => "RENAME",
            ActionKind::Suspend => "SUSPEND",
            ActionKind::Close => "CLOSE",
            ActionKind::Withdraw => "WITHDRAW",
            ActionKind::CloseMailbox => "CLOSE_MAILBOX",
        }
    }
    pub fn parse(name: &str) -> Option<ActionKind> {
        ActionKind::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// One thing done to the directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Only the ledger: this account is that person's.
    Link(AccountGuid),
    Create(NewAccount),
    /// A random password that nobody sees.
    SealPassword,
    Modify(Vec<Change>),
    JoinGroup(Dn),
    LeaveGroup(Dn),
    /// `from`: the OU where it was seen.
    MoveTo {
        from: Dn,
        ou: Dn,
        cn: Arc<str>,
    },
    Disable,
    Enable,
    /// Only the ledger: whoever makes mailboxes may close this one from now on.
    EndMail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub kind: ActionKind,
    pub because: Because,
    /// In the order in which they are carried out.
    pub steps: Vec<Step>,
}

impl Action {
    /// What an approval is for: the kind and every step with its values. Stable over releases of the compiler.
    ///
    /// A manager that completes an account is not part of it: at a first load, and when living accounts are taken over, the
    /// managers' accounts appear while their people's are worked off, and what was approved must not be held anew for that.
    pub fn digest(&self) -> String {
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325_6c62_272e_07bb_0142);
        self.kind.hash(&mut hasher);
        for step in &self.steps {
            match step {
                Step::Create(new) if new.attributes.get(Attribute::Manager).is_some() => {
                    let mut attributes = new.attributes.clone();
                    attributes.set(Attribute::Manager, None);
                    Step::Create(NewAccount { attributes, ..new.clone() }).hash(&mut hasher);
                }
                Step::Modify(changes) if changes.iter().any(|c| self.completes(c)) => {
                    let rest: Vec<Change> = changes.iter().filter(|c| !self.completes(c)).cloned().collect();
                    if !rest.is_empty() {
                        Step::Modify(rest).hash(&mut hasher);
                    }
                }
                step => step.hash(&mut hasher),
            }
        }
        format!("{:032x}", hasher.0)
    }

    fn completes(&self, change: &Change) -> bool {
        change.attribute == Attribute::Manager && (change.from.is_none() || self.kind == ActionKind::Adopt)
    }
}

/// Of many actions: the same exactly as long as each of them is.
pub fn digest_of<'a>(actions: impl Iterator<Item = (PersonId, &'a Action)>) -> String {
    let mut digest = Digest::default();
    actions.for_each(|(person, action)| digest.add(person, action));
    digest.end()
}

/// [`digest_of`], one by one: of a plan that is never in memory as a whole.
pub struct Digest(Fnv);

impl Default for Digest {
    fn default() -> Digest {
        Digest(Fnv(0xcbf2_9ce4_8422_2325_6c62_272e_07bb_0142))
    }
}

impl Digest {
    pub fn add(&mut self, person: PersonId, action: &Action) {
        self.add_digest(person, &action.digest());
    }
    /// The same, of an action of which only the digest is left.
    pub fn add_digest(&mut self, person: PersonId, action: &str) {
        person.hash(&mut self.0);
        action.hash(&mut self.0);
    }
    pub fn end(self) -> String {
        format!("{:032x}", self.0.0)
    }
}

/// FNV-1a, 128 bits: tells plans apart. Nobody gains by forging one: plans are made by Kimlik from the same store.
struct Fnv(u128);
impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        #[allow(clippy::cast_possible_truncation)]
        let low = self.0 as u64;
        low
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

/// Everything that is to be done for one person now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonPlan {
    pub person: PersonId,
    pub registry_no: RegistryNo,
    pub name: Arc<str>,
    /// Where the person works, as HR names it.
    pub unit: Option<UnitCode>,
    pub province: Option<Province>,
    pub mode: Mode,
    pub actions: Vec<Action>,
    /// What stands in the way or should be looked at.
    pub issues: Vec<DataIssue>,
    /// The day on which this changes by itself.
    pub next_look: Option<Day>,
}

impl PersonPlan {
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Attributes, Value};

    fn action(kind: ActionKind, steps: Vec<Step>) -> String {
        let because = Because::NewInHr { start: crate::day::parse("2026-12-01").unwrap(), reason: None };
        Action { kind, because, steps }.digest()
    }
    fn manager(from: Option<u8>, to: Option<u8>) -> Change {
        let account = |n: u8| Value::Account(AccountGuid(uuid::Uuid::from_bytes([n; 16])));
        Change { attribute: Attribute::Manager, from: from.map(account), to: to.map(account) }
    }
    fn title(to: &str) -> Change {
        Change { attribute: Attribute::Title, from: None, to: Some(Value::Text(to.into())) }
    }
    fn create(with_manager: bool, title_of: &str) -> Step {
        let mut attributes = Attributes::default();
        attributes.set(Attribute::Title, title(title_of).to);
        attributes.set(Attribute::Manager, manager(None, with_manager.then_some(1)).to);
        Step::Create(NewAccount { ou: Dn::new("OU=X,DC=csb,DC=test"), cn: "Ayşe Şahin".into(), attributes })
    }

    #[test]
    fn an_approval_holds_when_the_managers_account_appears_and_not_when_anything_else_changes() {
        let open = |with_manager, title| action(ActionKind::Open, vec![create(with_manager, title), Step::SealPassword]);
        assert_eq!(open(false, "Şef"), open(true, "Şef"));
        assert_ne!(open(false, "Şef"), open(false, "Memur"));
        let adopt = |changes| action(ActionKind::Adopt, vec![Step::Modify(changes)]);
        assert_eq!(adopt(vec![manager(Some(1), None), title("Şef")]), adopt(vec![title("Şef")]));
        let update = |changes| action(ActionKind::Update, vec![Step::Modify(changes)]);
        assert_eq!(update(vec![manager(None, Some(1)), title("Şef")]), update(vec![title("Şef")]));
        assert_ne!(update(vec![manager(Some(1), Some(2))]), update(vec![manager(Some(1), Some(3))]), "another manager is another change");
    }
}
