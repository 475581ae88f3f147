//! HR's photo in a plan: the tag that should stand there, and the octets when its step is taken. Whose it is, `difference::photo` decides.
use super::desired::{Facts, issue};
use super::plan::Step;
use super::reconcile::Reconciler;
use crate::account::{AccountRef, AccountState, Attribute, Attributes, Change, Value};
use crate::card::hr_photo::file_of;
use crate::ports::{PersonRecord, PortError, PortResult, Refusal};
use crate::staff::{DataIssue, IssueKind};

/// Sets the photo among what should stand there. Where HR names one that cannot be written, it is an issue, and the one that Kimlik
/// wrote last is still the one that it wrote.
pub(super) fn want(
    attributes: &mut Attributes,
    record: &PersonRecord,
    state: AccountState,
    facts: &Facts<'_>,
    issues: &mut Vec<DataIssue>,
) {
    if !facts.policy.photos {
        return;
    }
    let applied = || record.account.as_ref()?.applied.as_ref()?.attributes.get(Attribute::Photo).cloned();
    let wanted = record.photo.wanted.clone().map(Value::Text);
    attributes.set(Attribute::Photo, wanted.or_else(|| record.person.photo.as_ref().and_then(|_| applied())));
    if let (Some(fault), true) = (record.photo.fault, state != AccountState::Closed) {
        let found = issue(IssueKind::PhotoUnusable, &record.person, facts, fault.told());
        issues.push(DataIssue { field: Some("photo".to_owned()), ..found });
    }
}

/// The step is one of a photo; its values are tags, and without one it is taken away.
pub(super) fn photo_of(step: &Step) -> Option<&Change> {
    let Step::Modify(changes) = step else { return None };
    changes.first().filter(|change| change.attribute == Attribute::Photo)
}

pub(super) fn tag_in(value: &Option<Value>) -> Option<&str> {
    value.as_ref().and_then(Value::as_text)
}

impl Reconciler {
    /// Why by itself: octets stand in no plan, only their tag. They are read now, and are what was planned or are not written.
    pub(super) async fn write_photo(&self, record: &PersonRecord, account: &AccountRef, change: &Change) -> PortResult<()> {
        let (from, to) = (tag_in(&change.from), tag_in(&change.to));
        let octets = match (to, &self.photos, &record.person.photo) {
            (None, _, None) => None,
            (None, ..) => return Err(PortError::refused(Refusal::Changed, "HR names a photo by now")),
            (Some(tag), Some(files), Some(name)) => match files.read(file_of(name)).await {
                Ok(Some(photo)) if &*photo.tag == tag => Some(photo.octets),
                Ok(_) => return Err(PortError::refused(Refusal::Changed, "HR's photo is another one by now")),
                // Why refused: it is not the directory that is away, and everything else of this person goes on.
                Err(away) => return Err(PortError::refused(Refusal::Changed, format!("HR's photo cannot be read: {away}"))),
            },
            _ => return Err(PortError::refused(Refusal::Changed, "HR names no photo any more")),
        };
        self.directory.set_photo(account, octets.as_deref(), from).await?;
        self.store.photo_written(account.guid, octets.as_deref()).await
    }
}
