//! Pages that are asked for before the page before them is read (`read --prefetch N`).
//!
//! Where pages are numbered, what asks for the next one is known as soon as the size of a page is:
//! only whether there is a next one is not. So some are asked for ahead, from the second page on,
//! and given out in their order, when the page before each says that it is the next. What was
//! asked for beyond the end is dropped unread, whatever the API made of it.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::components::{Answer, Paginator, ReadError, RequestInput, RequestParts, Requester};
use crate::http::BodyMode;
use crate::run::ledger::{self, Spent};
use crate::value::{Json, StreamSlice};

/// What a page is asked for with, apart from the read that it belongs to.
pub(super) struct AheadRequest {
    pub(super) slice: StreamSlice,
    pub(super) token: Json,
    pub(super) path: Option<String>,
    pub(super) parts: RequestParts,
    pub(super) body: BodyMode,
}

/// The pages of one slice that have been asked for and not been read.
pub(super) struct Prefetch<'a> {
    /// How many at most, besides the one that is wanted.
    n_ahead: usize,
    paginator: &'a dyn Paginator,
    /// Slices of one page are so common that nothing is risked before there is a second one.
    is_beyond_first: bool,
    pages: VecDeque<Ahead>,
}

struct Ahead {
    token: Json,
    answer: JoinHandle<Result<Answer, ReadError>>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

impl<'a> Prefetch<'a> {
    pub(super) fn new(n_ahead: usize, paginator: &'a dyn Paginator) -> Self {
        Self { n_ahead, paginator, is_beyond_first: false, pages: VecDeque::new() }
    }

    /// The answer for the page of `token`, if such pages are asked for ahead at all; sees to it
    /// that those after it are on their way, each with what `request` makes of its token.
    pub(super) async fn answer(
        &mut self,
        token: Option<&Json>,
        requester: &Arc<dyn Requester>,
        request: impl Fn(&Json) -> Result<AheadRequest, ReadError>,
    ) -> Option<Result<Answer, ReadError>> {
        if self.n_ahead == 0 || !std::mem::replace(&mut self.is_beyond_first, true) {
            return None;
        }
        let token = token.filter(|token| self.paginator.likely_next(Some(token)).is_some())?;
        if self.pages.front().is_some_and(|page| page.token != *token) {
            self.pages.clear();
        }
        let mut wanted = self.pages.back().map_or_else(
            || Some(token.clone()),
            |last| self.paginator.likely_next(Some(&last.token)),
        );
        while let Some(next) = wanted.take_if(|_| self.pages.len() <= self.n_ahead) {
            match request(&next) {
                Ok(request) => self.pages.push_back(Ahead::send(request, requester.clone())),
                Err(err) if self.pages.is_empty() => return Some(Err(err)),
                // It is made again, and its error is told, if the page is wanted.
                Err(_) => break,
            }
            wanted = self.paginator.likely_next(Some(&next));
        }
        let mut page = self.pages.pop_front()?;
        let answer = ledger::spend(Spent::Server, &mut page.answer).await;
        Some(
            answer
                .unwrap_or_else(|err| Err(ReadError::unexpected("RuntimeError", err.to_string()))),
        )
    }
}

impl Ahead {
    fn send(request: AheadRequest, requester: Arc<dyn Requester>) -> Self {
        let token = request.token.clone();
        let answer = tokio::spawn(ledger::beside(async move {
            let AheadRequest { slice, token, path, parts, body } = request;
            let input = RequestInput {
                slice: Some(&slice),
                next_page_token: Some(&token),
                path,
                parts,
                variables: Vec::new(),
                body,
            };
            requester.send(input).await
        }));
        Self { token, answer }
    }
}
