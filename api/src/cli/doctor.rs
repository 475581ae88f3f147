//! `kimlik doctor`: looks at settings and neighbours, says of each what was found and what to do. Changes nothing.
use super::{COULD_NOT, say};
use crate::config::{Config, secrets};
use crate::wiring;
use clap::Args;
use kimlik_domain::health::{Finding, Health, Kind, Subject};
use kimlik_domain::message::Language;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Args)]
pub struct Doctor {
    /// Prints the commands that give Kimlik's account in Active Directory exactly the rights that it needs.
    #[arg(long)]
    print_delegation: bool,
    /// The account that is to get the rights; directory.active_directory.bind_dn where nothing is said.
    #[arg(long, requires = "print_delegation", value_name = "ACCOUNT")]
    account: Option<String>,
    /// The Exchange schema extension is (or will be) there: its attributes are among the rights.
    #[arg(long, requires = "print_delegation")]
    exchange: bool,
}

impl Doctor {
    pub async fn look(self, config: Arc<Config>, language: Language) -> anyhow::Result<u8> {
        if self.print_delegation {
            if config.directory.is_embedded() {
                anyhow::bail!(
                    "setting directory.kind\n  found: embedded\n  to do: set it to \"active_directory\"; the embedded directory needs no rights"
                );
            }
            let account = self.account.unwrap_or_else(|| config.directory.active_directory.bind_dn.clone());
            say(wiring::delegation(&config, &account, self.exchange)?.trim_end());
            return Ok(0);
        }
        let mut findings = own(&config);
        findings.extend(wiring::inspect(&config).await);
        findings.iter().for_each(|finding| print(finding, language));
        let worst = findings.iter().map(Finding::health).max().unwrap_or(Health::Good);
        say(verdict(worst, language));
        Ok(if worst == Health::Broken { COULD_NOT } else { 0 })
    }
}

fn own(config: &Config) -> Vec<Finding> {
    let exposed = |(setting, path): (&str, PathBuf)| Finding::new(Subject::Setting, setting, Kind::SecretExposed, &[&path.display()]);
    let usable = Finding::new(Subject::Settings, "", Kind::SettingsUsable, &[]);
    std::iter::once(usable).chain(secrets::exposed(config).into_iter().map(exposed)).collect()
}

fn verdict(worst: Health, language: Language) -> &'static str {
    match (worst, language) {
        (Health::Good, Language::En) => "All is well.",
        (Health::Good, Language::Tr) => "Her şey yolunda.",
        (Health::Doubtful, Language::En) => "It works; somebody should look at what is marked with !.",
        (Health::Doubtful, Language::Tr) => "Çalışıyor; ! ile işaretlenenlere bakılmalı.",
        (Health::Broken, Language::En) => "It does not work; mend what is marked with x.",
        (Health::Broken, Language::Tr) => "Çalışmıyor; x ile işaretlenenleri düzeltin.",
    }
}

fn print(finding: &Finding, language: Language) {
    let mark = match finding.health() {
        Health::Good => "+",
        Health::Doubtful => "!",
        Health::Broken => "x",
    };
    say(&format!("{mark} {}: {}", finding.about(language), finding.found(language)));
    let mend = finding.mend(language);
    if !mend.is_empty() {
        let to_do = match language {
            Language::En => "to do",
            Language::Tr => "yapılacak",
        };
        say(&format!("    {to_do}: {mend}"));
    }
}
