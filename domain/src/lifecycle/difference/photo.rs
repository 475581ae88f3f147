//! The photo among the attributes: whose it is, and a step by itself.
use super::Difference;
use crate::account::{Attribute, Change, ObservedAccount, Value};
use crate::lifecycle::plan::Step;
use crate::ports::PersonRecord;

impl Difference<'_> {
    /// Where HR has no photo of somebody, only one of Kimlik's own writing is taken away; and where HR's cannot be written,
    /// whatever stands there stays.
    pub(super) fn owns_photo(&self) -> bool {
        let photo = &self.record.photo;
        let is_ours = || self.applied().and_then(|a| a.attributes.text(Attribute::Photo)) == photo.held.as_deref();
        let is_taken_back = || self.record.person.photo.is_none() && photo.held.is_some() && is_ours();
        self.facts.policy.photos && (photo.wanted.is_some() || is_taken_back())
    }
}

/// What the directory holds of an attribute, as last seen. Photos are looked at by themselves.
pub fn held(record: &PersonRecord, seen: &ObservedAccount, attribute: Attribute) -> Option<Value> {
    match attribute {
        Attribute::Photo => record.photo.held.clone().map(Value::Text),
        other => seen.attributes.get(other).cloned(),
    }
}

/// Steps that make these changes. Why the photo by itself, and last: where it is refused, nothing else is kept from being written.
pub(super) fn written(changes: Vec<Change>) -> impl Iterator<Item = Step> {
    let (photo, others): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(|c| c.attribute == Attribute::Photo);
    [others, photo].into_iter().filter(|changes| !changes.is_empty()).map(Step::Modify)
}
