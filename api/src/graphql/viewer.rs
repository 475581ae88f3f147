//! Who is asking.
use super::card::{IdentityCard, of_person};
use super::error::Maybe;
use super::language::{Language, language_of};
use super::scalar::UnitCode;
use super::service_account::ServiceScope;
use super::{allows, caller};
use async_graphql::{Context, Enum, Object};
use kimlik_domain::access::{self, About, Caller, Deed, Who};
use std::sync::Arc;

#[derive(Default)]
pub struct ViewerQuery;

/// Who is asking, and what that may.
#[derive(Clone)]
pub struct Viewer(pub Arc<Caller>);

/// What somebody is to Kimlik.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::access::Role")]
pub enum Role {
    /// Personel: all cards, and the own record.
    Staff,
    /// Personel birimi: the records of the people of the own units.
    PersonnelOfficer,
    /// A service account, within its scopes.
    Integrator,
    /// Denetçi: reads everything but private numbers, and the audit; changes nothing.
    Auditor,
    /// Yönetici: everything.
    Administrator,
}

/// What kind of caller it is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum ViewerKind {
    /// A member of staff.
    Person,
    /// An account of the directory that is no person's.
    Account,
    /// A service account.
    Service,
}

#[Object]
/// Who is asking, and what that may.
impl Viewer {
    /// The user name, or the name of the service account.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// What kind of caller it is.
    async fn kind(&self) -> ViewerKind {
        match self.0.who {
            Who::Person(_) => ViewerKind::Person,
            Who::Service(_) => ViewerKind::Service,
            Who::Account(_) | Who::Nobody | Who::Terminal => ViewerKind::Account,
        }
    }
    /// What somebody is to Kimlik; several at once are possible.
    async fn roles(&self) -> Vec<Role> {
        self.0.roles.iter().copied().map(access::Role::into).collect()
    }
    /// What a service account was made for.
    async fn scopes(&self) -> Vec<ServiceScope> {
        self.0.scopes.iter().copied().map(access::Scope::into).collect()
    }
    /// The units whose people a personnel officer is responsible for, in the order of their codes.
    async fn units(&self) -> Vec<UnitCode> {
        let mut units: Vec<_> = self.0.units.iter().copied().collect();
        units.sort_unstable();
        units.into_iter().map(UnitCode).collect()
    }
    /// What SMS and e-mail to the caller are written in; null: the ministry's language, since nothing was chosen (languageSet).
    #[graphql(complexity = "5")]
    async fn language(&self, ctx: &Context<'_>) -> Maybe<Language> {
        match self.0.person() {
            Some(person) => language_of(ctx, person).await.transpose(),
            None => None,
        }
    }
    /// The own card; null where the caller is no person.
    #[graphql(complexity = "5 + child_complexity")]
    async fn card(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        match self.0.person() {
            Some(person) => of_person(ctx, person).await.transpose(),
            None => None,
        }
    }
}

#[Object]
impl ViewerQuery {
    /// Who is asking: the signed-in person or service, what it may do, and its own card. Null: nobody is signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Viewer> {
        allows(ctx, Deed::ReadViewer, About::Everything).then(|| Viewer(Arc::new(caller(ctx).clone())))
    }
}
