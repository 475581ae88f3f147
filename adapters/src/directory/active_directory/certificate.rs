//! Looks at a controller's certificate as the verifier of real connections does, and keeps what it saw. Sends nothing.
use super::settings::host_and_port;
use chrono::{DateTime, Utc};
use kimlik_domain::health::Kind;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// What came of it.
pub(super) enum Seen {
    /// No connection; why.
    Unreachable(String),
    /// A certificate that is not trusted, or none: what it is, and what there is to say of it.
    Bad(Kind, String),
    Good {
        ends: Option<DateTime<Utc>>,
    },
}

/// The ordinary verifier, with an ear.
#[derive(Debug)]
struct Listening {
    inner: Arc<WebPkiServerVerifier>,
    heard: Mutex<Option<Vec<u8>>>,
}

impl ServerCertVerifier for Listening {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Ok(mut heard) = self.heard.lock() {
            *heard = Some(leaf.to_vec());
        }
        self.inner.verify_server_cert(leaf, chain, name, ocsp, now)
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, leaf, signed)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, leaf, signed)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Blocks for up to three times `timeout`: to be run where that may be.
pub(super) fn look(url: &str, roots: &Arc<RootCertStore>, timeout: Duration) -> Seen {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let (host, port) = host_and_port(url);
    let inner = match WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone()).build() {
        Ok(inner) => inner,
        Err(error) => return Seen::Bad(Kind::AuthoritiesUnusable, error.to_string()),
    };
    let listening = Arc::new(Listening { inner, heard: Mutex::new(None) });
    let Ok(name) = ServerName::try_from(host.clone()) else {
        return Seen::Unreachable(format!("{host} is no name of a host"));
    };
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = match config {
        Ok(builder) => builder.dangerous().with_custom_certificate_verifier(listening.clone()).with_no_client_auth(),
        Err(error) => return Seen::Unreachable(error.to_string()),
    };
    let mut tls = match ClientConnection::new(Arc::new(config), name) {
        Ok(tls) => tls,
        Err(error) => return Seen::Unreachable(error.to_string()),
    };
    let mut tcp = match connect(&host, port, timeout) {
        Ok(tcp) => tcp,
        Err(error) => return Seen::Unreachable(error.to_string()),
    };
    let shaken = tls.complete_io(&mut tcp);
    let leaf = listening.heard.lock().ok().and_then(|mut heard| heard.take());
    match shaken {
        Ok(_) => Seen::Good { ends: leaf.as_deref().and_then(|leaf| dates(leaf).map(|(_, ends)| ends)) },
        Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(tls) => {
                let (kind, said) = blame(tls, leaf.as_deref());
                Seen::Bad(kind, said)
            }
            None => Seen::Unreachable(format!("the connection is taken and TLS is not answered: {error}")),
        },
    }
}

fn connect(host: &str, port: u16, timeout: Duration) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::other("the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(tcp) => {
                tcp.set_read_timeout(Some(timeout))?;
                tcp.set_write_timeout(Some(timeout))?;
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn blame(error: &Error, leaf: Option<&[u8]>) -> (Kind, String) {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext, UnknownIssuer,
    };
    // Where the certificate cannot be read.
    let unknown = || "?".to_owned();
    let parsed = leaf.and_then(|leaf| X509Certificate::from_der(leaf).ok()).map(|(_, certificate)| certificate);
    let Error::InvalidCertificate(certificate) = error else { return (Kind::TlsFails, error.to_string()) };
    match certificate {
        Expired | ExpiredContext { .. } => {
            let ended = leaf.and_then(dates).map(|(_, ends)| ends.date_naive().to_string());
            (Kind::CertificateExpired, ended.unwrap_or_else(unknown))
        }
        NotValidYet | NotValidYetContext { .. } => (Kind::CertificateEarly, String::new()),
        NotValidForName | NotValidForNameContext { .. } => {
            let names = parsed.as_ref().map(names).filter(|names| !names.is_empty());
            (Kind::CertificateName, names.unwrap_or_else(unknown))
        }
        UnknownIssuer => (Kind::CertificateAuthority, parsed.map_or_else(unknown, |c| c.issuer().to_string())),
        other => (Kind::CertificateUnusable, other.to_string()),
    }
}

fn dates(leaf: &[u8]) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
    let at = |t: x509_parser::time::ASN1Time| DateTime::from_timestamp(t.timestamp(), 0);
    Some((at(certificate.validity().not_before)?, at(certificate.validity().not_after)?))
}

fn names(certificate: &X509Certificate<'_>) -> String {
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let names = alternative.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => match octets.len() {
            4 => <[u8; 4]>::try_from(*octets).ok().map(|o| std::net::Ipv4Addr::from(o).to_string()),
            _ => <[u8; 16]>::try_from(*octets).ok().map(|o| std::net::Ipv6Addr::from(o).to_string()),
        },
        _ => None,
    });
    names.collect::<Vec<_>>().join(", ")
}
