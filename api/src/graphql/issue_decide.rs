//! Deciding a data issue that need not be mended.
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::issue::{DataIssue, concerns, shown};
use super::{allows, caller, house, id, permitted};
use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::IssueId;
use kimlik_domain::ports::Urgency;

#[derive(Default)]
pub struct IssueMutation;

/// What may be decided of an issue.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::staff::IssueDecision")]
pub enum DataIssueDecision {
    /// Olduğu gibi kabul: it is no fault, or it stays; what it stopped may go on.
    AcceptAsItIs,
    /// Aynı kişi değil: the account that was found is somebody else's, and this person gets an own one.
    NotTheSamePerson,
}

/// Which issue, and what is decided of it.
#[derive(InputObject)]
pub struct DataIssueDecideInput {
    /// The issue.
    issue_id: ID,
    /// One of the issue's `decisions`.
    decision: DataIssueDecision,
    /// Why, in one line; it stands in the audit.
    note: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct DataIssueDecidePayload {
    /// The issue as it was; it is no longer among dataIssues. Null where nothing was decided.
    data_issue: Option<DataIssue>,
    /// What the caller can mend; empty: it was decided.
    user_errors: Vec<UserError>,
}

#[Object]
impl IssueMutation {
    /// Decides an issue that need not be mended. Whoever it is about is looked at at once. An administrator, or a personnel officer of
    /// the person, but nobody about themselves. Deciding the same again changes nothing.
    async fn data_issue_decide(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which issue, and how.")] input: DataIssueDecideInput,
    ) -> Maybe<DataIssueDecidePayload> {
        if !allows(ctx, Deed::DecideIssue, About::List) {
            return None;
        }
        Some(decide(ctx, input).await)
    }
}

fn refused(user_errors: Vec<UserError>) -> DataIssueDecidePayload {
    DataIssueDecidePayload { data_issue: None, user_errors }
}

async fn decide(ctx: &Context<'_>, input: DataIssueDecideInput) -> Result<DataIssueDecidePayload> {
    let mut errors = Vec::new();
    let note = input.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    if note.is_some_and(|note| note.chars().count() > 500 || note.chars().any(char::is_control)) {
        errors.push(UserError::new(UserErrorCode::Invalid, "note", "One line of at most 500 characters."));
    }
    let house = house(ctx)?;
    let found = match id::decode(id::ISSUE, &input.issue_id) {
        Some(id) => house.records.issue(IssueId(id)).await.map_err(|e| fault(ctx, &e))?,
        None => None,
    };
    let readable = match &found {
        Some(open) => concerns(ctx, Deed::ReadIssue, open, &permitted(ctx, Deed::ReadIssue, open.issue.person).await?),
        None => false,
    };
    let Some(open) = found.filter(|_| readable) else {
        errors.push(UserError::new(UserErrorCode::NotFound, "issueId", "There is no such issue."));
        return Ok(refused(errors));
    };
    let decided = permitted(ctx, Deed::DecideIssue, open.issue.person).await?;
    if !concerns(ctx, Deed::DecideIssue, &open, &decided) {
        errors.push(UserError::new(UserErrorCode::NotAllowed, "issueId", "Nobody decides about themselves."));
    } else if open.issue.decisions().is_empty() {
        let message = "HR's row was refused, and accepting that would only hide it: HR has to mend it.";
        errors.push(UserError::new(UserErrorCode::NotAllowed, "issueId", message));
    } else if !open.issue.decisions().contains(&input.decision.into()) {
        errors.push(UserError::new(UserErrorCode::Invalid, "decision", "This decision is not one of the issue's."));
    }
    if !errors.is_empty() {
        return Ok(refused(errors));
    }
    let because = note.unwrap_or(match input.decision {
        DataIssueDecision::AcceptAsItIs => "accepted as it is",
        DataIssueDecision::NotTheSamePerson => "the account is somebody else's",
    });
    let accepted = house.store.accept_issue(open.id, &caller(ctx).actor(), because, house.clock.now()).await;
    if let Err(error) = accepted {
        return Ok(refused(vec![UserError::of(&error, "issueId")]));
    }
    house.wake.notify_one();
    let tree = house.cards.tree().await.map_err(|e| fault(ctx, &e))?;
    Ok(DataIssueDecidePayload { data_issue: Some(shown(ctx, open, Urgency::Usual, &tree)?), user_errors: Vec::new() })
}
