//! In which language somebody is told things: the one in which they last used a page of Kimlik as themselves; else the ministry's.
use crate::audit::AuditEvent;
use crate::ports::{Outbox, PersonRecord, PortResult};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    Tr,
    En,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::Tr, Language::En];
}

/// Keeps what somebody has chosen, who was recognised before: all messages to them are written in it from now on. Nothing is written
/// where it is so already. `actor`: as in the audit.
pub async fn choose(outbox: &dyn Outbox, record: &PersonRecord, language: Language, actor: &str, now: DateTime<Utc>) -> PortResult<()> {
    if record.language == Some(language) {
        return Ok(());
    }
    let event = AuditEvent {
        at: now,
        actor: actor.to_owned(),
        deed: "language.choose".into(),
        person: Some(record.person.id),
        because: "the person chose it".into(),
        detail: json!({ "from": record.language, "to": language }),
    };
    outbox.keep_language(record.person.id, language, &event).await
}
