//! Figures, as ratios against a floor measured in the same run: `cargo bench -p kimlik-tests` (all), `-- scale`, `-- directory`, `-- cards`, `-- api`,
//! `-- sameness`, `-- parola`, `-- book`.
//!
//! `scale`: SQLite and the embedded directory, 10,000 and 100,000 people, each in a process of its own (peak memory).
//! `directory`: a throwaway Samba with 5,000 accounts; floors are ldapsearch and bare pipelined ldap3.
//! `cards`: the same, when all 5,000 cards change; the floor is the same modifies by bare pipelined ldap3.
//! `api`: the real program over PostgreSQL with 100,000 people, asked by wrk (Debian's package); the floor is `floor.rs`.
//! `book`: what a card takes in memory, and what questions of the book take, without anything around it.
//! `sameness`: whether times tell who exists; the real program on a throwaway Samba.
//! `parola`: forgotten passwords and sign-ins under load, beside bare binds; the same.
#![allow(clippy::unwrap_used)]
mod api;
mod book;
mod cards;
mod directory;
mod floor;
mod parola;
mod sameness;
mod scale;

// Why: the program's allocator is measured too.
use kimlik_api as _;
use std::time::{Duration, Instant};

pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

pub async fn timed<T>(deed: impl Future<Output = T>) -> (Duration, T) {
    let began = Instant::now();
    let value = deed.await;
    (began.elapsed(), value)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|a| a == name);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if arguments.first().is_some_and(|a| a == "scale-of") {
        return runtime.block_on(scale::of(arguments[1].parse().unwrap()));
    }
    if arguments.first().is_some_and(|a| a == "feed-of") {
        return runtime.block_on(scale::write_feed(arguments[1].parse().unwrap(), arguments[2].as_ref()));
    }
    // Why first: what is measured is what this process grows by.
    if wanted("book") {
        book::weigh();
    }
    if wanted("scale") {
        scale::compare();
    }
    if wanted("directory") {
        runtime.block_on(directory::compare());
    }
    if wanted("cards") {
        runtime.block_on(cards::compare());
    }
    if wanted("api") {
        runtime.block_on(api::compare());
    }
    if wanted("sameness") {
        runtime.block_on(sameness::compare());
    }
    if wanted("parola") {
        runtime.block_on(parola::under_load());
    }
}
