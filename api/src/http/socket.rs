//! GraphQL over a WebSocket: the protocol graphql-transport-ws, with its close codes. The token comes in connection_init; the
//! connection ends with the session, so that a client comes back with a new token (4403 is the code that clients try again after).
use super::answer::{LONGEST, TOO_LONG, told};
use super::asked::{Asked, Kind, Refused};
use super::auth::{self, ClientAddress};
use super::{BODY, Http, lines};
use crate::graphql;
use crate::language::Language;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt;
use kimlik_domain::access::{Caller, Who};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout};

const PROTOCOL: &str = "graphql-transport-ws";
const INIT_WITHIN: Duration = Duration::from_secs(5);
const OPERATIONS: usize = 50;
const PULSE: Duration = Duration::from_secs(20);
/// Nothing was heard, or nothing was taken, for so long: nobody is there.
const SILENCE: Duration = Duration::from_secs(60);

type Close = (u16, String);

pub fn open(http: Http, address: ClientAddress, headers: &HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let language = Language::of(headers);
    // Why: the browser asks nobody before it opens a WebSocket to another site.
    if !is_own_page(headers, &http.house.config.server.public_url) {
        return Refused::new("Pages of another site may not open a WebSocket here.", StatusCode::FORBIDDEN)
            .told(language, super::asked::JSON);
    }
    let Some(line) = http.lines.take(&format!("address:{}", address.0)) else {
        let full = format!("Too many connections of this caller at once: at most {}.", lines::EACH);
        return Refused::new(full, StatusCode::TOO_MANY_REQUESTS).told(language, super::asked::JSON);
    };
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(BODY).max_frame_size(BODY);
    upgrade.on_upgrade(move |socket| serve(http, address, language, socket, line))
}

fn is_own_page(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name| headers.get(name).and_then(|v: &header::HeaderValue| v.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return true };
    let own = text(header::HOST).is_some_and(|host| origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host)));
    own || origin.eq_ignore_ascii_case(public_url.trim_end_matches('/'))
}

async fn serve(http: Http, address: ClientAddress, language: Language, mut socket: WebSocket, line: lines::Line) {
    let spoken = socket.protocol().is_some_and(|p| p.as_bytes() == PROTOCOL.as_bytes());
    let (code, why) =
        if spoken { talk(&http, address, language, &mut socket, line).await } else { (4406, "Subprotocol not acceptable".into()) };
    // Why cut: the protocol gives a reason 123 octets.
    let why: String = why.chars().take(60).collect();
    let frame = CloseFrame { code, reason: why.into() };
    let farewell = async {
        socket.send(Message::Close(Some(frame))).await.ok();
        // Why: the answer to the client's own close is written only while we read; without it the client sees a broken line.
        while let Some(Ok(_)) = socket.recv().await {}
    };
    timeout(Duration::from_secs(5), farewell).await.ok();
}

/// Until it ends, with the code and the reason that are told.
async fn talk(http: &Http, address: ClientAddress, language: Language, socket: &mut WebSocket, line: lines::Line) -> Close {
    let (token, caller) = match timeout(INIT_WITHIN, introduced(http, language, socket)).await {
        Ok(Ok(known)) => known,
        Ok(Err(close)) => return close,
        Err(_) => return (4408, "Connection initialisation timeout".into()),
    };
    // Why another line: behind one address may stand a whole building; from here on it is the caller's own.
    let Some(own) = http.lines.take(&lines::holder(&caller, &address)) else {
        return (4429, language.say(&format!("Too many connections of this caller at once: at most {}.", lines::EACH)));
    };
    drop(line);
    let _own = own;
    if let Err(close) = send(socket, &json!({ "type": "connection_ack" })).await {
        return close;
    }
    let (say, mut said) = mpsc::channel::<Said>(16);
    let mut desk = Desk { http, address, language, caller, say, running: JoinSet::new(), operations: HashMap::new() };
    let (mut look, mut pulse, mut heard) = (tokio::time::interval(auth::LOOK_AGAIN), tokio::time::interval(PULSE), Instant::now());
    loop {
        tokio::select! {
            () = http.stop.cancelled() => return (1012, "Service restart".into()),
            message = socket.recv() => {
                heard = Instant::now();
                if let Err(close) = desk.hear(message, socket).await {
                    return close;
                }
            }
            Some(answer) = said.recv() => {
                if answer.is_last {
                    desk.operations.remove(&answer.id);
                }
                if let Err(close) = send_text(socket, answer.text).await {
                    return close;
                }
            }
            _ = look.tick() => if !auth::still_same(&http.house, &token, &desk.caller).await {
                return (4403, language.say(auth::NotRecognized::Token.message()));
            },
            _ = pulse.tick() => {
                if heard.elapsed() > SILENCE {
                    return (1001, "Nobody is there".into());
                }
                if timeout(SILENCE, socket.send(Message::Ping(Vec::new().into()))).await.is_err() {
                    return (1001, "Nobody is there".into());
                }
            }
        }
    }
}

/// One message about an operation.
struct Said {
    id: String,
    text: String,
    is_last: bool,
}

impl Said {
    fn of(id: &str, kind: &'static str, payload: &impl Serialize) -> Said {
        #[derive(Serialize)]
        struct Told<'a, P> {
            id: &'a str,
            #[serde(rename = "type")]
            kind: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            payload: Option<&'a P>,
        }
        let is_last = kind != "next";
        let message = Told { id, kind, payload: (kind != "complete").then_some(payload) };
        Said { id: id.to_owned(), text: serde_json::to_string(&message).unwrap_or_default(), is_last }
    }
}

async fn send(socket: &mut WebSocket, value: &Value) -> Result<(), Close> {
    send_text(socket, value.to_string()).await
}

async fn send_text(socket: &mut WebSocket, text: String) -> Result<(), Close> {
    match timeout(SILENCE, socket.send(Message::Text(text.into()))).await {
        Ok(Ok(())) => Ok(()),
        _ => Err((1001, "Nobody is there".into())),
    }
}

/// The next message of the protocol; pings of the WebSocket itself are answered below us.
fn read(message: Option<Result<Message, axum::Error>>) -> Result<Option<Value>, Close> {
    match message {
        None | Some(Ok(Message::Close(_))) => Err((1000, String::new())),
        Some(Err(_)) => Err((1009, "The message is broken or too long".into())),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Binary(_))) => Err((4400, "Invalid message: text is expected".into())),
        Some(Ok(Message::Text(text))) => match serde_json::from_str::<Value>(&text) {
            Ok(value) if value["type"].is_string() => Ok(Some(value)),
            _ => Err((4400, "Invalid message: an object with a type is expected".into())),
        },
    }
}

async fn introduced(http: &Http, language: Language, socket: &mut WebSocket) -> Result<(String, Arc<Caller>), Close> {
    loop {
        let Some(message) = read(socket.recv().await)? else { continue };
        match message["type"].as_str().unwrap_or_default() {
            "connection_init" => {
                let payload = &message["payload"];
                if !matches!(payload, Value::Null | Value::Object(_)) {
                    return Err((4400, "Invalid message: payload is an object".into()));
                }
                let given = payload["authorization"].as_str().or_else(|| payload["Authorization"].as_str()).unwrap_or("");
                let token =
                    given.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer")).map_or("", |(_, token)| token.trim());
                return match auth::authenticate(&http.house, Some(token)).await {
                    Ok(caller) if caller.who != Who::Nobody => Ok((token.to_owned(), caller)),
                    Ok(_) => Err((4403, language.say(auth::NotRecognized::Token.message()))),
                    Err(why) => Err((4403, language.say(why.message()))),
                };
            }
            "ping" => send(socket, &json!({ "type": "pong" })).await?,
            "pong" => {}
            "subscribe" | "complete" => return Err((4401, "Unauthorized".into())),
            _ => return Err((4400, "Invalid message: this type is unknown".into())),
        }
    }
}

/// What goes on over one connection.
struct Desk<'h> {
    http: &'h Http,
    address: ClientAddress,
    language: Language,
    caller: Arc<Caller>,
    say: mpsc::Sender<Said>,
    /// Ends what it holds when it is dropped.
    running: JoinSet<()>,
    operations: HashMap<String, AbortHandle>,
}

impl Desk<'_> {
    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>, socket: &mut WebSocket) -> Result<(), Close> {
        let Some(message) = read(message)? else { return Ok(()) };
        while self.running.try_join_next().is_some() {}
        let id = message["id"].as_str().filter(|id| !id.is_empty() && id.len() <= 100);
        match (message["type"].as_str().unwrap_or_default(), id) {
            ("connection_init", _) => Err((4429, "Too many initialisation requests".into())),
            ("ping", _) => send(socket, &json!({ "type": "pong" })).await,
            ("pong", _) => Ok(()),
            ("complete", Some(id)) => {
                if let Some(operation) = self.operations.remove(id) {
                    operation.abort();
                }
                Ok(())
            }
            ("subscribe", Some(id)) if self.operations.contains_key(id) => Err((4409, format!("Subscriber for {id} already exists"))),
            ("subscribe", Some(id)) if message["payload"].is_object() => match self.begin(id.to_owned(), message["payload"].clone()) {
                Ok(()) => Ok(()),
                Err(refused) => {
                    let errors = refused.body(self.language)["errors"].clone();
                    send(socket, &json!({ "type": "error", "id": id, "payload": errors })).await
                }
            },
            _ => Err((4400, "Invalid message".into())),
        }
    }

    fn begin(&mut self, id: String, payload: Value) -> Result<(), Refused> {
        if self.operations.len() >= OPERATIONS {
            return Err(Refused::bad(format!("Too many operations on this connection at once: at most {OPERATIONS}.")));
        }
        let asked = Asked::of_json(payload)?;
        let (http, caller, address) = (self.http.clone(), self.caller.clone(), self.address.clone());
        let (say, language, name) = (self.say.clone(), self.language, id.clone());
        let operation = async move {
            let mut results = if asked.kind == Kind::Subscription {
                graphql::follow(&http.graph, &http.house, asked.request.data(language), caller, address)
            } else {
                let asks_only = async move {
                    timeout(LONGEST, graphql::answer(&http.graph, &http.house, asked.request.data(language), caller, address)).await
                };
                let answer = asks_only
                    .await
                    .unwrap_or_else(|_| async_graphql::Response::from_errors(vec![async_graphql::ServerError::new(TOO_LONG, None)]));
                futures_util::stream::once(async { answer }).boxed()
            };
            while let Some(response) = results.next().await {
                let told = told(&response, language, asked.kind != Kind::Deed);
                if told.is_refusal() {
                    say.send(Said::of(&name, "error", &told.errors)).await.ok();
                    return;
                }
                if say.send(Said::of(&name, "next", &told)).await.is_err() {
                    return;
                }
            }
            say.send(Said::of(&name, "complete", &())).await.ok();
        };
        let handle = self.running.spawn(operation);
        self.operations.insert(id, handle);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_pages_from_here_open_a_socket() {
        let of = |host: &'static str, origin: &'static str| {
            let headers = [(header::HOST, HeaderValue::from_static(host)), (header::ORIGIN, HeaderValue::from_static(origin))];
            is_own_page(&headers.into_iter().collect(), "https://kimlik.csb.gov.tr/")
        };
        assert!(of("127.0.0.1:8080", "http://127.0.0.1:8080"));
        assert!(of("10.0.0.7:8080", "https://kimlik.csb.gov.tr"), "behind a proxy");
        assert!(!of("127.0.0.1:8080", "http://evil.example"));
        assert!(!of("127.0.0.1:8080", "null"));
        assert!(is_own_page(&HeaderMap::new(), "https://kimlik.csb.gov.tr"), "no browser");
    }
}
