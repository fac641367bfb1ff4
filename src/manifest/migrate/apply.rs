//! The migrations themselves, on a resolved manifest; the reference's, in its order.

use serde_json::json;

use super::JoinUrl;
use crate::value::{Json, Map};

/// Migrates every requester of a resolved manifest, but for those in templates of streams; or says
/// why the manifest has to stay as it is: the reference then leaves all of it alone.
///
/// Gives the names of the migrations that changed something.
pub(super) fn apply(manifest: &mut Json, join: JoinUrl) -> Result<Vec<&'static str>, String> {
    let migrations: [(&str, &Migrate<'_>); 3] = [
        ("HttpRequesterUrlBaseToUrl", &|requester| Ok(rename_url_base(requester))),
        ("HttpRequesterPathToUrl", &|requester| join_path(requester, join)),
        ("HttpRequesterRequestBodyJsonDataToRequestBody", &|requester| Ok(type_bodies(requester))),
    ];
    let mut applied = Vec::new();
    for (name, migrate) in migrations {
        if each_requester(manifest, migrate)? {
            applied.push(name);
        }
    }
    Ok(applied)
}

/// Changes a requester; tells whether there was anything to change.
type Migrate<'m> = dyn Fn(&mut Map) -> Result<bool, String> + 'm;

fn each_requester(value: &mut Json, migrate: &Migrate<'_>) -> Result<bool, String> {
    let mut has_changed = false;
    match value {
        Json::Array(items) => {
            for item in items {
                has_changed |= each_requester(item, migrate)?;
            }
        }
        Json::Object(fields) => {
            match fields.get("type").and_then(Json::as_str) {
                Some("DynamicDeclarativeStream") => return Ok(false),
                Some("HttpRequester") => has_changed |= migrate(fields)?,
                _ => {}
            }
            for value in fields.values_mut() {
                has_changed |= each_requester(value, migrate)?;
            }
        }
        _ => {}
    }
    Ok(has_changed)
}

fn rename_url_base(requester: &mut Map) -> bool {
    let Some(url) = requester.shift_remove("url_base") else { return false };
    requester.insert("url".to_owned(), url);
    true
}

fn join_path(requester: &mut Map, join: JoinUrl) -> Result<bool, String> {
    let Some(path) = requester.get("path") else { return Ok(false) };
    let path = path.as_str().ok_or("the `path` of a requester is no text")?;
    let url = requester.get("url").ok_or("a requester has a `path` and no `url`")?;
    let url = joined(url.as_str().ok_or("the `url` of a requester is no text")?, path, join)?;
    requester.insert("url".to_owned(), Json::String(url));
    requester.shift_remove("path");
    Ok(true)
}

/// The URL with its path; fails where Python's `urljoin` would.
pub(super) fn joined(url: &str, path: &str, join: JoinUrl) -> Result<String, String> {
    let path = path.trim_start_matches('/');
    if path.is_empty() {
        return Ok(url.to_owned());
    }
    let slash = if url.ends_with('/') { "" } else { "/" };
    let base = format!("{url}{slash}");
    check_host(&base)?;
    check_host(path)?;
    Ok(join(&base, path))
}

/// Python takes brackets in a host for those of an IPv6 address.
fn check_host(url: &str) -> Result<(), String> {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let rest = url.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).map_or(url, |it| it.1);
    let Some(rest) = rest.strip_prefix("//") else { return Ok(()) };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let address = host.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    let is_fine = match address {
        Some((address, _)) => {
            address.contains(':')
                && address.chars().all(|c| c.is_ascii_hexdigit() || ":.".contains(c))
        }
        None => !host.contains(['[', ']']),
    };
    if is_fine { Ok(()) } else { Err(format!("the host of `{url}` has brackets in it")) }
}

fn type_bodies(requester: &mut Map) -> bool {
    let mut has_changed = false;
    for key in ["request_body_json", "request_body_data"] {
        let Some(type_name) = requester.get(key).and_then(|body| body_type(key, body)) else {
            continue;
        };
        let body = requester.shift_remove(key).unwrap_or_default();
        requester.insert("request_body".to_owned(), json!({"type": type_name, "value": body}));
        has_changed = true;
    }
    has_changed
}

/// The `type` that a body gets; texts that may give any JSON stay as they are.
pub(super) fn body_type(key: &str, body: &Json) -> Option<&'static str> {
    match (key, body) {
        ("request_body_data", _) => Some("RequestBodyUrlEncodedForm"),
        (_, Json::Object(body)) if body.get("query").is_some_and(Json::is_string) => {
            Some("RequestBodyGraphQL")
        }
        (_, Json::Object(_)) => Some("RequestBodyJsonObject"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(requester: &Json, expect: Result<Json, &str>) {
        let mut manifest = requester.clone();
        manifest["type"] = json!("HttpRequester");
        let join: JoinUrl = |base, path| format!("{base}{path}");
        let outcome = apply(&mut manifest, join).map(|_| {
            manifest.as_object_mut().unwrap().remove("type");
            manifest
        });
        assert_eq!(outcome, expect.map_err(str::to_owned));
    }

    #[test]
    fn urls_are_joined() {
        check(&json!({"url_base": "http://h"}), Ok(json!({"url": "http://h"})));
        check(&json!({"url_base": "http://h", "path": "/a"}), Ok(json!({"url": "http://h/a"})));
        check(&json!({"url": "http://h/", "path": "a"}), Ok(json!({"url": "http://h/a"})));
        check(&json!({"url": "http://h", "path": "/"}), Ok(json!({"url": "http://h"})));
        check(
            &json!({"url": "{{ config['h'] }}", "path": "a"}),
            Ok(json!({"url": "{{ config['h'] }}/a"})),
        );
    }

    #[test]
    fn what_the_reference_stumbles_over_stays() {
        check(&json!({"path": "a"}), Err("a requester has a `path` and no `url`"));
        check(&json!({"url": 5, "path": "a"}), Err("the `url` of a requester is no text"));
        let error = "the host of `http://{{ x['h'] }}.c/` has brackets in it";
        check(&json!({"url": "http://{{ x['h'] }}.c", "path": "a"}), Err(error));
        check(&json!({"url": "http://[::1]", "path": "a"}), Ok(json!({"url": "http://[::1]/a"})));
    }

    #[test]
    fn bodies_get_a_type() {
        let body =
            |name: &str, value: &Json| json!({"request_body": {"type": name, "value": value}});
        let json = json!({"a": 1});
        check(&json!({"request_body_json": json}), Ok(body("RequestBodyJsonObject", &json)));
        let query = json!({"query": "{ a }"});
        check(&json!({"request_body_json": query}), Ok(body("RequestBodyGraphQL", &query)));
        let text = json!({"request_body_json": "{{ x }}"});
        check(&text, Ok(text.clone()));
        check(
            &json!({"request_body_data": "a"}),
            Ok(body("RequestBodyUrlEncodedForm", &json!("a"))),
        );
    }

    #[test]
    fn templates_of_streams_stay() {
        let stream = json!({"type": "DynamicDeclarativeStream", "x": {"type": "HttpRequester", "url_base": "u"}});
        let mut manifest = json!({"dynamic_streams": [stream]});
        let before = manifest.clone();
        apply(&mut manifest, |base, _| base.to_owned()).unwrap();
        assert_eq!(manifest, before);
    }
}
