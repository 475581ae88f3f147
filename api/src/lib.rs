//! Kimlik to the outside: command line, HTTP, GraphQL, the loops that work by themselves, and the wiring of it all.
pub mod cards; // the cards in memory, and for how long they may be shown
pub mod cli; // what an administrator types, and what is answered
pub mod config; // settings: file, environment, secrets; every fault with its mend
pub mod deeds; // what the command line and GraphQL both do: deciding holds, choosing people
pub mod graphql; // the schema: one file a noun
pub mod health; // how connected systems stand, looked at at a steady pace
pub mod http; // router, guards against other origins, GraphiQL
mod inspect; // what doctor says beside the neighbours' own words
pub mod language; // Turkish and English for everything that is said to a caller
pub mod plans; // large plans of which pages are asked for
pub mod wiring; // the composition root: the only folder that names adapters
pub mod work; // the loops: intake, reconcile, drift; graceful stop

pub use cli::run;

/// Of every program that this crate is part of, benchmarks included.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
