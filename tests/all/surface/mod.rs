//! What people and programs meet: the program itself, its settings, its answers over HTTP, the page in a browser.
// Why: clippy takes only test functions for tests, and what they share may end a test just so.
#![allow(clippy::unwrap_used, clippy::expect_used)]
mod accounts;
mod adoption;
mod cards;
mod commands;
mod drift;
mod graphql;
mod health;
mod metrics;
mod ministry;
pub mod page;
pub mod program;
mod rename;
mod settings;
mod submit;
mod suspension;
mod walls;
mod webhooks;
