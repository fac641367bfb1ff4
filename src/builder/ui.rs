//! The pages of the Builder: the build of `web/`, which the binary carries in itself.

use std::io::Write;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The files of the build, by their path in it.
const FILES: &[(&str, &[u8])] = include!("../../web/dist/files.rs");

/// Scripts come from here alone, and none stands in the page; the editor makes its style sheets
/// while it runs.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Names of assets hold a hash of what is in them.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// A file as it is answered: both encodings are made once, when the first file is asked for.
struct File {
    path: &'static str,
    plain: &'static [u8],
    gzip: Vec<u8>,
    etag: String,
}

static ANSWERS: LazyLock<Vec<File>> = LazyLock::new(|| {
    let answer = |&(path, plain): &(&'static str, &'static [u8])| File {
        path,
        plain,
        gzip: gzip(plain),
        etag: format!("\"{}\"", hex(&Sha256::digest(plain)[..12])),
    };
    FILES.iter().map(answer).collect()
});

/// The addresses of pages, which are told apart in the browser, and of what they load.
pub fn routes() -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/default/connector-builder") }))
        .route("/assets/{name}", get(asset))
        .route("/{workspace}/connector-builder", get(page))
        .route("/{workspace}/connector-builder/{project}", get(page))
        .route("/{workspace}/connectors", get(page))
}

async fn page(headers: HeaderMap) -> Response {
    answer("index.html", "no-cache", &headers)
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&format!("assets/{name}"), FOREVER, &headers)
}

fn answer(path: &str, caching: &'static str, headers: &HeaderMap) -> Response {
    let Some(file) = ANSWERS.iter().find(|file| file.path == path) else {
        return (StatusCode::NOT_FOUND, "There is no such file").into_response();
    };
    let named = |header| headers.get(header).and_then(|value: &HeaderValue| value.to_str().ok());
    let common = [
        (CACHE_CONTROL, caching),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CONTENT_TYPE, content_type(path)),
        (ETAG, file.etag.as_str()),
        (REFERRER_POLICY, "no-referrer"),
        (VARY, "accept-encoding"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    if named(IF_NONE_MATCH).is_some_and(|known| known.contains(&file.etag)) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    if named(ACCEPT_ENCODING).is_some_and(|encodings| encodings.contains("gzip")) {
        return (common, [(CONTENT_ENCODING, "gzip")], file.gzip.as_slice()).into_response();
    }
    (common, file.plain).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail; if it did, an empty file would be seen in the tests.
    encoder.write_all(plain).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn get_page(encoding: &'static str, known: Option<&HeaderValue>) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        if let Some(known) = known {
            headers.insert(IF_NONE_MATCH, known.clone());
        }
        page(headers).await
    }

    async fn body(response: Response) -> Vec<u8> {
        to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn page_is_answered_packed_and_plain() {
        let plain = body(get_page("identity", None).await).await;
        assert!(String::from_utf8_lossy(&plain).contains("<div id=\"app\">"));
        let response = get_page("br, gzip", None).await;
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(body(response).await, gzip(&plain));
    }

    #[tokio::test]
    async fn known_page_is_not_sent_again() {
        let etag = get_page("gzip", None).await.headers()[ETAG].clone();
        assert_eq!(get_page("gzip", Some(&etag)).await.status(), StatusCode::NOT_MODIFIED);
    }

    #[tokio::test]
    async fn assets_are_kept_forever_and_others_do_not_exist() {
        let is_script = |path: &str| std::path::Path::new(path).extension() == Some("js".as_ref());
        let (name, _) = FILES.iter().find(|(path, _)| is_script(path)).unwrap();
        let name = name.trim_start_matches("assets/").to_owned();
        let script = asset(Path(name), HeaderMap::new()).await;
        assert_eq!(script.headers()[CACHE_CONTROL], FOREVER);
        let none = asset(Path("../index.html".to_owned()), HeaderMap::new()).await;
        assert_eq!(none.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn no_script_stands_in_the_page_itself() {
        let (_, page) = FILES.iter().find(|(path, _)| *path == "index.html").unwrap();
        let page = String::from_utf8_lossy(page);
        assert!(
            page.matches("<script").count()
                == page.matches("<script type=\"module\" crossorigin src=").count()
        );
    }

    #[test]
    fn bundle_stays_small() {
        let packed: usize = ANSWERS.iter().map(|file| file.gzip.len()).sum();
        assert!(packed < 250 * 1024, "the pages are {packed} bytes, packed");
    }
}
