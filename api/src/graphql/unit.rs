//! Units as a card shows them.
use super::scalar::{PhoneNumber, UnitCode};
use async_graphql::{Enum, Object};
use kimlik_domain::staff;
use std::sync::Arc;

/// A unit of the ministry (birim).
pub struct Unit(pub Arc<staff::Unit>);

/// Head office or the provinces.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// Merkez: head office.
    Central,
    /// Taşra: a provincial directorate.
    Provincial,
}

#[Object]
/// A unit of the ministry (birim).
impl Unit {
    /// Its DETSİS number: names change, numbers do not.
    async fn code(&self) -> UnitCode {
        UnitCode(self.0.code)
    }
    /// Its whole name.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// At most 64 characters: what fits the address book.
    async fn short_name(&self) -> &str {
        &self.0.short_name
    }
    /// Head office or the provinces.
    async fn kind(&self) -> UnitKind {
        match self.0.kind {
            staff::UnitKind::Central => UnitKind::Central,
            staff::UnitKind::Provincial => UnitKind::Provincial,
        }
    }
    /// The name of its province (il).
    async fn province(&self) -> Option<&str> {
        self.0.province.map(|p| p.name())
    }
    /// Its own number, where it has one.
    async fn phone(&self) -> Option<PhoneNumber> {
        self.0.phone.as_deref().and_then(|n| staff::WorkNumber::parse(n).ok()).map(|n| PhoneNumber(n.e164().to_owned()))
    }
}
