//! Photos at the real program: by address, with a tag, for whoever may see the card, and for nobody else.
use crate::access_matrix::{Person, people, service};
use crate::surface::program::Serving;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_domain::account::Dn;
use kimlik_domain::ports::SignIn as _;
use serde_json::Value;
use std::time::{Duration, Instant};

const PICTURE: &[u8] = b"\xff\xd8\xff\xe0 the rest of a picture";

async fn hang(serving: &Serving, person: &Person, octets: Option<&[u8]>) {
    let file = serving.folder.path().join("var/directory.db");
    let directory = EmbeddedDirectory::open(&file, Dn::new("OU=CSB,DC=csb,DC=test"), "csb.test", None).await.unwrap();
    let account = directory.account_named(&person.username).await.unwrap().unwrap();
    directory.hand_photo(account, octets).await.unwrap();
    directory.close().await;
}

async fn shown(serving: &Serving, person: &Person, until: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let answer = serving.ask(&format!("{{ identityCard(by: {{ id: \"{}\" }}) {{ photo {{ url etag }} }} }}", person.id)).await;
        let photo = &answer["data"]["identityCard"]["photo"];
        if until(photo) {
            return photo.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn get(serving: &Serving, path: &str, token: Option<&str>, held: Option<&str>) -> reqwest::Response {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let mut request = reqwest::Client::new().get(serving.url(path));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(held) = held {
        request = request.header("if-none-match", held);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_photo_is_shown_to_whoever_may_see_the_card_and_asked_for_again_only_when_it_is_another() {
    let serving = Serving::start(&[]);
    let all = people(&serving).await;
    let (person, other) = (&all[0], &all[1]);
    let token = serving.token().await;
    let blind = service(&serving, "blind-service", &["HEALTH_READ"]).await;
    let seeing = service(&serving, "front-end", &["CARDS_READ"]).await;
    hang(&serving, person, Some(PICTURE)).await;
    let photo = shown(&serving, person, Value::is_object).await;
    let path = format!("/photos/{}", person.id);
    assert!(photo["url"].as_str().unwrap().ends_with(&path), "{photo}");
    let tag = format!("\"{}\"", photo["etag"].as_str().unwrap());
    for token in [&token, &seeing] {
        let answer = get(&serving, &path, Some(token), None).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((answer.status().as_u16(), header("content-type"), header("etag")), (200, "image/jpeg".into(), tag.clone()));
        assert_eq!((header("x-content-type-options"), header("cache-control")), ("nosniff".into(), "private, no-cache".into()));
        assert!(header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(answer.bytes().await.unwrap(), PICTURE);
    }
    let again = get(&serving, &path, Some(&token), Some(&tag)).await;
    assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, tag.as_str()));
    assert!(again.bytes().await.unwrap().is_empty());
    // Whoever may not see it is told what is told of nothing.
    let nothing = "/photos/card_0123456789abcdef0123456789abcdef";
    let without = format!("/photos/{}", other.id);
    for (path, token, held) in [
        (path.as_str(), None, None),
        (&path, Some(&blind), None),
        (&path, Some(&blind), Some(tag.as_str())),
        (nothing, Some(&token), None),
        (nothing, Some(&token), Some("*")),
        (&without, Some(&token), None),
        ("/photos/nonsense", Some(&token), None),
        ("/photos/..%2Fvar", Some(&token), None),
    ] {
        let answer = get(&serving, path, token.map(String::as_str), held).await;
        let names: Vec<String> =
            answer.headers().keys().map(ToString::to_string).filter(|name| name == "etag" || name == "content-type").collect();
        assert_eq!((answer.status().as_u16(), names), (404, Vec::new()), "{path}");
        assert!(answer.bytes().await.unwrap().is_empty());
    }
    assert_eq!(get(&serving, &path, Some("x.y.z"), None).await.status().as_u16(), 401);
    // Another one, nothing that a page may be sent, and none.
    hang(&serving, person, Some(b"\x89PNG\r\n\x1a\n another")).await;
    let second = shown(&serving, person, |now| now.is_object() && now["etag"] != photo["etag"]).await;
    let answer = get(&serving, &path, Some(&token), Some(&tag)).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "image/png"), "{second}");
    hang(&serving, person, Some(b"<svg onload=alert(1)>")).await;
    shown(&serving, person, Value::is_null).await;
    assert_eq!(get(&serving, &path, Some(&token), Some(&tag)).await.status().as_u16(), 404);
}
