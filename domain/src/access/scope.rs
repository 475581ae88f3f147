//! Scopes: what a service account may be made for. As few as a service needs, and none that reads everything.
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Cards and units, as every colleague sees them.
    #[serde(rename = "cards:read")]
    CardsRead,
    /// Staff records, with account states.
    #[serde(rename = "staff:read")]
    StaffRead,
    /// HR records handed in.
    #[serde(rename = "staff:write")]
    StaffWrite,
    #[serde(rename = "accounts:suspend")]
    AccountsSuspend,
    #[serde(rename = "accounts:rename")]
    AccountsRename,
    #[serde(rename = "credentials:resend")]
    CredentialsResend,
    /// Runs, operations and their progress.
    #[serde(rename = "runs:read")]
    RunsRead,
    #[serde(rename = "webhooks:manage")]
    WebhooksManage,
    /// How the connected systems are: monitoring.
    #[serde(rename = "health:read")]
    HealthRead,
    /// Runs begun.
    #[serde(rename = "runs:start")]
    RunsStart,
}

impl Scope {
    pub const ALL: [Scope; 10] = [
        Scope::CardsRead,
        Scope::StaffRead,
        Scope::StaffWrite,
        Scope::AccountsSuspend,
        Scope::AccountsRename,
        Scope::CredentialsResend,
        Scope::RunsRead,
        Scope::WebhooksManage,
        Scope::HealthRead,
        Scope::RunsStart,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Scope::CardsRead => "cards:read",
            Scope::StaffRead => "staff:read",
            Scope::StaffWrite => "staff:write",
            Scope::AccountsSuspend => "accounts:suspend",
            Scope::AccountsRename => "accounts:rename",
            Scope::CredentialsResend => "credentials:resend",
            Scope::RunsRead => "runs:read",
            Scope::WebhooksManage => "webhooks:manage",
            Scope::HealthRead => "health:read",
            Scope::RunsStart => "runs:start",
        }
    }
    pub fn parse(text: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
