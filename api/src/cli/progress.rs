//! How a run is followed: a bar on a terminal, a line a person elsewhere.
use crate::work::voice::{deeds, say};
use indicatif::{ProgressBar, ProgressStyle};
use kimlik_domain::lifecycle::reconcile::Progress;
use kimlik_domain::lifecycle::{ActionKind, Because};
use std::io::IsTerminal;

pub enum Followed {
    Bar(ProgressBar),
    Lines,
}

impl Followed {
    pub fn new() -> Followed {
        if !std::io::stderr().is_terminal() {
            return Followed::Lines;
        }
        let style =
            ProgressStyle::with_template("{bar:40} {pos}/{len} people  {eta} left  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        Followed::Bar(ProgressBar::new(0).with_style(style))
    }

    pub fn end(&self) {
        if let Followed::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Followed {
    fn total(&self, people: u32) {
        match self {
            Followed::Bar(bar) => bar.set_length(people.into()),
            Followed::Lines => say(&format!("{people} people have something to be done")),
        }
    }

    fn done(&self, name: &str, actions: &[(ActionKind, Because)], ok: bool) {
        match self {
            Followed::Bar(bar) => {
                bar.inc(1);
                bar.set_message(name.to_owned());
                if !ok {
                    bar.println(format!("not done: {name}"));
                }
            }
            Followed::Lines => {
                say(&format!("{}  {name}: {}", if ok { "done    " } else { "not done" }, deeds(actions)));
            }
        }
    }
}
