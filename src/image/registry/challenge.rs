//! How a registry asks who we are: the `WWW-Authenticate` header.

/// What a registry wants as proof.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password.
    Basic,
    /// A token from the server `realm`.
    Bearer {
        /// The URL of the server that gives tokens.
        realm: String,
        /// What the token is for.
        service: Option<String>,
        /// What is to be done with it.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads the header; nothing if it asks for something else.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        for (name, value) in parameters(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        Some(Self::Bearer { realm: realm?, service, scope })
    }
}

/// The pairs of `a="b,c", d=e`.
fn parameters(mut text: &str) -> Vec<(&str, String)> {
    let mut parameters = Vec::new();
    while let Some((name, rest)) = text.split_once('=') {
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        parameters.push((name.trim_matches([' ', ',']), value.trim().to_owned()));
        text = rest;
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expect: Option<(&str, Option<&str>, Option<&str>)>) {
        let expect = expect.map(|(realm, service, scope)| Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        });
        assert_eq!(Challenge::parse(header), expect);
    }

    #[test]
    fn challenges_are_read() {
        assert_eq!(Challenge::parse("Basic realm=\"x\""), Some(Challenge::Basic));
        check(
            "Bearer realm=\"https://auth/token\",service=\"r\",scope=\"repository:a/b:pull,push\"",
            Some(("https://auth/token", Some("r"), Some("repository:a/b:pull,push"))),
        );
        check("bearer Realm=https://a/t , service=r", Some(("https://a/t", Some("r"), None)));
        check("Bearer service=\"r\"", None);
        check("Bearer", None);
        check("Bearer realm=\"https://a", Some(("https://a", None, None)));
        check("Negotiate", None);
    }
}
