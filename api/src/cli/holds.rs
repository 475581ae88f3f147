//! `kimlik holds`: what waits for a decision, and the decision.
use super::{registry_no, say, told};
use crate::deeds;
use crate::wiring::House;
use clap::{Args, Subcommand};
use kimlik_domain::id::{HoldId, PersonId};
use kimlik_domain::lifecycle::hold::{Hold, HoldDecision, HoldItem};
use kimlik_domain::lifecycle::words::said;
use kimlik_domain::message::Language;
use kimlik_domain::staff::RegistryNo;
use uuid::Uuid;

#[derive(Args)]
pub struct Holds {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The open ones.
    List,
    /// One, with the plan of each person.
    Show {
        /// As `list` prints it; its beginning or end is enough.
        hold: String,
    },
    /// Carries it out: all of it, or the people named.
    Approve(Decided),
    /// Does not carry it out: all of it, or the people named.
    Reject(Decided),
}

#[derive(Args)]
struct Decided {
    /// As `list` prints it; its beginning or end is enough.
    hold: String,
    /// Only this person, by registry number (sicil no); may be given several times.
    #[arg(long, value_name = "REGISTRY_NO", value_parser = registry_no)]
    person: Vec<RegistryNo>,
    /// For whoever reads it later.
    #[arg(long)]
    note: Option<String>,
}

impl Holds {
    pub async fn carry_out(self, house: &House, language: Language) -> anyhow::Result<u8> {
        match self.what {
            What::List => list(house, language).await,
            What::Show { hold } => show(house, &hold, language).await,
            What::Approve(decided) => decide(house, decided, true, language).await,
            What::Reject(decided) => decide(house, decided, false, language).await,
        }
    }
}

async fn list(house: &House, language: Language) -> anyhow::Result<u8> {
    let holds = deeds::open_holds(house).await.map_err(told)?;
    if holds.is_empty() {
        say("Nothing is held.");
    }
    for hold in &holds {
        head(hold, language);
    }
    Ok(0)
}

async fn show(house: &House, name: &str, language: Language) -> anyhow::Result<u8> {
    let hold = named(house, name).await?;
    head(&hold, language);
    for item in items(house, hold.id).await? {
        let decided = match item.approved {
            Some(true) => "approved",
            Some(false) => "rejected",
            None => "undecided",
        };
        say(&format!("\n{} {} ({decided})", item.registry_no, item.kind.name()));
        say(said(item.text.trim_end(), language).as_str());
    }
    Ok(0)
}

async fn decide(house: &House, decided: Decided, approve: bool, language: Language) -> anyhow::Result<u8> {
    let hold = named(house, &decided.hold).await?;
    let people = if decided.person.is_empty() {
        None
    } else {
        let items = items(house, hold.id).await?;
        let find = |no: &RegistryNo| items.iter().find(|i| i.registry_no == *no).map(|i| i.person);
        let people: anyhow::Result<Vec<PersonId>> = decided
            .person
            .iter()
            .map(|no| find(no).ok_or_else(|| anyhow::anyhow!("{no} is not in this hold\n  to do: kimlik holds show {}", hold.id)))
            .collect();
        Some(people?)
    };
    // Why the digest: what was printed a minute ago may have become something else since.
    let digest = Some(hold.digest.clone());
    let decision = HoldDecision { approve, digest, people, by: format!("cli:{}", who()), note: decided.note };
    let hold = deeds::decide_hold(house, hold.id, &decision).await.map_err(told)?;
    head(&hold, language);
    if approve {
        say("approved; it is carried out by the running Kimlik at once, or by the next `kimlik sync`");
    } else {
        say("rejected; it is not carried out");
    }
    Ok(0)
}

fn head(hold: &Hold, language: Language) {
    let place = hold.scope.map_or("the whole ministry", |p| p.name());
    say(&format!(
        "{}  {} in {place}: {} people, since {}",
        hold.id,
        hold.budget.name(),
        hold.people,
        hold.created_at.format("%Y-%m-%d %H:%M UTC")
    ));
    for reason in &hold.reasons {
        say(&format!("    {}", said(reason, language)));
    }
}

async fn items(house: &House, hold: HoldId) -> anyhow::Result<Vec<HoldItem>> {
    let mut all: Vec<HoldItem> = Vec::new();
    loop {
        let page = house.store.hold_items(hold, all.last().map(|i| i.person), 500).await.map_err(told)?;
        let is_last = page.len() < 500;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// By its whole id or, among the open ones, by a beginning or end that fits one only.
async fn named(house: &House, name: &str) -> anyhow::Result<Hold> {
    if let Ok(id) = Uuid::try_parse(name) {
        return deeds::hold(house, HoldId(id)).await.map_err(told);
    }
    let open = deeds::open_holds(house).await.map_err(told)?;
    let mut fitting = open.into_iter().filter(|h| {
        let id = h.id.to_string();
        name.len() >= 4 && (id.starts_with(name) || id.ends_with(name))
    });
    match (fitting.next(), fitting.next()) {
        (Some(hold), None) => Ok(hold),
        (Some(_), Some(_)) => {
            anyhow::bail!("several holds fit {name}\n  to do: write the whole id, as `kimlik holds list` prints it")
        }
        (None, _) => anyhow::bail!("no open hold fits {name}\n  to do: kimlik holds list"),
    }
}

/// Who types: for the record of the decision.
pub fn who() -> String {
    let asked = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    asked.filter(|name| !name.is_empty() && !name.contains(char::is_control)).unwrap_or_else(|| "unknown".into())
}
