//! The page of identity cards, out of the binary: people finder, one's own card with its phones, colleagues' cards, units. It asks
//! the GraphQL API and no other origin.
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const PAGE: &str = include_str!("../../assets/kart/index.html");
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Name, type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("kart.js", SCRIPT, include_str!("../../assets/kart/kart.js")),
    ("form.js", SCRIPT, include_str!("../../assets/kart/form.js")),
    ("phones.js", SCRIPT, include_str!("../../assets/kart/phones.js")),
    ("reset.js", SCRIPT, include_str!("../../assets/kart/reset.js")),
    ("truth.js", SCRIPT, include_str!("../../assets/kart/truth.js")),
    ("session.js", SCRIPT, include_str!("../../assets/kart/session.js")),
    ("words.js", SCRIPT, include_str!("../../assets/kart/words.js")),
    ("kart.css", "text/css; charset=utf-8", include_str!("../../assets/kart/kart.css")),
];

pub async fn page() -> Html<&'static str> {
    Html(PAGE)
}

pub async fn file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(n, ..)| *n == name) {
        Some((_, kind, text)) => ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")], *text).into_response(),
        None => (StatusCode::NOT_FOUND, "There is no such file.\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES, PAGE};

    #[test]
    fn the_first_load_is_small_and_names_no_other_origin() {
        let size: usize = PAGE.len() + FILES.iter().map(|(.., text)| text.len()).sum::<usize>();
        assert!(size < 60_000, "{size} octets");
        for text in FILES.iter().map(|(.., text)| *text).chain([PAGE]) {
            assert!(!text.contains("http:") && !text.contains("https:"), "another origin is named");
        }
    }
}
