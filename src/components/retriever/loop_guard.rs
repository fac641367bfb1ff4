//! Pages that repeat themselves: the token for the next page is the one that was asked with, and
//! leads to the same body again.
//!
//! The reference goes on for ever. So does this, but says so once, unless it is to stop. Bodies
//! are looked at only after a token came back, so that ordinary pages cost nothing.

use std::hash::{DefaultHasher, Hash, Hasher};

use tracing::warn;

use crate::components::ReadError;
use crate::http::Response;
use crate::protocol::TracedError;
use crate::value::Json;

/// A page whose token came back.
#[derive(Debug)]
pub(super) struct Repeat {
    digest: u64,
    /// Its request, for messages.
    request: String,
}

impl Repeat {
    /// The page of a response; `None` if its body is not held as a whole.
    pub(super) fn of(response: &Response) -> Option<Self> {
        let body = Some(response.bytes()).filter(|body| !body.is_empty())?;
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let request = format!("{} {}", response.request.method, response.request.place());
        Some(Self { digest: hasher.finish(), request })
    }
}

/// Watches the pages of one slice.
#[derive(Debug)]
pub(super) struct LoopGuard<'a> {
    stream: &'a str,
    stops: bool,
    last_digest: Option<u64>,
    is_told: bool,
}

impl<'a> LoopGuard<'a> {
    /// A guard that warns, or stops.
    pub(super) fn new(stream: &'a str, stops: bool) -> Self {
        Self { stream, stops, last_digest: None, is_told: false }
    }

    /// Whether the next page has to be looked at.
    pub(super) fn suspects(asked: Option<&Json>, next: Option<&Json>) -> bool {
        next.is_some() && next == asked
    }

    /// Looks at a page: `None` if its token is a new one.
    pub(super) fn observe(&mut self, page: Option<Repeat>) -> Result<(), ReadError> {
        let Some(Repeat { digest, request }) = page else {
            self.last_digest = None;
            return Ok(());
        };
        if self.last_digest.replace(digest) != Some(digest) {
            return Ok(());
        }
        let stream = self.stream;
        let message = format!("Stream {stream}: {request} gives the same page again and again");
        if self.stops {
            let message = format!("{message} (--stop-on-repeat).");
            return Err(ReadError::traced(TracedError::system(message)));
        }
        if !std::mem::replace(&mut self.is_told, true) {
            warn!("{message}, with the same token; `--stop-on-repeat` would stop here.");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bodies of pages whose token came back, and when the guard stops.
    #[track_caller]
    fn check(digests: &[Option<u64>], expect: Option<usize>) {
        let mut guard = LoopGuard::new("s", true);
        let page = |digest| Repeat { digest, request: "GET http://h/a".to_owned() };
        let stopped = digests.iter().position(|it| guard.observe(it.map(page)).is_err());
        assert_eq!(stopped, expect);
    }

    #[test]
    fn the_same_body_for_the_same_token_is_a_loop() {
        check(&[None, Some(1), Some(1)], Some(2));
        check(&[Some(1), Some(2), Some(1)], None);
        check(&[Some(1), None, Some(1)], None);
    }

    #[test]
    fn a_token_is_suspect_when_it_comes_back() {
        let (a, b) = (Json::from("a"), Json::from("b"));
        assert!(LoopGuard::suspects(Some(&a), Some(&a)));
        assert!(!LoopGuard::suspects(Some(&a), Some(&b)));
        assert!(!LoopGuard::suspects(None, None));
    }
}
