//! The page where people mend their own password, out of the binary. It asks the GraphQL API and no other origin.
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

const PAGE: &str = include_str!("../../assets/parola/index.html");
/// Name, type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("parola.js", "text/javascript; charset=utf-8", include_str!("../../assets/parola/parola.js")),
    ("parola.css", "text/css; charset=utf-8", include_str!("../../assets/parola/parola.css")),
];

/// The address that messages name: whoever types it is a person with a code, not an administrator.
pub async fn home() -> Redirect {
    Redirect::temporary("/parola")
}

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
