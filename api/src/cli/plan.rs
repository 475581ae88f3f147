//! `kimlik plan`: what would be done, without doing it.
use super::{Selection, day, say, told};
use crate::deeds;
use crate::wiring::House;
use clap::Args;
use kimlik_domain::day::Day;

#[derive(Args)]
pub struct Plan {
    #[command(flatten)]
    selection: Selection,
    /// As it would be on this day, if HR says nothing new until then.
    #[arg(long, value_name = "DAY", value_parser = day)]
    as_of: Option<Day>,
    /// For programs; the form is in docs/operators/commands.md and stays.
    #[arg(long)]
    json: bool,
}

impl Plan {
    pub async fn print(self, house: &House) -> anyhow::Result<u8> {
        let whom = deeds::whom(house, &self.selection.person, self.selection.unit).await.map_err(told)?;
        let plan = house.reconciler().await.map_err(told)?.plan(&whom, self.as_of).await.map_err(told)?;
        if self.json {
            say(&serde_json::to_string_pretty(&plan.to_json())?);
        } else {
            say(plan.text().trim_end());
            if plan.looked_at == 0 {
                say("Nobody is known yet: kimlik intake takes in what HR has delivered, and touches no account.");
            }
        }
        Ok(0)
    }
}
