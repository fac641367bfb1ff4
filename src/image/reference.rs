//! Names of images, as Docker reads them.

use std::fmt;
use std::str::FromStr;

use super::digest::Digest;
use super::error::ImageError;

/// Where images without a registry in their name are.
const DOCKER_HUB: &str = "docker.io";

/// The name of an image: `[HOST/]REPOSITORY[:TAG][@DIGEST]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry.
    pub host: String,
    /// The repository in the registry.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The very content; goes before the tag.
    pub digest: Option<Digest>,
}

impl Reference {
    /// The last part of the repository: `source-pokeapi` of `airbyte/source-pokeapi`.
    pub fn title(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }

    /// The version of the connector; an image of one has to be named by it.
    pub fn version(&self) -> Result<&str, ImageError> {
        let tag = self.tag.as_deref().filter(|_| self.digest.is_none());
        let name = || Self { tag: None, digest: None, ..self.clone() };
        tag.ok_or_else(|| ImageError::NoVersion(Box::new(name())))
    }

    /// The usual name of an archive with the image: `source-pokeapi-1.0.0.tar`.
    pub fn archive_name(&self) -> String {
        let name = [self.title()].into_iter().chain(self.tag.as_deref());
        format!("{}.tar", name.collect::<Vec<_>>().join("-"))
    }

    /// The name as the registry knows it, without the host.
    pub fn in_registry(&self) -> String {
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        let digest = self.digest.iter().map(|digest| format!("@{digest}"));
        [self.repository.clone()].into_iter().chain(tag).chain(digest).collect()
    }

    /// What a registry knows the content by: the digest, or else the tag.
    pub fn name_of_manifest(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// The whole name, with the registry also where that is Docker Hub.
    pub fn full(&self) -> String {
        format!("{}/{}", self.host, self.in_registry())
    }

    /// Whether the registry runs on this machine.
    pub fn is_local(&self) -> bool {
        let name = match self.host.rsplit_once(':') {
            Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
            _ => &self.host,
        };
        name == "localhost" || name == "[::1]" || name.starts_with("127.")
    }
}

impl FromStr for Reference {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Self, ImageError> {
        let refuse = |reason| ImageError::Reference { text: text.to_owned(), reason };
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => {
                let digest = Digest::try_from(digest.to_owned());
                (name, Some(digest.map_err(|_| refuse("its digest is none of sha256"))?))
            }
            None => (text, None),
        };
        let (host, rest) = match name.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest),
            _ => (DOCKER_HUB, name),
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (rest, None),
        };
        if !repository.split('/').all(is_component) {
            return Err(refuse(
                "a repository is made of lower-case letters, digits, and single `.`, `_`, `-`, \
                 and `/` between them",
            ));
        }
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(refuse(
                "a tag is made of at most 128 letters, digits, `_`, `.`, and `-`, and begins with \
                 none of the last two",
            ));
        }
        let is_official = host == DOCKER_HUB && !repository.contains('/');
        let folder = if is_official { "library/" } else { "" };
        let repository = format!("{folder}{repository}");
        Ok(Self { host: host.to_owned(), repository, tag, digest })
    }
}

/// Letters and digits, with `.`, `_`, `__`, or any number of `-` between them.
fn is_component(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator =
        |gap: &str| matches!(gap, "" | "." | "_" | "__") || gap.chars().all(|c| c == '-');
    text.starts_with(is_word) && text.ends_with(is_word) && text.split(is_word).all(is_separator)
}

fn is_tag(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&text.len())
        && text.starts_with(is_word)
        && text.chars().all(|c| is_word(c) || matches!(c, '.' | '-'))
}

impl fmt::Display for Reference {
    /// The name as people write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full = self.full();
        let short = full.strip_prefix(DOCKER_HUB).and_then(|name| name.strip_prefix('/'));
        let short = short.unwrap_or(&full);
        f.write_str(short.strip_prefix("library/").unwrap_or(short))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_can_be_read_is_written_as_it_was(
            text in "([a-z]{1,3}(\\.[a-z]{1,3})?(:[0-9]{1,2})?/)?[a-z0-9._/-]{1,9}(:[A-Za-z0-9._-]{1,4})?"
        ) {
            if let Ok(reference) = text.parse::<Reference>() {
                let again: Reference = reference.to_string().parse().unwrap();
                prop_assert_eq!(&again, &reference);
                prop_assert_eq!(reference.full().parse::<Reference>().unwrap(), reference);
            }
        }

        #[test]
        fn no_name_is_too_odd(text: String) {
            let _ = text.parse::<Reference>();
        }
    }

    #[track_caller]
    fn check(text: &str, host: &str, repository: &str, tag: Option<&str>) {
        let reference: Reference = text.parse().unwrap();
        let parts = (&*reference.host, &*reference.repository, reference.tag.as_deref());
        assert_eq!(parts, (host, repository, tag));
        assert_eq!(reference.to_string(), text);
    }

    #[test]
    fn names_are_read_as_docker_reads_them() {
        check("airbyte/source-x:1.0.0", "docker.io", "airbyte/source-x", Some("1.0.0"));
        check("busybox", "docker.io", "library/busybox", None);
        check("localhost/a", "localhost", "a", None);
        check("localhost:5000/a/b__c:x", "localhost:5000", "a/b__c", Some("x"));
        check("ghcr.io/a/b--c", "ghcr.io", "a/b--c", None);
        let digest = Digest::of(b"");
        let text = format!("ghcr.io/a/b:1@{digest}");
        let reference: Reference = text.parse().unwrap();
        assert_eq!((reference.to_string(), reference.digest), (text, Some(digest)));
    }

    #[test]
    fn names_that_no_registry_takes_are_refused() {
        for text in ["", "A/b", "a//b", "a/b:", "a/b:-x", "a/b:x y", "a/-b", "a@sha256:0", "a___b"]
        {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }

    #[test]
    fn registries_of_this_machine_are_known() {
        for (text, expect) in [
            ("localhost:5000/a", true),
            ("127.0.0.1/a", true),
            ("[::1]:5000/a", true),
            ("localhost.example.com/a", false),
            ("ghcr.io/a", false),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().is_local(), expect, "{text}");
        }
    }
}
