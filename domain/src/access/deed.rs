//! The table of who may what. One line a deed; what stands in no line nobody may.
use super::{Caller, Role, Scope, Who};
use crate::id::PersonId;
use crate::staff::UnitCode;

/// Whom or what a deed is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The ministry as a whole, or nobody in particular: not enough for who may it for some people only.
    Everything,
    /// A list whose items are asked about one by one: enough for who may it for somebody.
    List,
    /// A person, and the unit whose officers are responsible for them ([`super::unit_of`]).
    Person(PersonId, Option<UnitCode>),
    /// A unit, or what concerns its people.
    Unit(UnitCode),
}

/// How far a role's right reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Never,
    /// What is about the caller.
    Own,
    /// What is about the caller, or about people of the caller's units.
    Units,
    /// What is about other people of the caller's units: nobody decides about themselves.
    Others,
    All,
}
use Reach::{All, Never, Others, Own, Units};

/// What a service account needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// No scope is enough.
    More,
    /// To be known.
    Nothing,
    One(Scope),
}

macro_rules! table {
    ($($(#[$doc:meta])* $deed:ident: $nobody:ident $staff:ident $officer:ident $auditor:ident $admin:ident $scope:tt;)*) => {
        /// What can be asked for or done. Every root field and every guarded field of the graph is one of these.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Deed {
            $($(#[$doc])* $deed,)*
        }
        impl Deed {
            pub const ALL: &[Deed] = &[$(Deed::$deed,)*];
            fn reach(self, role: Role) -> Reach {
                match (self, role) {
                    $(
                        (Deed::$deed, Role::Staff) => $staff,
                        (Deed::$deed, Role::PersonnelOfficer) => $officer,
                        (Deed::$deed, Role::Auditor) => $auditor,
                        (Deed::$deed, Role::Administrator) => $admin,
                    )*
                    // Why: a service is asked for its scopes, whatever it is called.
                    (_, Role::Integrator) => Never,
                }
            }
            fn of_nobody(self) -> Reach {
                match self { $(Deed::$deed => $nobody,)* }
            }
            /// What lets a service account do it.
            pub fn needs(self) -> Needs {
                match self { $(Deed::$deed => table!(@needs $scope),)* }
            }
        }
    };
    (@needs -) => { Needs::More };
    (@needs +) => { Needs::Nothing };
    (@needs $scope:ident) => { Needs::One(Scope::$scope) };
}

table! {
    // deed             nobody staff  officer auditor admin  scope
    /// Sessions begin, are renewed and end.
    SignIn:             All   All    All    All    All    -;
    /// Somebody else's sessions ended at once.
    EndSessions:        Never Never Never  Never  All    -;
    /// Parola: activation, reset, unlock and change prove by themselves who asks.
    UsePasswordDesk:    All   All    All    All    All    -;
    /// Who is asking.
    ReadViewer:         Never All    All    All    All    +;
    /// The schema about itself, and suggestions.
    Introspect:         Never All    All    All    All    +;
    ReadUnit:           Never All    All    All    All    CardsRead;
    ReadCard:           Never All    All    All    All    CardsRead;
    /// Where a card's values come from, and what the address book shows.
    ReadProvenance:     Never Own    Units  All    All    -;
    /// A private number.
    ReadMobile:         Never Own    Units  Never  All    -;
    /// What an account is, what the directory shows of it, its mailbox: nobody's business but the owner's, the personnel unit's and the
    /// administrators'. Who orders something of an account is told what became of it by the answer, and needs no more.
    ReadAccountState:   Never Own    Units  Never  All    -;
    /// Sicil no, and finding by it.
    ReadRegistryNumber: Never Own    Units  All    All    StaffRead;
    /// The record behind the card: employment, phones, account, history.
    ReadRecord:         Never Own    Units  All    All    StaffRead;
    /// 123*****146
    ReadNationalId:     Never Own    Units  Never  All    -;
    ReadPlan:           Never Never  Units  All    All    StaffWrite;
    ReadRun:            Never Never  Never  All    All    RunsRead;
    ReadOperation:      Never Never  Units  All    All    RunsRead;
    ReadHold:           Never Never  Never  All    All    -;
    DecideHold:         Never Never  Never  Never  All    -;
    ReadIssue:          Never Never  Units  All    All    StaffRead;
    DecideIssue:        Never Never  Others Never  All    -;
    ReadDrift:          Never Never  Units  All    All    -;
    ReadMessage:        Never Never  Units  All    All    -;
    /// What a text says: a code may stand in it.
    ReadMessageText:    Never Never  Never  Never  All    -;
    ReadAudit:          Never Never  Never  All    All    -;
    ReadHealth:         Never Never  Never  All    All    HealthRead;
    ReadService:        Never Never  Never  All    All    -;
    ManageService:      Never Never  Never  Never  All    -;
    ReadGrant:          Never Never  Never  All    All    -;
    ManageGrant:        Never Never  Never  Never  All    -;
    ManageWebhook:      Never Never  Never  Never  All    WebhooksManage;
    ProposeUsername:    Never Never  All    Never  All    StaffWrite;
    /// HR records handed in from outside.
    SubmitRecords:      Never Never  Never  Never  All    StaffWrite;
    /// At once, whatever HR says; and back again.
    SuspendAccount:     Never Never  Others Never  All    AccountsSuspend;
    RenameAccount:      Never Never  Others Never  All    AccountsRename;
    /// An existing account is that person's.
    AdoptAccount:       Never Never  Never  Never  All    -;
    ResendCredentials:  Never Never  Others Never  All    CredentialsResend;
    SendPasswordReset:  Never Never  Others Never  All    -;
    /// One's own numbers, the password asked again.
    ChangeOwnPhones:    Never Own    Own    Own    Own    -;
    /// What one is told things in.
    ChooseLanguage:     Never Own    Own    Own    Own    -;
    /// Other people's numbers, with a reason.
    ChangePhones:       Never Never  Others Never  All    -;
    StartSync:          Never Never  Never  Never  All    RunsStart;
    RetryOperation:     Never Never  Never  Never  All    -;
}

/// May `caller` do `deed` to what it is `about`? Pure, and the only place that says so.
pub fn may(caller: &Caller, deed: Deed, about: About) -> bool {
    if deed.of_nobody() == All {
        return true;
    }
    match caller.who {
        Who::Nobody => false,
        Who::Service(_) => match deed.needs() {
            Needs::More => false,
            Needs::Nothing => true,
            Needs::One(scope) => caller.scopes.contains(&scope),
        },
        Who::Person(_) | Who::Account(_) | Who::Terminal => caller.roles.iter().any(|role| reaches(caller, deed.reach(*role), about)),
    }
}

fn reaches(caller: &Caller, reach: Reach, about: About) -> bool {
    let is_own = matches!(about, About::Person(person, _) if caller.person() == Some(person));
    match (reach, about) {
        (Never, _) => false,
        (All, _) => true,
        (Own, About::List) => caller.person().is_some(),
        (Own, _) => is_own,
        (Units, About::List) => caller.person().is_some() || !caller.units.is_empty(),
        (Others, About::List) => !caller.units.is_empty(),
        (Others, About::Person(..)) if is_own => false,
        (Units, About::Person(..)) if is_own => true,
        (Units | Others, About::Person(_, unit)) => unit.is_some_and(|unit| caller.units.contains(&unit)),
        (Units | Others, About::Unit(unit)) => caller.units.contains(&unit),
        (Units | Others, About::Everything) => false,
    }
}
