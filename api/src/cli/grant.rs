//! `kimlik grant`: roles for a time, given at the server's own terminal. So the first administrator comes about where the
//! directory has no group for it: whoever can read the keys on this machine could do everything anyway.
use super::holds::who;
use super::{registry_no, say, told, unit_code};
use crate::deeds::{self, NotGranted, Wish};
use crate::wiring::House;
use chrono::TimeDelta;
use clap::{Args, Subcommand};
use kimlik_domain::access::Role;
use kimlik_domain::access::grant::Grant;
use kimlik_domain::id::GrantId;
use kimlik_domain::ports::PeopleBy;
use kimlik_domain::staff::{RegistryNo, UnitCode};
use uuid::Uuid;

#[derive(Args)]
pub struct Grants {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Everything.
    Administrator(Given),
    /// Reads, and changes nothing.
    Auditor(Given),
    /// Personnel officer of units and those below.
    Officer {
        #[command(flatten)]
        given: Given,
        /// By code (DETSİS); may be given several times.
        #[arg(long, value_name = "CODE", value_parser = unit_code, required = true)]
        unit: Vec<UnitCode>,
    },
    /// All grants, the latest first.
    List,
    /// Takes a grant back, at once.
    Revoke {
        /// As `kimlik grant list` prints it.
        id: Uuid,
    },
}

#[derive(Args)]
struct Given {
    /// By registry number (sicil no).
    #[arg(long, value_name = "REGISTRY_NO", value_parser = registry_no)]
    person: RegistryNo,
    /// For so many days, at most 366.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=366))]
    days: i64,
    /// For whoever reads it later.
    #[arg(long, default_value = "given at the server's terminal")]
    reason: String,
}

impl Grants {
    pub async fn carry_out(self, house: &House) -> anyhow::Result<u8> {
        match self.what {
            What::Administrator(given) => give(house, Role::Administrator, given, Vec::new()).await,
            What::Auditor(given) => give(house, Role::Auditor, given, Vec::new()).await,
            What::Officer { given, unit } => give(house, Role::PersonnelOfficer, given, unit).await,
            What::List => list(house).await,
            What::Revoke { id } => {
                let by = format!("cli:{}", who());
                let grant = house.door.grants.revoke_grant(GrantId(id), &by, house.clock.now()).await.map_err(told)?;
                say(&format!("taken back: {}", line(house, &grant).await?));
                Ok(0)
            }
        }
    }
}

async fn give(house: &House, role: Role, given: Given, units: Vec<UnitCode>) -> anyhow::Result<u8> {
    let record = deeds::person(house, &given.person).await.map_err(told)?;
    let until = house.clock.now() + TimeDelta::days(given.days);
    let wish = Wish { person: record.person.id, role, units, from: None, until, reason: given.reason };
    match deeds::grant(house, wish, &format!("cli:{}", who())).await.map_err(told)? {
        Ok(grant) => {
            say(&format!("given: {}", line(house, &grant).await?));
            say("It counts from now on, also in sessions that are open; the person signs in with the directory's password.");
            Ok(0)
        }
        Err(NotGranted::NoPerson) => anyhow::bail!("nobody has the registry number {}", given.person),
        Err(NotGranted::NoUnit(code)) => anyhow::bail!("there is no unit {code}"),
        Err(NotGranted::Faults(faults)) => {
            anyhow::bail!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
    }
}

async fn list(house: &House) -> anyhow::Result<u8> {
    let mut before = None;
    loop {
        let page = house.door.grants.grants(before, 100).await.map_err(told)?;
        if before.is_none() && page.is_empty() {
            say("Nobody was granted a role.");
        }
        for grant in &page {
            say(&line(house, grant).await?);
        }
        before = page.last().map(|g| g.id);
        if page.len() < 100 {
            return Ok(0);
        }
    }
}

async fn line(house: &House, grant: &Grant) -> anyhow::Result<String> {
    let found = house.store.people(PeopleBy::Ids(&[grant.person])).await.map_err(told)?;
    let whose = found.first().map_or_else(|| grant.person.to_string(), |r| format!("{} ({})", r.person.full_name(), r.person.registry_no));
    let day = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
    let stands = match grant.revoked_at {
        Some(at) => format!("taken back {}", day(at)),
        None if grant.is_in_force(house.clock.now()) => "in force".to_owned(),
        None => "not in force".to_owned(),
    };
    let units: Vec<String> = grant.units.iter().map(ToString::to_string).collect();
    let units = if units.is_empty() { String::new() } else { format!(" of {}", units.join(", ")) };
    Ok(format!(
        "{}  {whose}: {}{units}, {} to {}, {stands}; by {}: {}",
        grant.id,
        grant.role,
        day(grant.from),
        day(grant.until),
        grant.granted_by,
        grant.reason
    ))
}
