//! Where HR is read and told.
use super::{Narration, NotWired};
use crate::config;
use crate::config::{Config, Fault, Faults, HrSource, secrets};
use kimlik_adapters::hr::csv::DropFolder;
use kimlik_adapters::hr::rest::{RestFeed, RestSettings};
use kimlik_adapters::hr::simulated::SimulatedMinistry;
use kimlik_domain::ports::{Clock, HrFeed, HrWriteBack};
use std::sync::Arc;

/// What reads HR, the same as what writes back to it, and what is told of it.
type FeedParts = (Arc<dyn HrFeed>, Arc<dyn HrWriteBack>, Option<Narration>);

pub(super) fn feed(config: &Config, clock: &Arc<dyn Clock>) -> Result<FeedParts, NotWired> {
    let fields = config::policy::field_names(config);
    match config.hr.source {
        HrSource::Simulated => {
            let s = &config.hr.simulated;
            let ministry = Arc::new(SimulatedMinistry::new(s.seed, s.people, s.events_per_step, clock.clone()));
            let told = ministry.clone();
            Ok((ministry.clone(), ministry, Some(Arc::new(move || told.narration()))))
        }
        HrSource::Csv => {
            let folder = Arc::new(DropFolder::new(config.hr.csv.directory.clone(), &fields, clock.clone()));
            Ok((folder.clone(), folder, None))
        }
        HrSource::Rest => {
            let feed = Arc::new(
                RestFeed::new(rest_settings(config, fields)?)
                    .map_err(|e| Faults(vec![Fault::new("hr.rest", e.to_string(), "mend the address or the certificate's file")]))?,
            );
            Ok((feed.clone(), feed, None))
        }
    }
}

fn rest_settings(
    config: &Config,
    field_names: std::collections::HashMap<String, kimlik_domain::staff::feed::Field>,
) -> Result<RestSettings, Faults> {
    let rest = &config.hr.rest;
    let named = |path: &std::path::Path| !path.as_os_str().is_empty();
    let token = named(&rest.token_file)
        .then(|| secrets::read(&rest.token_file, "hr.rest.token_file", "write the token into it, on one line"))
        .transpose()
        .map_err(|fault| Faults(vec![fault]))?;
    let unreadable = |e: std::io::Error| {
        let found = format!("{}: {}", rest.ca_file.display(), config::check::plain(&e));
        Faults(vec![Fault::new("hr.rest.ca_file", found, "name a file that can be read")])
    };
    let ca_pem = named(&rest.ca_file).then(|| std::fs::read(&rest.ca_file)).transpose().map_err(unreadable)?;
    Ok(RestSettings { base_url: rest.base_url.clone(), token, ca_pem, field_names })
}

pub(super) fn make_folder(setting: &str, folder: &std::path::Path) -> Result<(), Faults> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(|e| {
        let found = format!("{}: {}", folder.display(), config::check::plain(&e));
        Faults(vec![Fault::new(setting, found, "name a folder that Kimlik may make or write")])
    })
}
