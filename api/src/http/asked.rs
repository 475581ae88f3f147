//! What a request asks, read on the specification "GraphQL over HTTP" and bounded before anything is parsed.
use crate::language::Language;
use async_graphql::parser::types::{DocumentOperations, OperationDefinition, OperationType};
use async_graphql::{Request, Value as Constant, Variables};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

pub const GRAPHQL: &str = "application/graphql-response+json";
pub const JSON: &str = "application/json";
pub const EVENTS: &str = "text/event-stream";

// Why bounded before the parser: it is recursive, and its time grows with what it is given.
const CHARACTERS: usize = 64 * 1024;
const TOKENS: usize = 4_000;
const NESTED: usize = 60;

/// A request that is not carried out: how HTTP says it, and how a person is told, in English.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub status: StatusCode,
    pub message: String,
}

impl Refused {
    pub fn new(message: impl Into<String>, status: StatusCode) -> Refused {
        Refused { status, message: message.into() }
    }
    pub fn bad(message: impl Into<String>) -> Refused {
        Refused { status: StatusCode::BAD_REQUEST, message: message.into() }
    }
    pub fn body(&self, language: Language) -> Value {
        json!({ "errors": [{ "message": language.say(&self.message), "extensions": { "code": "BAD_REQUEST" } }] })
    }
    pub fn told(&self, language: Language, media: &str) -> Response {
        let media = if media == EVENTS { JSON } else { media };
        let mut response =
            (self.status, [(header::CONTENT_TYPE, format!("{media}; charset=utf-8"))], self.body(language).to_string()).into_response();
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, POST"));
        }
        if self.status == StatusCode::PAYLOAD_TOO_LARGE {
            closes(&mut response);
        }
        response
    }
}

/// Says that the connection ends here. Why: a request that was answered unread takes its connection with it; a client that is not
/// told would send its next request into nowhere.
pub fn closes(response: &mut Response) {
    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
}

/// What the operation does that is going to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Question,
    Deed,
    Subscription,
}

/// One operation.
pub struct Asked {
    pub request: Request,
    pub kind: Kind,
}

impl Asked {
    /// Of a POST.
    pub fn of_body(headers: &HeaderMap, body: &Bytes) -> Result<Asked, Refused> {
        // Why: a form of any other site can send every other content type without asking the browser.
        if !is_json(headers) {
            return Err(Refused::new("Send the request with content-type: application/json.", StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let value: Value = serde_json::from_slice(body)
            .map_err(|fault| Refused::bad(format!("This is not JSON (line {}, column {}).", fault.line(), fault.column())))?;
        Asked::of_json(value)
    }

    /// Of the address of a GET.
    pub fn of_address(query: &str) -> Result<Asked, Refused> {
        let mut asked = Map::new();
        for (name, value) in form(query) {
            let value = match &*name {
                "query" | "operationName" => Value::String(value.into_owned()),
                "variables" | "extensions" if value.is_empty() => Value::Null,
                "variables" | "extensions" => match serde_json::from_str(&value) {
                    Ok(value) => value,
                    Err(_) => return Err(Refused::bad(format!("The parameter {name} is not the JSON of an object."))),
                },
                _ => continue,
            };
            asked.insert(name.into_owned(), value);
        }
        if !asked.contains_key("query") {
            return Err(Refused::bad("The parameter query is missing."));
        }
        Asked::of_json(Value::Object(asked))
    }

    /// Of the object that HTTP and WebSocket both send.
    pub fn of_json(value: Value) -> Result<Asked, Refused> {
        let not_one = || Refused::bad("Send one JSON object with `query`, and `variables` as an object. Batches are not answered.");
        let Value::Object(mut asked) = value else { return Err(not_one()) };
        let Some(Value::String(query)) = asked.remove("query") else { return Err(not_one()) };
        let name = match asked.remove("operationName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name),
            Some(_) => return Err(not_one()),
        };
        let mut object = |name: &str| match asked.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(not_one()),
        };
        let (variables, _) = (Value::Object(object("variables")?), object("extensions")?);
        bounded(&query)?;
        if let Some(place) = nul_in_query(&query).or_else(|| nul_in(&variables, "variables")) {
            return Err(Refused::bad(format!("{place}: U+0000 is not a character of any text.")));
        }
        let mut request = Request::new(query).variables(Variables::from_json(variables));
        // Why not an empty one: GET forms send it for "none".
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            request = request.operation_name(name);
        }
        let kind = kind_of(chosen(&mut request));
        complete(&mut request)?;
        Ok(Asked { request, kind })
    }
}

/// The operation that is carried out. `None`: it cannot be read, or it is not said which.
fn chosen(request: &mut Request) -> Option<&OperationDefinition> {
    let name = request.operation_name.clone();
    let document = request.parsed_query().ok()?;
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => operation,
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name.as_str())?,
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => all.values().next()?,
        (DocumentOperations::Multiple(_), None) => return None,
    };
    Some(&operation.node)
}

/// What cannot be read, or not be chosen, asks: it changes nothing.
fn kind_of(operation: Option<&OperationDefinition>) -> Kind {
    match operation.map(|o| o.ty) {
        Some(OperationType::Mutation) => Kind::Deed,
        Some(OperationType::Subscription) => Kind::Subscription,
        Some(OperationType::Query) | None => Kind::Question,
    }
}

/// Variables that were not sent: a default value counts as sent; one that must be there is the caller's mistake; all others stay away.
///
/// Why here: the library knows defaults where it reads arguments, and not where it decides what is skipped or included.
fn complete(request: &mut Request) -> Result<(), Refused> {
    // Why taken: it is read while the operation of the request is.
    let mut variables = std::mem::take(&mut request.variables);
    for definition in chosen(request).into_iter().flat_map(|operation| &operation.variable_definitions) {
        let definition = &definition.node;
        let name = &definition.name.node;
        if variables.contains_key(name) {
            continue;
        }
        match definition.default_value.as_ref().map(|value| &value.node) {
            Some(Constant::Null) | None if !definition.var_type.node.nullable => {
                let message = format!("The variable ${name} of type {} was not sent.", definition.var_type.node);
                return Err(Refused::bad(message));
            }
            Some(value) => drop(variables.insert(name.clone(), value.clone())),
            None => {}
        }
    }
    request.variables = variables;
    Ok(())
}

fn bounded(query: &str) -> Result<(), Refused> {
    if query.len() > CHARACTERS {
        return Err(Refused::bad(format!("The query is longer than {CHARACTERS} characters.")));
    }
    let (mut tokens, mut depth, mut deepest) = (0_usize, 0_usize, 0_usize);
    let (mut in_word, mut in_text, mut in_comment, mut escaped) = (false, false, false, false);
    for c in query.chars() {
        match c {
            '\n' | '\r' if in_comment => in_comment = false,
            _ if in_comment => {}
            _ if in_text && escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => {
                in_text = !in_text;
                tokens += 1;
            }
            _ if in_text => {}
            '#' => in_comment = true,
            '{' | '[' | '(' => {
                depth += 1;
                deepest = deepest.max(depth);
                tokens += 1;
            }
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            c if c.is_alphanumeric() || c == '_' => tokens += usize::from(!in_word),
            c if c.is_whitespace() || c == ',' => {}
            _ => tokens += 1,
        }
        in_word = !in_text && !in_comment && (c.is_alphanumeric() || c == '_');
    }
    if tokens > TOKENS {
        return Err(Refused::bad(format!("The query has more than {TOKENS} words and signs.")));
    }
    if deepest > NESTED {
        return Err(Refused::bad(format!("The query is nested more than {NESTED} deep.")));
    }
    Ok(())
}

/// As itself, or as an escape: no database keeps it, and no name has it.
fn nul_in_query(query: &str) -> Option<String> {
    let escape = |(at, _): (usize, &str)| query[..at].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 0;
    let escaped = query.match_indices("\\u0000").chain(query.match_indices("\\u{0}")).any(escape);
    (query.contains('\0') || escaped).then(|| "query".to_owned())
}

fn nul_in(value: &Value, place: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| place.to_owned()),
        Value::Array(items) => items.iter().enumerate().find_map(|(at, item)| nul_in(item, &format!("{place}.{at}"))),
        Value::Object(map) => map
            .iter()
            .find_map(|(key, item)| if key.contains('\0') { Some(place.to_owned()) } else { nul_in(item, &format!("{place}.{key}")) }),
        _ => None,
    }
}

fn form(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// `application/x-www-form-urlencoded`; what is no UTF-8 becomes a sign that no query has, and is refused as that.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return text.into();
    }
    let hex = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let pair = || Some(hex(*bytes.get(at + 1)?)? * 16 + hex(*bytes.get(at + 2)?)?);
        match (byte, pair()) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned().into()
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(text) = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()) else { return false };
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().is_some_and(|m| m.eq_ignore_ascii_case(JSON));
    media
        && parts.all(|p| {
            p.split_once('=').is_none_or(|(k, v)| !k.eq_ignore_ascii_case("charset") || v.trim_matches('"').eq_ignore_ascii_case("utf-8"))
        })
}

/// The one of ours that the client wants most; what names none but takes anything gets JSON. `None`: it takes none of them.
pub fn accepted(headers: &HeaderMap) -> Option<&'static str> {
    let Some(text) = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()) else { return Some(JSON) };
    let mut best: Option<(f32, &'static str)> = None;
    for part in text.split(',') {
        let mut pieces = part.split(';').map(str::trim);
        let media = match pieces.next().unwrap_or("") {
            m if m.eq_ignore_ascii_case(GRAPHQL) => GRAPHQL,
            m if m.eq_ignore_ascii_case(JSON) => JSON,
            m if m.eq_ignore_ascii_case(EVENTS) => EVENTS,
            "*/*" | "application/*" | "" => JSON,
            _ => continue,
        };
        let weight = pieces.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        if weight > best.map_or(0.0, |(most, _)| most) {
            best = Some((weight, media));
        }
    }
    best.map(|(_, media)| media)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asked(query: &str) -> Result<Kind, String> {
        Asked::of_json(json!({ "query": query })).map(|a| a.kind).map_err(|r| r.message)
    }

    #[test]
    fn what_an_operation_does_is_read_from_the_one_that_is_chosen() {
        assert_eq!(asked("{ a }"), Ok(Kind::Question));
        assert_eq!(asked("mutation { a }"), Ok(Kind::Deed));
        assert_eq!(asked("subscription { a }"), Ok(Kind::Subscription));
        let both = "query A { a } mutation B { b }";
        let of = |name: &str| Asked::of_json(json!({ "query": both, "operationName": name })).map(|a| a.kind).unwrap();
        assert_eq!((of("A"), of("B")), (Kind::Question, Kind::Deed));
    }

    #[test]
    fn a_variable_that_was_not_sent_has_its_default_or_stays_away_or_is_missed() {
        let of = |query: &str| Asked::of_json(json!({ "query": query, "variables": { "sent": null } })).map(|a| a.request.variables);
        let variables = of("query($sent: Int = 1, $kept: Boolean! = true, $away: Int) { a(b: $sent, c: $kept, d: $away) }").unwrap();
        assert_eq!(serde_json::to_value(&variables).unwrap(), json!({ "sent": null, "kept": true }));
        let missed = of("query($id: [ID!]!) { a(b: $id) }").err().unwrap().message;
        assert_eq!(missed, "The variable $id of type [ID!]! was not sent.");
        assert_eq!(Language::Turkish.say(&missed), "[ID!]! türündeki $id değişkeni gönderilmedi.");
        let other = json!({ "query": "query A($id: ID!) { a(b: $id) } query B { b }", "operationName": "B" });
        assert!(Asked::of_json(other).is_ok(), "another operation's variables need not be there");
    }

    #[test]
    fn what_would_keep_the_parser_busy_is_refused_before_it() {
        assert!(asked(&" ".repeat(CHARACTERS + 1)).unwrap_err().contains("longer"));
        assert!(asked(&format!("{{ {} }}", "a ".repeat(TOKENS))).unwrap_err().contains("words"));
        assert!(asked(&"{".repeat(5_000)).unwrap_err().contains("words"));
        assert!(asked(&format!("{}{}", "{a".repeat(100), "}".repeat(100))).unwrap_err().contains("deep"));
        assert!(asked(&format!("{{ a(b: \"{}\") }}", "{ x ".repeat(3_000))).is_ok(), "what stands in a text is no sign");
        assert!(asked(&format!("# {}\n{{ a }}", "{ ".repeat(5_000))).is_ok(), "nor in a comment");
    }

    #[test]
    fn u0000_is_found_wherever_it_hides() {
        assert!(asked("{ a(b: \"x\\u0000\") }").unwrap_err().contains("U+0000"));
        assert!(asked("{ a(b: \"x\0\") }").unwrap_err().contains("U+0000"));
        assert!(asked("{ a(b: \"x\\\\u0000\") }").is_ok(), "a backslash and six letters");
        let deep = json!({ "query": "{ a }", "variables": { "input": { "names": ["a", "b\0"] } } });
        assert_eq!(Asked::of_json(deep).err().unwrap().message, "variables.input.names.1: U+0000 is not a character of any text.");
    }

    #[test]
    fn an_address_says_the_same_as_a_body() {
        let a = Asked::of_address("query=query+A(%24a:Int)%7Ba%7D&variables=%7B%22a%22%3A1%7D&operationName=A&extensions=").ok().unwrap();
        assert_eq!((a.request.query.as_str(), a.kind), ("query A($a:Int){a}", Kind::Question));
        assert!(Asked::of_address("").err().unwrap().message.contains("missing"));
        assert!(Asked::of_address("query={a}&variables=1").is_err());
        assert!(Asked::of_address("query={a}&variables={").err().unwrap().message.contains("variables"));
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }

    #[test]
    fn the_media_type_that_is_wanted_most_is_answered() {
        let of = |text: &'static str| accepted(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(text))]));
        assert_eq!(of("application/graphql-response+json, application/json;q=0.9"), Some(GRAPHQL));
        assert_eq!(of("application/graphql-response+json;q=0.1, application/json;q=0.9"), Some(JSON));
        assert_eq!(of("text/event-stream"), Some(EVENTS));
        assert_eq!(of("text/html,*/*;q=0.8"), Some(JSON));
        assert_eq!(of("text/html"), None);
        assert_eq!(of("application/json;q=0"), None);
    }
}
