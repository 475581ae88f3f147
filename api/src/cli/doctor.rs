//! `kimlik doctor`: looks at settings and neighbours, says of each what was found and what to do. Changes nothing.
use super::{COULD_NOT, say};
use crate::config::{Config, secrets};
use crate::wiring;
use clap::Args;
use kimlik_domain::ports::{Finding, Health};
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
    pub async fn look(self, config: Arc<Config>) -> anyhow::Result<u8> {
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
        findings.iter().for_each(print);
        let worst = findings.iter().map(|f| f.health).max().unwrap_or(Health::Good);
        say(match worst {
            Health::Good => "All is well.",
            Health::Doubtful => "It works; somebody should look at what is marked with !.",
            Health::Broken => "It does not work; mend what is marked with x.",
        });
        Ok(if worst == Health::Broken { COULD_NOT } else { 0 })
    }
}

fn own(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding { health: Health::Good, about: "settings".into(), found: "can be used".into(), mend: String::new() }];
    findings.extend(secrets::exposed(config).into_iter().map(|fault| Finding {
        health: Health::Doubtful,
        about: format!("setting {}", fault.setting),
        found: fault.found,
        mend: fault.mend,
    }));
    findings
}

fn print(finding: &Finding) {
    let mark = match finding.health {
        Health::Good => "+",
        Health::Doubtful => "!",
        Health::Broken => "x",
    };
    say(&format!("{mark} {}: {}", finding.about, finding.found));
    if !finding.mend.is_empty() {
        say(&format!("    to do: {}", finding.mend));
    }
}
