//! PLACEHOLDER
#![allow(dead_code, unused, clippy::all)]
use kimlik_domain::ports::*;
use async_trait::async_trait;
use kimlik_domain::account::*; use kimlik_domain::id::*; use kimlik_domain::lifecycle::hold::*; use kimlik_domain::lifecycle::limits::*;
use kimlik_domain::lifecycle::run::*; use kimlik_domain::message::Message; use kimlik_domain::staff::feed::Delivery;
use kimlik_domain::staff::intake::*; use kimlik_domain::staff::*; use kimlik_domain::audit::AuditEvent; use kimlik_domain::lifecycle::Policy;
use chrono::{DateTime, Utc}; use std::collections::{HashMap, HashSet}; use std::sync::Arc; use zeroize::Zeroizing;

pub struct SimulatedMinistry;
impl SimulatedMinistry {
    pub fn new(seed: u64, people: u32, events_per_step: u32, clock: Arc<dyn Clock>) -> SimulatedMinistry { SimulatedMinistry }
    pub fn narration(&self) -> Vec<String> { Vec::new() }
}
#[async_trait]
impl HrFeed for SimulatedMinistry {
    fn name(&self) -> &str { "placeholder" }
    async fn poll(&self, position: Option<&str>) -> PortResult<Option<Delivery>> { Err(PortError::Unavailable("not built yet".into())) }
    async fn taken(&self, delivery: &Delivery, report: &FeedReport) -> PortResult<()> { Ok(()) }
}

#[async_trait]
impl Inspect for SimulatedMinistry { async fn inspect(&self) -> Vec<Finding> { Vec::new() } }
