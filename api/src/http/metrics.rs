//! /metrics in Prometheus' text format, on a listener of its own: for whoever watches over Kimlik. Gauges are read from the store
//! when they are asked for, so every replica tells the same of them; counters are this process's. Numbers only: nobody is named.
use crate::wiring::House;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use kimlik_domain::card::drift::DriftReason;
use kimlik_domain::message::Channel;
use kimlik_domain::ports::{OutboxState, PortResult};
use kimlik_domain::staff::IssueKind;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longer than that no scrape waits for the store.
const PATIENCE: Duration = Duration::from_secs(5);

/// What this process counts by itself.
#[derive(Default)]
pub struct Counters {
    /// Answers of the graph.
    pub answers: AtomicU64,
    /// Of those, answers with an error at the top.
    pub errors: AtomicU64,
    /// Failures of ours or of a neighbour's that a caller was told of by an id.
    pub faults: AtomicU64,
}

impl Counters {
    pub fn answered(&self, is_error: bool) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(is_error), Ordering::Relaxed);
    }
}

pub fn router(house: Arc<House>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(house)
}

async fn metrics(State(house): State<Arc<House>>) -> Response {
    let mut page = Page::default();
    page.own(&house);
    let up = match tokio::time::timeout(PATIENCE, page.store(&house)).await {
        Ok(Ok(())) => true,
        Ok(Err(fault)) => {
            tracing::debug!(%fault, "metrics without the store's figures");
            false
        }
        Err(_) => false,
    };
    page.gauge("kimlik_store_up", "1: the database answered this scrape; 0: its figures are missing.", u8::from(up));
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.0).into_response()
}

/// Lines of the format. Names and labels are our own constants: nothing has to be escaped.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Why ignored: writing into a text does not fail.
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").ok();
    }
    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        writeln!(self.0, "{name}{labels} {value}").ok();
    }
    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, help, "gauge");
        self.line(name, "", value);
    }
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        self.line(name, "", value);
    }
    /// How long ago; nothing where it never was.
    fn age(&mut self, name: &str, help: &str, since: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        if let Some(since) = since {
            self.gauge(name, help, seconds(now, since));
        }
    }

    fn own(&mut self, house: &House) {
        let counters = &house.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let started = house.started_at.timestamp_millis() as f64 / 1_000.0;
        self.head("kimlik_build_info", "The version that runs.", "gauge");
        self.line("kimlik_build_info", concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1);
        self.gauge("process_start_time_seconds", "When this process started, in seconds since 1970.", started);
        self.counter("kimlik_graphql_answers_total", "Answers of the graph by this process.", read(&counters.answers));
        self.counter("kimlik_graphql_errors_total", "Of those, answers with an error at the top.", read(&counters.errors));
        self.counter("kimlik_faults_total", "Failures that a caller was told of by an id, by this process.", read(&counters.faults));
    }

    async fn store(&mut self, house: &House) -> PortResult<()> {
        let now = house.clock.now();
        let cards = house.card_truth.count_cards().await?;
        let figures = house.watch.figures(now).await?;
        let mut outbox = Vec::new();
        for courier in std::iter::once(&house.courier).chain(&house.postman) {
            let channel = if courier.channel == Channel::Mail { "{channel=\"mail\"}" } else { "{channel=\"sms\"}" };
            outbox.push((channel, courier.outbox.outbox_state(courier.channel, now).await?));
        }
        if let Some(share) = cards.right_share() {
            self.gauge(
                "kimlik_cards_right_ratio",
                "Cards that the directory shows as they should be, of all.",
                f64::from(share) / 10_000.0,
            );
        }
        self.gauge("kimlik_cards", "Cards that the directory shows.", cards.total);
        self.head("kimlik_cards_wrong", "Cards that the directory shows otherwise than they should be, by the reason.", "gauge");
        for reason in DriftReason::ALL {
            let count = cards.by_reason.get(reason).copied().unwrap_or(0);
            self.line("kimlik_cards_wrong", &format!("{{reason=\"{}\"}}", reason.name()), count);
        }
        self.head("kimlik_open_issues", "Open data issues, by their kind.", "gauge");
        for kind in IssueKind::ALL {
            let count = figures.open_issues.get(kind).copied().unwrap_or(0);
            self.line("kimlik_open_issues", &format!("{{kind=\"{}\"}}", kind.name()), count);
        }
        self.gauge("kimlik_holds_open", "Holds that wait for a decision.", figures.holds);
        self.gauge("kimlik_held_people", "People whose changes wait in them.", figures.held_people);
        let mut told = |name: &str, help: &str, value: &dyn Fn(&OutboxState) -> f64| {
            self.head(name, help, "gauge");
            outbox.iter().for_each(|(channel, state)| self.line(name, channel, value(state)));
        };
        told("kimlik_outbox_waiting", "Messages that wait to be sent.", &|state| state.waiting.into());
        told("kimlik_outbox_sent_day", "Messages sent within a day.", &|state| state.sent_today.into());
        told("kimlik_outbox_failed_day", "Messages failed, undelivered or doubtful, within a day.", &|state| state.failed_today.into());
        let oldest = |state: &OutboxState| state.oldest.map_or(0.0, |since| seconds(now, since));
        told("kimlik_outbox_oldest_seconds", "How long the oldest waiting message has waited.", &oldest);
        self.gauge("kimlik_queue_due", "People who are to be looked at now.", figures.due);
        let lag = figures.due_since.map_or(0.0, |since| seconds(now, since));
        self.gauge("kimlik_queue_lag_seconds", "How long the first of them has been due.", lag);
        self.gauge("kimlik_hr_write_back_waiting", "Changes of phones that HR has not got yet.", figures.for_hr);
        let lag = figures.for_hr_since.map_or(0.0, |since| seconds(now, since));
        self.gauge("kimlik_hr_write_back_oldest_seconds", "How long the first of them has waited.", lag);
        let delivered = figures.deliveries.get(house.feed.name()).copied();
        self.age("kimlik_last_delivery_age_seconds", "Since the last delivery of the HR feed was taken in.", delivered, now);
        self.age("kimlik_last_run_age_seconds", "Since the last run that came to its end.", figures.last_run, now);
        self.age("kimlik_last_nightly_run_age_seconds", "Since the last look at everybody by schedule.", figures.last_nightly_run, now);
        Ok(())
    }
}

fn seconds(now: DateTime<Utc>, since: DateTime<Utc>) -> f64 {
    (now - since).num_milliseconds().max(0) as f64 / 1_000.0
}
