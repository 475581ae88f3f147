//! What people and programs meet: the program itself, its settings, its answers over HTTP, the page in a browser.
mod commands;
mod graphql;
mod page;
mod program;
mod settings;
mod walls;
