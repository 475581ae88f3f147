//! Who is absent from a snapshot. Absence closes nobody: each is an issue, and where many are absent it is one about the feed.
use super::survey::Survey;
use super::{Intake, PART, RosterSave};
use crate::account::AccountState;
use crate::ports::{IssueScope, PortResult};
use crate::staff::issue::IssueKind;
use crate::staff::person::RegistryNo;
use crate::staff::{DataIssue, feed::Field};

/// More than this share of the people with accounts absent (and more than a handful): the snapshot is cut, they have not left.
const MOST_PERCENT: usize = 10;
const HANDFUL: usize = 20;

/// Saves the issues that it answers, and resolves those about people who are there again or whose account is closed by now.
pub(super) async fn look_for_absent(intake: &Intake<'_>, survey: &Survey) -> PortResult<Vec<DataIssue>> {
    let census = intake.store.census().await?;
    let is_live = |state| !matches!(state, AccountState::None | AccountState::Closed);
    let live = census.iter().filter(|line| is_live(line.account_state)).count();
    let mut away: Vec<_> = census.into_iter().filter(|line| survey.names(&line.registry_no).is_none()).collect();
    away.sort_by(|a, b| a.registry_no.cmp(&b.registry_no));
    let absent = away.iter().filter(|line| is_live(line.account_state)).count();
    if absent > HANDFUL && absent * 100 > live * MOST_PERCENT {
        let message = format!("{absent} of {live} people with an account are not in the snapshot: their accounts were left as they are");
        let issue = DataIssue { source: Some(intake.delivery.name.clone()), ..DataIssue::new(IssueKind::FeedShrunken, message) };
        intake.save_issues(IssueScope::All(&[IssueKind::FeedShrunken]), std::slice::from_ref(&issue)).await?;
        return Ok(vec![issue]);
    }
    intake.save_issues(IssueScope::All(&[IssueKind::FeedShrunken]), &[]).await?;
    let mut found = Vec::new();
    for some in away.chunks(PART) {
        let gone: Vec<RegistryNo> = some.iter().filter(|l| is_live(l.account_state)).map(|l| l.registry_no.clone()).collect();
        let mut known = if gone.is_empty() { Vec::new() } else { intake.store.known(&gone, &[]).await? };
        known.retain(|k| gone.binary_search(&k.person.registry_no).is_ok());
        known.sort_by(|a, b| a.person.registry_no.cmp(&b.person.registry_no));
        let issues: Vec<DataIssue> = known
            .iter()
            .map(|k| DataIssue {
                person: Some(k.person.id),
                registry_no: Some(k.person.registry_no.clone()),
                personnel_unit: intake.ctx.personnel_unit_of(&k.person),
                field: Some(Field::RegistryNo.name().to_owned()),
                source: Some(intake.delivery.name.clone()),
                ..DataIssue::new(
                    IssueKind::AbsentFromSnapshot,
                    "not in the snapshot any more: the account stays as it is; if the person has left, deliver them with their last day",
                )
            })
            .collect();
        found.extend(issues.iter().cloned());
        let seen = some.iter().map(|l| l.registry_no.clone()).collect();
        let save = RosterSave { issues, seen, issue_kinds: vec![IssueKind::AbsentFromSnapshot], ..RosterSave::at(intake.now) };
        intake.save_roster(save).await?;
    }
    Ok(found)
}
