//! Netgsm's REST v2. Errors come with HTTP 200 and 406, and one number means another thing at each address.
use super::http;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kimlik_domain::day;
use kimlik_domain::health::{Finding, Kind, Subject};
use kimlik_domain::message::Purpose;
use kimlik_domain::ports::{Accepted, Gateway, Inspect, Parcel, PortError, PortResult, Refusal, Verdict, Whereabouts};
use kimlik_domain::staff::MobileNumber;
use kimlik_domain::text::gsm::{self, Encoding, Shift};
use reqwest::{Client, StatusCode, Url};
use serde_json::{Value, json};
use std::time::Duration;
use zeroize::Zeroizing;

pub struct NetgsmSettings {
    pub url: String,
    pub user: String,
    pub password: Zeroizing<String>,
    /// The registered header.
    pub header: String,
    pub ca_pem: Option<Vec<u8>>,
    pub timeout: Duration,
}

pub struct Netgsm {
    settings: NetgsmSettings,
    base: Url,
    client: Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Send,
    Otp,
    Report,
}

/// What a number means at an address. `None`: done.
fn meaning(at: At, code: &str) -> Option<PortError> {
    let refused = |refusal, reason: &str| Some(PortError::refused(refusal, format!("Netgsm {code}: {reason}")));
    let later = |reason: &str| Some(PortError::Unavailable(format!("Netgsm {code}: {reason}")));
    match (at, code) {
        (_, "00") => None,
        (At::Send | At::Otp, "20") => refused(Refusal::Value, "the text is faulty or too long"),
        (_, "30") => refused(Refusal::Rights, "user or password is wrong, or there is no right to the API from this address"),
        (At::Send | At::Otp, "40") => refused(Refusal::Rights, "the header is not registered"),
        (At::Otp, "41") => refused(Refusal::Rights, "the header is not valid"),
        (At::Send, "50") => refused(Refusal::Rights, "the subscriber may not send under IYS control"),
        (At::Send, "51") => refused(Refusal::Rights, "there is no IYS brand"),
        (At::Otp, "50" | "51" | "52") => refused(Refusal::Undeliverable, "the number cannot be sent to"),
        (At::Otp, "60") => refused(Refusal::Balance, "no OTP package is left"),
        (_, "70") => refused(Refusal::Other, "a parameter is missing or wrong"),
        (_, "80") => later("too many questions"),
        (At::Send, "85") => later("too many messages to one number within a minute"),
        (_, "100" | "101" | "110") => later("a fault of its system"),
        _ => Some(PortError::InDoubt(format!("Netgsm answered {code:.8?}, which is not known"))),
    }
}

fn verdict(status: i64) -> Option<Verdict> {
    let not = |reason: &str| Some(Verdict::Undelivered(reason.to_owned()));
    match status {
        0 => None,
        1 => Some(Verdict::Delivered),
        2 => not("its time ran out"),
        3 => Some(Verdict::DeadNumber("wrong or restricted number".into())),
        4 => not("it could not be given to the operator"),
        11 => not("the operator refused it"),
        13 => not("a duplicate"),
        14 => not("no credit"),
        15 => not("the number is on a black list"),
        16 | 17 => not("refused by IYS"),
        _ => not("a fault on the way"),
    }
}

/// Whether it takes the route for codes: faster, one part, without Turkish letters.
fn goes_as_code(purpose: Purpose, text: &str) -> bool {
    purpose.is_urgent() && purpose.carries_code() && gsm::measure(&gsm::plain(text), Shift::None).units <= 160
}

/// `5XXXXXXXXX`; of other countries all digits behind 00.
fn number(to: &MobileNumber) -> String {
    let digits = to.e164().trim_start_matches('+');
    digits.strip_prefix("90").map_or_else(|| format!("00{digits}"), str::to_owned)
}

fn minute(at: DateTime<Utc>) -> String {
    day::local(at).format("%d%m%Y%H%M").to_string()
}

/// What is left by an answer to a question for the balance, in its own words: a sum or packages; and whether that is anything.
fn balance(body: &str) -> Option<(String, bool)> {
    let answer: Value = serde_json::from_str(body).ok()?;
    match &answer["balance"] {
        Value::String(sum) => {
            let left = sum.trim().replace(',', ".").parse::<f64>().is_ok_and(|sum| sum > 0.0);
            Some((format!("{:.20}", sum.trim()), left))
        }
        Value::Array(packages) => {
            let amounts: Vec<(f64, &str)> =
                packages.iter().filter_map(|p| Some((p["amount"].as_f64()?, p["balance_name"].as_str().unwrap_or_default()))).collect();
            let words: Vec<String> = amounts.iter().take(8).map(|(amount, name)| format!("{amount} {:.40}", name)).collect();
            Some((words.join(", "), amounts.iter().any(|(amount, _)| *amount > 0.0)))
        }
        _ => None,
    }
}

/// A member that comes as text or as a number.
fn text(value: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match &value[*name] {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

impl Netgsm {
    pub fn new(settings: NetgsmSettings) -> PortResult<Netgsm> {
        let (base, client) = http::client("sms.netgsm.url", &settings.url, settings.ca_pem.as_deref(), settings.timeout)?;
        Ok(Netgsm { settings, base, client })
    }

    async fn post(&self, at: At, body: &Value) -> PortResult<Value> {
        let mut url = self.base.clone();
        url.set_path(match at {
            At::Send => "/sms/rest/v2/send",
            At::Otp => "/sms/rest/v2/otp",
            At::Report => "/sms/rest/v2/report",
        });
        let request = self.client.post(url).basic_auth(&self.settings.user, Some(self.settings.password.as_str())).json(body);
        let (status, text) = http::answer(request.send().await).await?;
        read(at, status, &text)
    }

    /// Its credentials go in the body here. `None`: it does not say.
    async fn balance(&self) -> Option<(String, bool)> {
        /// Credit and packages.
        const ALL: u8 = 3;
        let mut url = self.base.clone();
        url.set_path("/balance");
        let body = json!({ "usercode": self.settings.user, "password": self.settings.password.as_str(), "stip": ALL });
        let (status, answer) = http::answer(self.client.post(url).json(&body).send().await).await.ok()?;
        status.is_success().then(|| balance(&answer)).flatten()
    }

    async fn jobs(&self, mut question: Value) -> PortResult<Vec<Value>> {
        question["pagenumber"] = json!(0);
        question["pagesize"] = json!(100);
        match self.post(At::Report, &question).await {
            Ok(answer) => Ok(answer["jobs"].as_array().cloned().unwrap_or_default()),
            Err(fault) => Err(fault),
        }
    }
}

fn read(at: At, status: StatusCode, body: &str) -> PortResult<Value> {
    match status.as_u16() {
        200 | 406 => {}
        401 | 403 => return Err(PortError::refused(Refusal::Rights, "Netgsm does not take the user name and password")),
        429 => return Err(PortError::Unavailable("Netgsm: too many questions".into())),
        other => return Err(PortError::InDoubt(format!("Netgsm answered HTTP {other}"))),
    }
    let unreadable = || PortError::InDoubt("Netgsm answered what cannot be read".into());
    let answer: Value = serde_json::from_str(body).map_err(|_| unreadable())?;
    let code = text(&answer, &["code"]);
    match code.as_deref() {
        Some("60") if at == At::Report => Ok(json!({ "jobs": [] })),
        Some(code) => meaning(at, code).map_or(Ok(answer), Err),
        None if at == At::Report && answer["jobs"].is_array() => Ok(answer),
        None => Err(unreadable()),
    }
}

#[async_trait]
impl Gateway for Netgsm {
    fn name(&self) -> &str {
        "netgsm"
    }
    fn is_polled(&self) -> bool {
        true
    }

    fn parts(&self, purpose: Purpose, text: &str) -> u32 {
        if goes_as_code(purpose, text) { 1 } else { gsm::measure(text, Shift::Single).parts }
    }

    async fn send(&self, parcel: &Parcel<'_>) -> PortResult<Accepted> {
        if goes_as_code(parcel.purpose, parcel.text) {
            let plain = gsm::plain(parcel.text);
            let body = json!({ "msgheader": self.settings.header, "msg": plain, "no": number(parcel.mobile()?) });
            let answer = self.post(At::Otp, &body).await?;
            return Ok(Accepted { id: text(&answer, &["jobId", "jobid"]), parts: 1 });
        }
        let measured = gsm::measure(parcel.text, Shift::Single);
        let mut body = json!({
            "msgheader": self.settings.header,
            "encoding": if measured.encoding == Encoding::Gsm7 { "ASCII" } else { "TR" },
            "iysfilter": "0",
            "messages": [{ "msg": parcel.text, "no": number(parcel.mobile()?) }],
        });
        if let Some(until) = parcel.valid_until {
            body["stopdate"] = json!(minute(until));
        }
        let answer = self.post(At::Send, &body).await?;
        Ok(Accepted { id: text(&answer, &["jobid", "jobId"]), parts: measured.parts })
    }

    /// Netgsm takes no name of ours: what went to that number at that time, if it is one thing of that length.
    async fn look_up(&self, parcel: &Parcel<'_>, asked_at: DateTime<Utc>) -> PortResult<Whereabouts> {
        let question = json!({ "startdate": minute(asked_at), "stopdate": minute(parcel.at + TimeDelta::minutes(1)) });
        let to = number(parcel.mobile()?);
        let jobs = self.jobs(question).await?;
        let its: Vec<&Value> = jobs.iter().filter(|job| text(job, &["number"]).is_some_and(|n| n.ends_with(&to))).collect();
        Ok(match its.as_slice() {
            [job] if text(job, &["msglen"]).is_none_or(|n| n == parcel.text.chars().count().to_string()) => {
                Whereabouts::Taken(text(job, &["jobid", "jobId"]))
            }
            _ => Whereabouts::Unknown,
        })
    }

    async fn reports(&self, ids: &[String], now: DateTime<Utc>) -> PortResult<Vec<(String, Verdict)>> {
        let question =
            json!({ "jobids": ids, "startdate": minute(now - TimeDelta::hours(48)), "stopdate": minute(now + TimeDelta::minutes(1)) });
        let jobs = self.jobs(question).await?;
        let report = |job: &Value| {
            let id = text(job, &["jobid", "jobId"])?;
            Some((id, verdict(text(job, &["status"])?.parse().ok()?)?))
        };
        Ok(jobs.iter().filter_map(report).collect())
    }
}

#[async_trait]
impl Inspect for Netgsm {
    /// Asks for the registered headers: user, password, the right to the API, and whether ours is among them. Then for what is left.
    async fn inspect(&self) -> Vec<Finding> {
        let mut url = self.base.clone();
        url.set_path("/sms/rest/v2/msgheader");
        let asked = self.client.get(url).basic_auth(&self.settings.user, Some(self.settings.password.as_str())).send().await;
        let answered = match http::answer(asked).await {
            Ok((status, body)) => read(At::Send, status, &body).map(|_| body),
            Err(fault) => Err(fault),
        };
        let (kind, said) = match answered {
            Ok(body) if body.contains(&self.settings.header) => match self.balance().await {
                Some((left, true)) => (Kind::NetgsmGood, left),
                Some((left, false)) => (Kind::NetgsmEmpty, left),
                None => (Kind::NetgsmSilent, String::new()),
            },
            Ok(_) => (Kind::NetgsmHeader, String::new()),
            Err(fault) => (Kind::NetgsmBroken, fault.to_string()),
        };
        let name = format!("netgsm, {}", self.base.host_str().unwrap_or_default());
        vec![Finding::new(Subject::SmsGateway, name, kind, &[&said])]
    }

    /// Why: Netgsm counts questions, and refuses those who ask too often.
    fn rest(&self) -> TimeDelta {
        TimeDelta::minutes(5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at: At, code: &str) -> Option<PortError> {
        meaning(at, code)
    }

    #[test]
    fn one_number_means_another_thing_at_each_address() {
        assert_eq!(at(At::Send, "00"), None);
        assert_eq!(at(At::Send, "50").unwrap().refusal(), Some(Refusal::Rights));
        assert_eq!(at(At::Otp, "50").unwrap().refusal(), Some(Refusal::Undeliverable));
        assert_eq!(at(At::Otp, "60").unwrap().refusal(), Some(Refusal::Balance));
        assert_eq!(at(At::Send, "20").unwrap().refusal(), Some(Refusal::Value));
        assert!(matches!(at(At::Send, "85"), Some(PortError::Unavailable(_))));
        assert!(matches!(at(At::Otp, "100"), Some(PortError::Unavailable(_))));
        assert!(matches!(at(At::Otp, "85"), Some(PortError::InDoubt(_))), "what is not documented there");
        assert!(read(At::Report, StatusCode::NOT_ACCEPTABLE, r#"{"code":"60"}"#).is_ok_and(|a| a["jobs"] == json!([])));
    }

    #[test]
    fn an_answer_that_cannot_be_read_leaves_a_doubt() {
        for body in ["", "00 123", "<html>", "{}", "[]", r#"{"code":null}"#, r#"{"code":"99"}"#] {
            assert!(matches!(read(At::Send, StatusCode::OK, body), Err(PortError::InDoubt(_))), "{body}");
        }
        assert!(matches!(read(At::Send, StatusCode::BAD_GATEWAY, r#"{"code":"00"}"#), Err(PortError::InDoubt(_))));
        assert!(read(At::Send, StatusCode::OK, r#"{"code":"00","jobid":"17"}"#).is_ok());
    }

    #[test]
    fn a_balance_is_read_in_both_of_its_shapes() {
        assert_eq!(balance(r#"{"code":"00","balance":"12,50"}"#), Some(("12,50".into(), true)));
        assert_eq!(balance(r#"{"code":"00","balance":"0"}"#).map(|b| b.1), Some(false));
        let packages = r#"{"balance":[{"amount":0,"balance_name":"Adet OTP"},{"amount":950,"balance_name":"Adet SMS"}]}"#;
        assert_eq!(balance(packages), Some(("0 Adet OTP, 950 Adet SMS".into(), true)));
        for body in ["", "[]", r#"{"code":"30"}"#, r#"{"balance":{}}"#] {
            assert_eq!(balance(body), None, "{body}");
        }
    }

    #[test]
    fn a_number_is_written_as_netgsm_wants_it() {
        assert_eq!(number(&MobileNumber::parse("05321234567").unwrap()), "5321234567");
        assert_eq!(number(&MobileNumber::parse("+49 151 23456789").unwrap()), "004915123456789");
        assert_eq!(minute("2026-12-31T22:30:00Z".parse().unwrap()), "010120270130");
    }
}
