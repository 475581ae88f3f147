//! Kannel's `sendsms` interface; delivery reports come to Kimlik's own address.
use super::http;
use async_trait::async_trait;
use kimlik_domain::health::{Finding, Kind, Subject};
use kimlik_domain::ports::{Accepted, Gateway, Inspect, Parcel, PortError, PortResult, Refusal, Verdict};
use kimlik_domain::staff::MobileNumber;
use kimlik_domain::text::gsm::{self, Encoding, Shift};
use reqwest::{Client, StatusCode, Url};
use std::time::Duration;
use zeroize::Zeroizing;

pub struct KannelSettings {
    /// Of smsbox, such as `http://127.0.0.1:13013`.
    pub url: String,
    pub user: String,
    pub password: Zeroizing<String>,
    pub sender: String,
    /// Where Kannel's answer reaches Kimlik, with the token in it; empty: no delivery reports.
    pub report_url: Zeroizing<String>,
    pub ca_pem: Option<Vec<u8>>,
    pub timeout: Duration,
}

pub struct Kannel {
    settings: KannelSettings,
    url: Url,
    client: Client,
}

/// Delivered, failed, refused by the message centre.
const REPORTS: &str = "19";

impl Kannel {
    pub fn new(settings: KannelSettings) -> PortResult<Kannel> {
        let (mut url, client) = http::client("sms.kannel.url", &settings.url, settings.ca_pem.as_deref(), settings.timeout)?;
        url.set_path("/cgi-bin/sendsms");
        Ok(Kannel { settings, url, client })
    }

    fn ask(&self) -> Vec<(&'static str, String)> {
        vec![("username", self.settings.user.clone()), ("password", self.settings.password.as_str().to_owned())]
    }

    fn query(&self, parcel: &Parcel<'_>, to: &MobileNumber, encoding: Encoding) -> Vec<(&'static str, String)> {
        let mut query = self.ask();
        query.push(("from", self.settings.sender.clone()));
        query.push(("to", to.e164().to_owned()));
        query.push(("charset", "UTF-8".into()));
        query.push(("coding", if encoding == Encoding::Gsm7 { "0" } else { "2" }.into()));
        query.push(("text", parcel.text.to_owned()));
        if let Some(until) = parcel.valid_until {
            query.push(("validity", (until - parcel.at).num_minutes().max(1).to_string()));
        }
        if !self.settings.report_url.is_empty() {
            let url = &*self.settings.report_url;
            let joint = if url.contains('?') { '&' } else { '?' };
            query.push(("dlr-mask", REPORTS.into()));
            query.push(("dlr-url", format!("{url}{joint}id={}&status=%d&answer=%A", parcel.reference)));
        }
        query
    }

    fn read(status: StatusCode, body: &str) -> PortResult<()> {
        match status.as_u16() {
            202 if body.starts_with("0:") || body.starts_with("3:") => Ok(()),
            403 => Err(PortError::refused(Refusal::Rights, "Kannel does not take the user name and password, or not from this address")),
            400 | 404 | 413 | 414 => Err(PortError::refused(Refusal::Value, "Kannel cannot read the message")),
            503 => Err(PortError::Unavailable("Kannel has no connection to a message centre".into())),
            code => Err(PortError::InDoubt(format!("Kannel answered {code} in words that are not known"))),
        }
    }
}

/// What a delivery report of Kannel says; `None`: not the end yet.
pub fn kannel_verdict(status: u32, answer: &str) -> Option<Verdict> {
    // Why 001: in reports of message centres it is the subscriber that is not known (SMPP's appendix B, GSM 09.02).
    let unknown = answer.contains("err:001") || answer.contains("err%3A001");
    match status {
        1 => Some(Verdict::Delivered),
        2 | 16 if unknown => Some(Verdict::DeadNumber("unknown subscriber".into())),
        2 => Some(Verdict::Undelivered("not delivered".into())),
        16 => Some(Verdict::Undelivered("refused by the message centre".into())),
        _ => None,
    }
}

#[async_trait]
impl Gateway for Kannel {
    fn name(&self) -> &str {
        "kannel"
    }
    async fn send(&self, parcel: &Parcel<'_>) -> PortResult<Accepted> {
        let to = parcel.mobile()?;
        let measured = gsm::measure(parcel.text, Shift::None);
        let sent = self.client.get(self.url.clone()).query(&self.query(parcel, to, measured.encoding)).send().await;
        let (status, body) = http::answer(sent).await?;
        Kannel::read(status, &body)?;
        // Why our own name for it: it is in the address that Kannel reports to.
        Ok(Accepted { id: Some(parcel.reference.to_string()), parts: self.parts(parcel.purpose, parcel.text) })
    }
}

#[async_trait]
impl Inspect for Kannel {
    /// A message to nobody: Kannel looks at user and password first, and sends nothing.
    async fn inspect(&self) -> Vec<Finding> {
        let name = format!("kannel, {}", self.url.host_str().unwrap_or_default());
        let asked = http::answer(self.client.get(self.url.clone()).query(&self.ask()).send().await).await;
        let (kind, said) = match asked {
            Ok((StatusCode::FORBIDDEN, _)) => (Kind::KannelPassword, String::new()),
            Ok((status, _)) if status.is_client_error() => (Kind::KannelGood, String::new()),
            Ok((status, _)) => (Kind::KannelOdd, status.as_u16().to_string()),
            Err(fault) => (Kind::KannelBroken, fault.to_string()),
        };
        vec![Finding::new(Subject::SmsGateway, name, kind, &[&said])]
    }
}
