//! PLACEHOLDER
#![allow(dead_code, unused, clippy::all)]
use kimlik_domain::ports::*;
use async_trait::async_trait;
use kimlik_domain::account::*; use kimlik_domain::id::*; use kimlik_domain::lifecycle::hold::*; use kimlik_domain::lifecycle::limits::*;
use kimlik_domain::lifecycle::run::*; use kimlik_domain::message::Message; use kimlik_domain::staff::feed::Delivery;
use kimlik_domain::staff::intake::*; use kimlik_domain::staff::*; use kimlik_domain::audit::AuditEvent; use kimlik_domain::lifecycle::Policy;
use chrono::{DateTime, Utc}; use std::collections::{HashMap, HashSet}; use std::sync::Arc; use zeroize::Zeroizing;

use kimlik_domain::staff::feed::Field;
pub struct RestSettings { pub base_url: String, pub token: Option<Zeroizing<String>>, pub ca_pem: Option<Vec<u8>>, pub field_names: HashMap<String, Field> }
pub struct RestFeed;
impl RestFeed { pub fn new(s: RestSettings) -> Result<RestFeed, String> { Ok(RestFeed) } }
#[async_trait]
impl HrFeed for RestFeed {
    fn name(&self) -> &str { "placeholder" }
    async fn poll(&self, position: Option<&str>) -> PortResult<Option<Delivery>> { Err(PortError::Unavailable("not built yet".into())) }
    async fn taken(&self, delivery: &Delivery, report: &FeedReport) -> PortResult<()> { Ok(()) }
}

#[async_trait]
impl Inspect for RestFeed { async fn inspect(&self) -> Vec<Finding> { Vec::new() } }
