//! The `Link` header, which names the pages around this one.

use crate::value::{Json, Map};

/// The links by their relation, or by their URL if they have none:
/// `{"next": {"url": "https://…", "rel": "next"}}`, as `requests` reads them.
pub fn links(header: &str) -> Map {
    /// What is stripped from the texts around a link.
    const QUOTES: [char; 3] = [' ', '\'', '"'];
    let mut links = Map::new();
    let header = header.trim_matches(QUOTES);
    if header.is_empty() {
        return links;
    }
    for link in split_links(header) {
        let (url, params) = link.split_once(';').unwrap_or((link, ""));
        let url = url.trim_matches(['<', '>', ' ', '\'', '"']);
        let mut fields = Map::new();
        fields.insert("url".to_owned(), url.into());
        for param in params.split(';') {
            // A parameter of another form ends the link.
            let mut halves = param.split('=');
            let (Some(key), Some(value), None) = (halves.next(), halves.next(), halves.next())
            else {
                break;
            };
            fields.insert(key.trim_matches(QUOTES).to_owned(), value.trim_matches(QUOTES).into());
        }
        let relation = fields.get("rel").and_then(Json::as_str).filter(|rel| !rel.is_empty());
        links.insert(relation.unwrap_or(url).to_owned(), Json::Object(fields));
    }
    links
}

/// Splits at each comma that a `<` follows.
fn split_links(header: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(header);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let comma = text
            .match_indices(',')
            .find(|(idx, _)| text[idx + 1..].trim_start_matches(' ').starts_with('<'));
        let Some((idx, _)) = comma else { return Some(text) };
        let next = text[idx + 1..].trim_start_matches(' ');
        rest = Some(&next[1..]);
        Some(&text[..idx])
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(header: &str, expect: &Json) {
        assert_eq!(Json::Object(links(header)), *expect);
    }

    #[test]
    fn links_are_found_by_relation() {
        check(
            r#"<https://h/a?p=2,3>; rel="next"; title=x, <https://h/b>;rel=last"#,
            &json!({
                "next": {"url": "https://h/a?p=2,3", "rel": "next", "title": "x"},
                "last": {"url": "https://h/b", "rel": "last"},
            }),
        );
    }

    #[test]
    fn a_link_without_relation_is_found_by_its_url() {
        check("<https://h/a>", &json!({"https://h/a": {"url": "https://h/a"}}));
        check("<u>; rel", &json!({"u": {"url": "u"}}));
        check("<u>; rel=a=b", &json!({"u": {"url": "u"}}));
    }

    #[test]
    fn an_empty_header_has_no_links() {
        check("", &json!({}));
        check(" ' ", &json!({}));
    }
}
