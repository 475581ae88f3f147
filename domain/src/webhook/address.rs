//! Where Kimlik may be sent to by whoever makes a webhook. It stands inside the ministry's network, and what it can reach
//! there must not become reachable to others through it.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longer than any address that people write.
pub const LONGEST: usize = 2_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressRules {
    /// Hosts (`personel.csb.test`), and with a dot before them whole domains (`.csb.test`), that may stand on private addresses.
    pub private_hosts: Vec<String>,
    /// This machine itself, without TLS too: for trying things out with the embedded directory.
    pub loopback: bool,
}

/// Why an address is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    #[error("This is not the address of a receiver: https://, a host, and a path.")]
    NotOne,
    #[error("An address of at most 2000 characters.")]
    TooLong,
    #[error("Only https:// is taken.")]
    NotHttps,
    #[error("An address holds no user name, password or fragment.")]
    Extra,
    #[error("Kimlik does not send to this address. An administrator can name the host under webhooks.private_hosts.")]
    Barred,
}

impl AddressRules {
    /// What can be said before the host's name is looked up.
    pub fn takes(&self, scheme: &str, host: &str, has_extra: bool) -> Result<(), AddressFault> {
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let is_here = host.trim_end_matches('.').eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| canonical(ip).is_loopback());
        match scheme {
            "https" => {}
            "http" if self.loopback && is_here => {}
            "http" => return Err(AddressFault::NotHttps),
            _ => return Err(AddressFault::NotOne),
        }
        if has_extra {
            return Err(AddressFault::Extra);
        }
        let reachable = ip.map_or(!is_here || self.loopback, |ip| self.reaches(host, ip));
        if reachable { Ok(()) } else { Err(AddressFault::Barred) }
    }

    /// Asked of every address that a name is resolved to, at every attempt: names change what they mean.
    pub fn reaches(&self, host: &str, ip: IpAddr) -> bool {
        let ip = canonical(ip);
        match (ip.is_loopback(), place(ip)) {
            (true, _) => self.loopback,
            (_, Place::Never) => false,
            (_, Place::Private) => self.is_private_host(host),
            (_, Place::Public) => true,
        }
    }

    fn is_private_host(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        self.private_hosts.iter().map(|h| h.to_ascii_lowercase()).any(|named| match named.strip_prefix('.') {
            Some(domain) => host == domain || host.ends_with(&named),
            None => host == named,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Public,
    Private,
    Never,
}

/// An IPv4 address however it is dressed.
fn canonical(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let s = v6.segments();
    let tail = Ipv4Addr::new((s[6] >> 8) as u8, s[6] as u8, (s[7] >> 8) as u8, s[7] as u8);
    match s {
        // ::ffff:a.b.c.d, NAT64 and the old "compatible" form; the last one not for :: and ::1.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => IpAddr::V4(tail),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1 => IpAddr::V4(tail),
        _ => ip,
    }
}

fn place(ip: IpAddr) -> Place {
    match ip {
        IpAddr::V4(ip) => place_v4(ip),
        IpAddr::V6(ip) => place_v6(ip),
    }
}

fn place_v4(ip: Ipv4Addr) -> Place {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Place::Private,
        // This network, link-local (where clouds keep their credentials), protocol assignments, benchmarks, examples, multicast and above.
        (0 | 127 | 224..=255, ..) | (169, 254, _) | (192, 0, 0 | 2) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => Place::Never,
        _ => Place::Public,
    }
}

fn place_v6(ip: Ipv6Addr) -> Place {
    match ip.segments() {
        [a, ..] if a & 0xfe00 == 0xfc00 => Place::Private,
        // Nothing, link-local, site-local, multicast, tunnels (6to4, Teredo), local NAT64, documentation.
        [0, 0, 0, 0, 0, 0, 0, _] | [0x2002, ..] | [0x2001, 0, ..] | [0x64, 0xff9b, ..] | [0x2001, 0xdb8, ..] => Place::Never,
        [a, ..] if a & 0xffc0 == 0xfe80 || a & 0xffc0 == 0xfec0 || a >> 8 == 0xff => Place::Never,
        _ => Place::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(loopback: bool) -> AddressRules {
        AddressRules { private_hosts: vec!["personel.csb.test".into(), ".ic.csb.test".into(), "10.9.8.7".into()], loopback }
    }
    fn reaches(host: &str, ip: &str) -> bool {
        rules(false).reaches(host, ip.parse().unwrap())
    }

    #[test]
    fn what_stands_inside_is_reached_only_under_the_names_that_an_administrator_gave() {
        for ip in ["10.0.0.5", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.5", "64:ff9b::a00:5"]
        {
            assert!(!reaches("evil.example.org", ip), "{ip}");
            assert!(reaches("personel.csb.test", ip) && reaches("a.b.ic.csb.test", ip) && reaches("IC.csb.test.", ip), "{ip}");
            assert!(!reaches("xpersonel.csb.test", ip) && !reaches("xic.csb.test", ip), "{ip}");
        }
        assert!(reaches("10.9.8.7", "10.9.8.7") && !reaches("10.9.8.6", "10.9.8.6"));
        for ip in ["8.8.8.8", "172.32.0.1", "2606:4700::1111"] {
            assert!(reaches("any.example.org", ip), "{ip}");
        }
    }

    #[test]
    fn this_machine_and_what_only_machines_speak_to_are_never_reached() {
        let never = [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::7f00:1",
            "fec0::1",
        ];
        for ip in never {
            assert!(!reaches("personel.csb.test", ip), "{ip}");
        }
        assert!(rules(true).reaches("localhost", "127.0.0.1".parse().unwrap()), "except for trying things out");
        assert!(!rules(true).reaches("x", "169.254.169.254".parse().unwrap()));
    }

    #[test]
    fn an_address_says_before_the_first_attempt_that_it_is_not_taken() {
        let take = |scheme, host, extra| rules(false).takes(scheme, host, extra);
        assert_eq!(take("https", "personel.csb.test", false), Ok(()));
        assert_eq!(take("http", "personel.csb.test", false), Err(AddressFault::NotHttps));
        assert_eq!(take("file", "x", false), Err(AddressFault::NotOne));
        assert_eq!(take("https", "personel.csb.test", true), Err(AddressFault::Extra));
        for host in ["localhost", "LOCALHOST.", "127.0.0.1", "[::1]", "[::ffff:7f00:1]", "10.0.0.1", "169.254.169.254"] {
            assert_eq!(take("https", host, false), Err(AddressFault::Barred), "{host}");
        }
        assert_eq!(rules(true).takes("http", "127.0.0.1", false), Ok(()));
        assert_eq!(rules(true).takes("http", "10.9.8.7", false), Err(AddressFault::NotHttps), "loopback only");
    }
}
