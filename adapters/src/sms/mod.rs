//! Gateways that carry texts to phones. Each knows its provider's words and says them in the port's: taken, not reachable, in
//! doubt, refused and why. No password, number or text is in what they say.
mod http;
mod kannel;
mod netgsm;

pub use kannel::{Kannel, KannelSettings, kannel_verdict};
pub use netgsm::{Netgsm, NetgsmSettings};
