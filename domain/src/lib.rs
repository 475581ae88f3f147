//! Kimlik's rules. Nothing here does I/O, reads a clock or throws dice: what is needed comes in through [`ports`].
//!
//! One line a module:
pub mod access; // who asks, and what they may: one table
pub mod account; // what a directory account is: owned attributes, names, placement, what was observed
pub mod audit; // who did what to whom, and why
pub mod card; // the identity card that colleagues see
pub mod day; // civil days of the ministry (Europe/Istanbul)
pub mod health; // how connected systems stand, since when, how far behind
pub mod id; // ids of people, accounts, runs: time-ordered UUIDs made from a clock and entropy
pub mod lifecycle; // policy, desired, plan, limits, holds, and the use case that carries plans out
pub mod mailbox;
pub mod message; // texts to people, and the outbox
pub mod page; // pages of lists that change while they are read
pub mod password; // parola: activation, tickets, rules, changing
pub mod phone; // numbers changed by their owners or the personnel unit, until HR has them
pub mod ports; // every outside trait, with what an implementation promises and how it fails
pub mod staff; // what HR says: people, postings, units, phones, reasons; the roster and its data issues
pub mod text; // Turkish letters: casing, folding, transliteration, mojibake
pub mod webhook; // what other systems are told, and whom Kimlik tells it
