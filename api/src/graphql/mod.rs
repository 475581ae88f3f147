//! The schema: newtypes over the domain, one file a noun. Says what the domain knows in the ministry's words; decides nothing.
pub mod account;
pub mod account_state;
pub mod adoption;
pub mod audit;
pub mod card;
pub mod challenge;
pub mod change;
pub mod credentials;
pub mod drift;
pub mod error;
mod fault_words;
pub mod grant;
pub mod health;
pub mod hold;
pub mod id;
pub mod issue;
pub mod issue_decide;
pub mod issue_kind;
pub mod language;
pub mod mailbox;
pub mod message;
pub mod node;
pub mod officer;
pub mod operation;
pub mod order;
pub mod page;
pub mod password;
pub mod password_policy;
pub mod phone;
pub mod pin;
pub mod plan;
pub mod plan_of_many;
pub mod progress;
pub mod provenance;
pub mod reading;
pub mod rename;
pub mod run;
pub mod scalar;
pub mod service_account;
pub mod session;
pub mod staff;
pub mod staff_list;
pub mod submission;
pub mod sync;
pub mod ticket;
pub mod unit;
pub mod viewer;
pub mod wait;
pub mod webhook;
pub mod window;

use crate::http::auth::ClientAddress;
use crate::language::Language;
use crate::wiring::House;
use async_graphql::{Context, MergedObject, MergedSubscription, Request, Response, Schema};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kimlik_domain::access::{About, Caller, Deed, may};
use kimlik_domain::day;
use kimlik_domain::id::PersonId;
use kimlik_domain::ports::PeopleBy;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

/// Questions.
#[derive(MergedObject, Default)]
pub struct Query(
    card::CardQuery,
    unit::UnitQuery,
    change::ChangeQuery,
    staff::StaffQuery,
    run::RunQuery,
    hold::HoldQuery,
    message::MessageQuery,
    issue::IssueQuery,
    health::HealthQuery,
    drift::DriftQuery,
    viewer::ViewerQuery,
    grant::GrantQuery,
    service_account::ServiceQuery,
    audit::AuditQuery,
    password_policy::PasswordPolicyQuery,
    webhook::WebhookQuery,
    submission::SubmissionQuery,
    rename::RenameQuery,
    node::NodeQuery,
    operation::OperationQuery,
    sync::PlanQuery,
);

/// Deeds. Each has one input and one payload; what the caller can mend comes back as userErrors.
#[derive(MergedObject, Default)]
pub struct Mutation(
    session::SessionMutation,
    ticket::TicketMutation,
    challenge::ChallengeMutation,
    officer::OfficerMutation,
    pin::PinMutation,
    password::PasswordMutation,
    password_policy::PasswordPolicyMutation,
    phone::PhoneMutation,
    language::LanguageMutation,
    grant::GrantMutation,
    service_account::ServiceMutation,
    hold::HoldMutation,
    webhook::WebhookMutation,
    submission::SubmissionMutation,
    account::AccountMutation,
    credentials::CredentialsMutation,
    rename::RenameMutation,
    adoption::AdoptionMutation,
    issue_decide::IssueMutation,
    sync::SyncMutation,
    operation::OperationMutation,
);

/// What is told as it happens, over a WebSocket or as server-sent events. Ends with the caller's session.
#[derive(MergedSubscription, Default)]
pub struct Subscription(progress::RunSubscription, change::ChangeSubscription);

type Answering = Schema<Query, Mutation, Subscription>;

/// The schema, as those see it who may look into it; and as strangers do, who are neither told of it nor helped to guess.
#[derive(Clone)]
pub struct Graph {
    known: Answering,
    strange: Answering,
}

impl Graph {
    fn to(&self, caller: &Caller) -> &Answering {
        if may(caller, Deed::Introspect, About::Everything) { &self.known } else { &self.strange }
    }
}

// Why these figures: GraphiQL's own introspection is 14 deep; a page of 100 cards with managers and units counts about 4,000.
const DEPTH: usize = 20;
const COMPLEXITY: usize = 20_000;
const ALIASES: usize = 30;
const DIRECTIVES: usize = 30;

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    let builder = Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .limit_depth(DEPTH)
        .limit_complexity(COMPLEXITY)
        .limit_aliases(ALIASES)
        .limit_directives(DIRECTIVES);
    // Why here: the library's own generic types of a page have no description of their own.
    macro_rules! pages {
        ($builder:expr, $($node:ty),*) => {
            $builder$(
                .override_output_type_description::<page::Page<$node>>("One page of a list.")
                .override_output_type_description::<page::PageEdge<$node>>("One item of a page, with its place in the list.")
            )*
        };
    }
    let builder = builder
        .override_output_type_description::<window::Counted<card::IdentityCard>>("One page of cards.")
        .override_output_type_description::<page::PageEdge<card::IdentityCard>>("One card of a page, with its place in the list.")
        .override_output_type_description::<window::Counted<unit::Unit>>("One page of units.")
        .override_output_type_description::<page::PageEdge<unit::Unit>>("One unit of a page, with its place in the list.")
        .override_output_type_description::<window::Counted<staff::StaffMember>>("One page of records.")
        .override_output_type_description::<page::PageEdge<staff::StaffMember>>("One record of a page, with its place in the list.");
    pages!(
        builder,
        change::IdentityCardChange,
        run::SyncRun,
        operation::Operation,
        hold::Hold,
        hold::HoldItem,
        message::Message,
        issue::DataIssue,
        grant::RoleGrant,
        service_account::ServiceAccount,
        audit::AuditEvent,
        webhook::Webhook,
        plan::PlannedChange,
        drift::CardDrift
    )
}

pub fn schema(house: Arc<House>) -> Graph {
    Graph {
        known: builder().data(house.clone()).finish(),
        strange: builder().data(house).disable_introspection().disable_suggestions().finish(),
    }
}

/// Answers one request for one caller: whoever brings a request in over HTTP or a WebSocket calls this and not the graph.
/// Readings of personal fields are recorded before the answer leaves.
pub async fn answer(graph: &Graph, house: &House, request: Request, caller: Arc<Caller>, address: ClientAddress) -> Response {
    let readings = Arc::new(reading::Readings::default());
    let actor = caller.actor();
    let response = graph
        .to(&caller)
        .execute(request.data(caller.clone()).data(address).data(readings.clone()).data(Arc::new(provenance::Truths::default())))
        .await;
    let response = recorded(response, house, &readings, &actor).await;
    house.counters.answered(response.is_err());
    response
}

/// Like [`answer`], for what has more than one answer.
pub fn follow(
    graph: &Graph,
    house: &Arc<House>,
    request: Request,
    caller: Arc<Caller>,
    address: ClientAddress,
) -> BoxStream<'static, Response> {
    let (readings, actor): (_, Arc<str>) = (Arc::new(reading::Readings::default()), caller.actor().into());
    let results = graph.to(&caller).execute_stream(request.data(caller.clone()).data(address).data(readings.clone()));
    let house = house.clone();
    let recorded = move |response| {
        let (house, readings, actor) = (house.clone(), readings.clone(), actor.clone());
        async move { recorded(response, &house, &readings, &actor).await }
    };
    results.then(recorded).boxed()
}

async fn recorded(response: Response, house: &House, readings: &reading::Readings, actor: &str) -> Response {
    match readings.record(house, actor).await {
        Ok(()) => response,
        Err(fault) => {
            let id = error::fault_id(house);
            tracing::error!(%fault, fault_id = id, "an answer is held back: the reading of personal fields cannot be recorded");
            let mut error = async_graphql::ServerError::new(error::AWAY, None);
            let extensions = error.extensions.get_or_insert_default();
            extensions.set("code", "FAULT");
            extensions.set("fault", id);
            Response::from_errors(vec![error])
        }
    }
}

/// The contract, as it is committed in api/schema.graphql.
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    builder().finish().sdl_with_options(options)
}

/// Who asks: put into the request's data by whatever the request came over. Nobody, where nothing was put there.
pub fn caller<'a>(ctx: &Context<'a>) -> &'a Caller {
    static NOBODY: LazyLock<Caller> = LazyLock::new(Caller::nobody);
    ctx.data_opt::<Arc<Caller>>().map_or(&*NOBODY, AsRef::as_ref)
}

/// The same, to be kept beyond a call.
pub fn caller_of(ctx: &Context<'_>) -> Arc<Caller> {
    ctx.data_opt::<Arc<Caller>>().cloned().unwrap_or_else(|| Arc::new(Caller::nobody()))
}

/// The one question that guards ask; the answer to no is null, as if there were nothing.
pub fn allows(ctx: &Context<'_>, deed: Deed, about: About) -> bool {
    may(caller(ctx), deed, about)
}

/// Of `people`, those whom `deed` may be about: for lists of which a caller may see some.
async fn permitted(ctx: &Context<'_>, deed: Deed, people: impl IntoIterator<Item = PersonId>) -> async_graphql::Result<HashSet<PersonId>> {
    let people: Vec<PersonId> = people.into_iter().collect::<HashSet<_>>().into_iter().collect();
    let house = house(ctx)?;
    let today = day::today(house.clock.now());
    let found = house.store.people(PeopleBy::Ids(&people)).await.map_err(|e| error::fault(ctx, &e))?;
    Ok(found.iter().filter(|r| allows(ctx, deed, About::person(&r.person, today))).map(|r| r.person.id).collect())
}

/// Whether `deed` may be about `person`: for one thing of theirs, found by its own id.
async fn permits(ctx: &Context<'_>, deed: Deed, person: PersonId) -> async_graphql::Result<bool> {
    Ok(allows(ctx, deed, About::Everything) || permitted(ctx, deed, [person]).await?.contains(&person))
}

/// What the caller reads.
fn language(ctx: &Context<'_>) -> Language {
    ctx.data_opt::<Language>().copied().unwrap_or_default()
}

/// A text of a plan, a reason or a receipt, as the caller reads it.
fn said(ctx: &Context<'_>, text: &str) -> String {
    kimlik_domain::lifecycle::words::said(text, language(ctx).into())
}

fn house<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a Arc<House>> {
    ctx.data::<Arc<House>>()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_contract_is_the_code_s() {
        let committed = include_str!("../../schema.graphql");
        assert!(committed == super::sdl(), "api/schema.graphql is not what the code says: kimlik schema > api/schema.graphql");
    }

    #[test]
    fn everything_in_the_contract_is_described() {
        let sdl = super::sdl();
        let mut described = false;
        let mut naked = Vec::new();
        let mut inside = false;
        for line in sdl.lines().map(str::trim) {
            match line {
                "\"\"\"" => {
                    inside = !inside;
                    described = true;
                }
                _ if inside
                    || line.is_empty()
                    || line == "}"
                    || line.starts_with(')')
                    || line.starts_with("schema")
                    || line.starts_with("directive") => {}
                "query: Query" | "mutation: Mutation" | "subscription: Subscription" => {}
                _ if line.starts_with("\"\"\"") => described = true,
                _ => {
                    if !described {
                        naked.push(line.to_owned());
                    }
                    described = false;
                }
            }
        }
        assert!(naked.is_empty(), "without a description: {naked:#?}");
    }
}
