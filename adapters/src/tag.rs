//! Tags of octets: others have another tag.
use aws_lc_rs::digest;
use std::fmt::Write as _;

/// 32 digits of SHA-256.
pub fn of(octets: &[u8]) -> String {
    digest::digest(&digest::SHA256, octets).as_ref().iter().take(16).fold(String::new(), |mut tag, octet| {
        write!(tag, "{octet:02x}").ok();
        tag
    })
}
