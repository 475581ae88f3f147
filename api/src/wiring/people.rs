//! What people do for themselves: signing in, passwords, phones; and who vouches for them.
use super::NotWired;
use crate::config;
use crate::config::{Config, Fault, Faults, secrets};
use chrono::TimeDelta;
use kimlik_adapters::store::SqlStore;
use kimlik_adapters::system::OsEntropy;
use kimlik_adapters::token::{Foreign, ForeignClaim, ForeignSettings, OwnTokens, Strength};
use kimlik_domain::access::door::{Door, Memory};
use kimlik_domain::password::Desk;
use kimlik_domain::phone::desk::PhoneDesk;
use kimlik_domain::ports::{Clock, ForeignIssuer, Passwords, SignIn};
use std::sync::Arc;

/// The door to `store`: sessions, roles, services, tokens of our own and of the configured issuer.
pub(super) fn door(config: &Config, store: &Arc<SqlStore>, directory: Arc<dyn SignIn>, clock: &Arc<dyn Clock>) -> Result<Door, NotWired> {
    let keys = secrets::keys(config, &OsEntropy)?;
    let tokens = OwnTokens::new(&keys.encryption, &config.server.public_url, config.sessions.epoch);
    let mend = "this machine's cryptography does not work as it should; say so to whoever built Kimlik";
    let tokens = tokens.map_err(|fault| NotWired::Neighbour { what: "access tokens", fault, mend })?;
    Ok(Door {
        sessions: store.clone(),
        grants: store.clone(),
        services: store.clone(),
        audit: store.clone(),
        store: store.clone(),
        texts: config::policy::texts_of(config),
        directory,
        tokens: Arc::new(tokens),
        foreign: foreign_issuer(config)?,
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: config.session_rules(),
        groups: config.role_groups(),
        from_address: config.sessions.failures_per_address,
        in_all: config.sessions.failures_in_all,
        memory: Memory::default(),
    })
}

/// The desk of parola; what a stranger knows of the ministry makes no good password.
pub(super) fn desk(config: &Config, store: &Arc<SqlStore>, passwords: Arc<dyn Passwords>, door: Arc<Door>) -> Desk {
    let suffix = config.directory.upn_suffix();
    let words = suffix.split('.').filter(|w| w.len() > 2).map(str::to_owned).collect();
    let rules = config.password.rules(words);
    let (clock, entropy) = (door.clock.clone(), door.entropy.clone());
    let texts = door.texts.clone();
    Desk {
        tickets: store.clone(),
        challenges: store.clone(),
        pins: store.clone(),
        outbox: store.clone(),
        texts,
        passwords,
        store: store.clone(),
        door,
        clock,
        entropy,
        rules,
    }
}

pub(super) fn phone_desk(config: &Config, store: &Arc<SqlStore>, door: &Arc<Door>, clock: &Arc<dyn Clock>) -> PhoneDesk {
    PhoneDesk {
        book: store.clone(),
        tickets: store.clone(),
        store: store.clone(),
        door: door.clone(),
        texts: config::policy::texts_of(config),
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        rules: config.phones.rules(),
    }
}

fn foreign_issuer(config: &Config) -> Result<Option<Arc<dyn ForeignIssuer>>, Faults> {
    let oidc = &config.oidc;
    if oidc.issuer.is_empty() {
        return Ok(None);
    }
    let one = |setting: String, found: String, mend: &str| Faults(vec![Fault::new(setting, found, mend)]);
    let named = !oidc.ca_file.as_os_str().is_empty();
    let ca_pem = named.then(|| std::fs::read(&oidc.ca_file)).transpose().map_err(|e| {
        let found = format!("{}: {}", oidc.ca_file.display(), config::check::plain(&e));
        one("oidc.ca_file".into(), found, "name a file that can be read")
    })?;
    let names = match oidc.names {
        config::OidcName::Username => ForeignClaim::Username,
        config::OidcName::RegistryNo => ForeignClaim::RegistryNo,
        config::OidcName::Email => ForeignClaim::Email,
    };
    let issuer = Foreign::new(ForeignSettings {
        issuer: oidc.issuer.clone(),
        audience: oidc.audience.clone(),
        jwks_url: oidc.jwks_url.clone(),
        algorithms: oidc.algorithms.clone(),
        claim: oidc.claim.clone(),
        names,
        strength: Strength {
            acr: oidc.acr.clone(),
            amr: oidc.amr.clone(),
            max_age: (oidc.max_age_minutes > 0).then(|| TimeDelta::minutes(oidc.max_age_minutes.into())),
        },
        ca_pem,
    });
    let issuer = issuer.map_err(|e| one(format!("oidc.{}", e.setting), e.fault, "mend the setting"))?;
    Ok(Some(Arc::new(issuer)))
}
