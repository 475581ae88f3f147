//! `kimlik plan`: what would be done, without doing it.
use super::{Selection, day, say, told};
use crate::deeds;
use crate::wiring::House;
use crate::work::voice::write;
use clap::Args;
use kimlik_domain::day::Day;
use kimlik_domain::lifecycle::describe;
use kimlik_domain::lifecycle::preview::Preview;
use kimlik_domain::message::Language;

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
    pub async fn print(self, house: &House, language: Language) -> anyhow::Result<u8> {
        let whom = deeds::whom(house, &self.selection.person, self.selection.unit).await.map_err(told)?;
        let reconciler = house.reconciler().await.map_err(told)?;
        let preview = reconciler.preview(&whom, self.as_of).await.map_err(told)?;
        if self.json { json(preview).await } else { text(preview, language).await }
    }
}

/// Person by person, so that a plan of 100,000 openings is never in memory as a whole.
async fn text(mut preview: Preview<'_>, language: Language) -> anyhow::Result<u8> {
    while let Some(people) = preview.next().await.map_err(told)? {
        people.iter().for_each(|person| say(&describe::person_text(person, language)));
    }
    say(preview.overview.text(language).trim_end());
    if preview.overview.looked_at == 0 {
        say(match language {
            Language::En => "Nobody is known yet: kimlik intake takes in what HR has delivered, and touches no account.",
            Language::Tr => "Henüz kimse bilinmiyor: kimlik intake, İK'nın teslim ettiklerini alır ve hiçbir hesaba dokunmaz.",
        });
    }
    Ok(0)
}

/// One JSON object; its last member is the list of people.
async fn json(mut preview: Preview<'_>) -> anyhow::Result<u8> {
    let head = serde_json::to_string_pretty(&preview.overview.to_json())?;
    say(&format!("{},\n  \"people\": [", head.trim_end_matches(['}', '\n'])));
    let mut first = true;
    while let Some(people) = preview.next().await.map_err(told)? {
        for person in &people {
            let between = if std::mem::take(&mut first) { "" } else { ",\n" };
            let person = serde_json::to_string_pretty(&describe::person_json(person))?.replace('\n', "\n    ");
            write(&format!("{between}    {person}"));
        }
    }
    say(if first { "  ]\n}" } else { "\n  ]\n}" });
    Ok(0)
}
