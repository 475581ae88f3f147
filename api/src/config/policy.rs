//! The settings as the rules of the domain want them.
use super::{Config, FirstRun, HrSource};
use kimlik_domain::account::{NamePolicy, PlacementRule, When};
use kimlik_domain::lifecycle::Policy;
use kimlik_domain::lifecycle::limits::{Budget, Limits};
use kimlik_domain::message::Templates;
use kimlik_domain::staff::feed::Field;
use kimlik_domain::staff::{Effect, Reasons};
use std::collections::HashMap;
use std::sync::Arc;

/// `exchange`: what the directory has said of its schema. Of a checked configuration nothing is lost here.
pub fn policy_of(config: &Config, exchange: bool) -> Policy {
    let ad = &config.directory.active_directory;
    Policy {
        reasons: reasons_of(config),
        names: names_of(config),
        base: config.directory.base(),
        closed_ou: config.directory.closed_ou(),
        default_ou: config.directory.default_ou(),
        placement: placement_of(config),
        groups: config.groups.clone(),
        mode: ad.mode,
        unit_modes: config.directory.modes.iter().map(|m| (m.unit, m.mode)).collect(),
        limits: limits_of(config),
        adoption_held: ad.first_run == FirstRun::Hold,
        correlation: ad.correlation_attribute.is_some(),
        exchange,
        mapping: config.card.mapping().unwrap_or_default(),
        photos: config.card.photos.is_some(),
        mailboxes: config.exchange.mailboxes(),
        mailbox_retention_days: config.exchange.mailbox_retention_days,
        upn_suffix: config.directory.upn_suffix().to_owned(),
        family_name_in_capitals: config.names.family_name_in_capitals,
        texts: texts_of(config),
    }
}

/// Which names people get.
pub fn names_of(config: &Config) -> NamePolicy {
    let names = config.names.clone();
    NamePolicy {
        username: names.username,
        mail_domain: names.mail_domain,
        never: names.never,
        rename_username: names.rename_username,
        keep_aliases_days: names.keep_aliases_days,
    }
}

/// What messages say: the texts built in, and the operator's over them (faults were named by the check).
pub fn texts_of(config: &Config) -> Arc<Templates> {
    let mut texts = Templates::new(&config.server.public_url, config.sms.language);
    texts.activation_hours = config.password.activation_hours;
    for (purpose, language, text) in config.sms.texts() {
        // Why ignore: of a checked configuration none fails.
        texts.set(purpose, language, text).ok();
    }
    super::mail::write_letters(config, &mut texts);
    Arc::new(texts)
}

fn limits_of(config: &Config) -> Limits {
    let mut limits = config.limits.limits();
    if config.hr.source == HrSource::Simulated {
        // Why: an invented ministry opens all its accounts on its first day, and nobody is there to approve that.
        // What updates, closes, moves and renames is limited as everywhere.
        limits.everywhere.remove(&Budget::Open);
        limits.per_province.remove(&Budget::Open);
    }
    limits
}

pub fn reasons_of(config: &Config) -> Reasons {
    Reasons::with(config.hr.reasons.iter().filter_map(|(code, effect)| Some((code.clone(), Effect::parse(effect)?))))
}

pub fn placement_of(config: &Config) -> Vec<PlacementRule> {
    config.placement.rules.iter().map(placement).collect()
}

/// Column of the feed -> field.
pub fn field_names(config: &Config) -> HashMap<String, Field> {
    config.hr.fields.iter().filter_map(|(column, field)| Some((column.clone(), Field::parse(field)?))).collect()
}

fn placement(rule: &super::Rule) -> PlacementRule {
    PlacementRule { when: When { kind: rule.kind, unit: rule.unit, province: rule.province }, ou: rule.ou.clone() }
}
