//! GraphiQL out of the binary: no other origin is ever asked. Files come from api/assets/graphiql (see VENDOR.toml).
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const PAGE: &str = include_str!("../../assets/graphiql/index.html");
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Name, type, content; all but our own are packed.
const FILES: &[(&str, &str, &[u8])] = &[
    ("react.js", SCRIPT, include_bytes!("../../assets/graphiql/react.js.gz")),
    ("react-dom.js", SCRIPT, include_bytes!("../../assets/graphiql/react-dom.js.gz")),
    ("graphiql.js", SCRIPT, include_bytes!("../../assets/graphiql/graphiql.js.gz")),
    ("explorer.js", SCRIPT, include_bytes!("../../assets/graphiql/explorer.js.gz")),
    ("graphql-ws.js", SCRIPT, include_bytes!("../../assets/graphiql/graphql-ws.js.gz")),
    ("graphiql.css", STYLE, include_bytes!("../../assets/graphiql/graphiql.css.gz")),
    ("explorer.css", STYLE, include_bytes!("../../assets/graphiql/explorer.css.gz")),
];
const OWN: &[(&str, &str, &str)] = &[
    ("questions.js", SCRIPT, include_str!("../../assets/graphiql/questions.js")),
    ("session.js", SCRIPT, include_str!("../../assets/graphiql/session.js")),
    ("init.js", SCRIPT, include_str!("../../assets/graphiql/init.js")),
    ("page.css", STYLE, include_str!("../../assets/graphiql/page.css")),
];

pub async fn page() -> Html<&'static str> {
    Html(PAGE)
}

pub async fn file(Path(name): Path<String>) -> Response {
    // Why no-cache for a version that never changes: the address has no version in it, and this machine is near.
    if let Some((_, kind, text)) = OWN.iter().find(|(n, ..)| *n == name) {
        return ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")], *text).into_response();
    }
    match FILES.iter().find(|(n, ..)| *n == name) {
        Some((_, kind, packed)) => {
            let headers = [(header::CONTENT_TYPE, *kind), (header::CONTENT_ENCODING, "gzip"), (header::CACHE_CONTROL, "no-cache")];
            (headers, *packed).into_response()
        }
        None => (StatusCode::NOT_FOUND, "There is no such file.\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES, OWN, PAGE};

    #[test]
    fn the_page_names_only_files_that_are_here() {
        let named: Vec<&str> = PAGE.split(['"']).filter(|part| part.starts_with("/graphiql/")).collect();
        assert!(named.len() >= FILES.len(), "{named:?}");
        for file in named.iter().map(|f| f.trim_start_matches("/graphiql/")) {
            assert!(FILES.iter().any(|(n, ..)| *n == file) || OWN.iter().any(|(n, ..)| *n == file), "{file}");
        }
        assert!(!PAGE.contains("http:") && !PAGE.contains("https:") && !PAGE.contains("//"), "another origin is named");
    }
}
