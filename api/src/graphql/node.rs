//! Whatever has an id, by its id: what front ends' caches ask for when they have an id and nothing else.
use super::allows;
use super::card::IdentityCard;
use super::error::{Maybe, bad_input};
use super::staff::StaffMember;
use super::{audit, card, challenge, grant, hold, id, issue, message, operation, run, service_account, staff, submission, unit, webhook};
use async_graphql::{Context, ID, Interface, Object, Result};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::PersonId;
use kimlik_domain::staff::UnitCode;
use kimlik_domain::staff::unit::Province;
use std::collections::HashMap;

#[derive(Default)]
pub struct NodeQuery;

/// What has an id of its own, which stays the same as long as the thing is known, and is nothing else's.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque to clients: only to be sent back."))]
// Why not boxed: one a question, moved once.
#[allow(clippy::large_enum_variant)]
pub enum Node {
    Card(IdentityCard),
    Staff(StaffMember),
    Unit(unit::Unit),
    Province(unit::Province),
    Run(run::SyncRun),
    Operation(operation::Operation),
    Hold(hold::Hold),
    Message(message::Message),
    Issue(issue::DataIssue),
    Grant(grant::RoleGrant),
    Service(service_account::ServiceAccount),
    Audit(audit::AuditEvent),
    Webhook(webhook::Webhook),
    Submission(submission::StaffSubmission),
}

/// Ids asked for at once.
const MOST: usize = 100;

#[Object]
impl NodeQuery {
    /// Whatever has this id. Null: there is nothing of that id, or nothing that the caller may see; which of the two is not told.
    #[graphql(complexity = "5 + child_complexity")]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Of whatever kind.")] id: ID) -> Maybe<Node> {
        if !allows(ctx, Deed::ReadViewer, About::Everything) {
            return None;
        }
        find(ctx, "id", &id).await.transpose()
    }

    /// Like node, for many: one for each id, in their order.
    #[graphql(complexity = "ids.len().min(MOST) * (5 + child_complexity)")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of whatever kinds, at most 100.")] ids: Vec<ID>,
    ) -> Maybe<Vec<Option<Node>>> {
        if !allows(ctx, Deed::ReadViewer, About::Everything) {
            return None;
        }
        Some(find_all(ctx, &ids).await)
    }
}

async fn find_all(ctx: &Context<'_>, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    if ids.len() > MOST {
        return Err(bad_input(format!("ids: at most {MOST} ids.")));
    }
    // Why beforehand: these are read from the store, all at once.
    let people: Vec<PersonId> = ids.iter().filter_map(|id| id::decode(id::STAFF, id)).map(PersonId).collect();
    let members = staff::members(ctx, &people).await?.into_iter().map(|member| (member.person(), member));
    let members: HashMap<PersonId, StaffMember> = members.collect();
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.push(match id::decode(id::STAFF, id) {
            Some(person) => members.get(&PersonId(person)).cloned().map(Node::Staff),
            None => find(ctx, "ids", id).await?,
        });
    }
    Ok(found)
}

/// An id that cannot be one is the caller's mistake; everything else that cannot be shown is nothing.
async fn find(ctx: &Context<'_>, argument: &str, id: &ID) -> Result<Option<Node>> {
    let not_one = || bad_input(format!("{argument}: this is not an id."));
    let kind = id.split_once('_').map_or("", |(kind, _)| kind);
    match kind {
        id::UNIT => {
            let code = id.strip_prefix("unit_").and_then(UnitCode::parse).ok_or_else(not_one)?;
            return Ok(unit::one(ctx, code).await?.map(Node::Unit));
        }
        id::PROVINCE => {
            let province = id.strip_prefix("province_").and_then(Province::parse).ok_or_else(not_one)?;
            return Ok(unit::one_province(ctx, province).map(Node::Province));
        }
        _ => {}
    }
    let key = id::decode(kind, id).ok_or_else(not_one)?;
    Ok(match kind {
        id::CARD => card::one(ctx, key).await?.map(Node::Card),
        id::STAFF => staff::member_of(ctx, PersonId(key)).await?.map(Node::Staff),
        id::RUN => run::one(ctx, key).await?.map(Node::Run),
        id::OPERATION => operation::one(ctx, key).await?.map(Node::Operation),
        id::HOLD => hold::one(ctx, key).await?.map(Node::Hold),
        id::MESSAGE => message::one(ctx, key).await?.map(Node::Message),
        id::ISSUE => issue::one(ctx, key).await?.map(Node::Issue),
        id::GRANT => grant::one(ctx, key).await?.map(Node::Grant),
        id::SERVICE => service_account::one(ctx, key).await?.map(Node::Service),
        id::AUDIT => audit::one(ctx, key).await?.map(Node::Audit),
        id::WEBHOOK => webhook::one(ctx, key).await?.map(Node::Webhook),
        id::SUBMISSION => submission::one(ctx, key).await?.map(Node::Submission),
        // Why: a challenge is shown once, to whoever began it.
        challenge::CHALLENGE => None,
        _ => return Err(not_one()),
    })
}
