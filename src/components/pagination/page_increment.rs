//! `PageIncrement`: pages are numbered.
//!
//! Reading stops when a page is shorter than `page_size`, or empty when no
//! size is given. Records count as the API sent them.

use std::sync::Arc;

use crate::components::shape::{IntOrTemplate, shape};
use crate::components::{BuildContext, BuildError, Component, Page, PaginationStrategy, ReadError};
use crate::protocol::TracedError;
use crate::value::{Json, python_str};

use super::page_size::PageSize;

/// The YAML shape.
pub mod yaml {
    use super::{IntOrTemplate, shape};

    shape! {
        /// Pages are numbered.
        pub struct PageIncrement {
            /// Records a page is asked for; a shorter page is the last one.
            page_size: Option<IntOrTemplate>,
            /// The number of the first page.
            start_from_page: i64 = 0,
            /// Send the number of the first page too.
            inject_on_first_request: bool = false,
        }
    }
}

impl Component for yaml::PageIncrement {
    type Family = dyn PaginationStrategy;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn PaginationStrategy>, BuildError> {
        Ok(Arc::new(PageIncrement {
            page_size: PageSize::fixed(self.page_size.as_ref(), &self.parameters, cx)?,
            start_from_page: self.start_from_page,
            inject_on_first_request: self.inject_on_first_request,
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct PageIncrement {
    page_size: Option<i64>,
    start_from_page: i64,
    inject_on_first_request: bool,
}

impl PaginationStrategy for PageIncrement {
    fn first_token(&self) -> Result<Option<Json>, ReadError> {
        Ok(self.inject_on_first_request.then(|| Json::from(self.start_from_page)))
    }

    fn next_token(&self, page: &Page<'_>, last: Option<&Json>) -> Result<Option<Json>, ReadError> {
        if page.page_size.is_some() {
            return Err(shifted_pages());
        }
        let n_records = i64::try_from(page.n_extracted).unwrap_or(i64::MAX);
        let is_short = self.page_size.is_some_and(|size| size != 0 && n_records < size);
        if is_short || n_records == 0 {
            return Ok(None);
        }
        let number = match last {
            None => self.start_from_page,
            Some(last) => last.as_i64().ok_or_else(|| {
                let last = python_str(last);
                ReadError::value(format!(
                    "Last page token value {last} for PageIncrement pagination strategy was not an integer"
                ))
            })?,
        };
        Ok(Some(Json::from(number + 1)))
    }

    fn likely_next(&self, token: Option<&Json>) -> Option<Json> {
        let number = token.map_or(Some(self.start_from_page), Json::as_i64)?;
        number.checked_add(1).map(Json::from)
    }

    fn page_size(&self) -> Result<Option<i64>, ReadError> {
        Ok(self.page_size)
    }
}

/// Smaller pages have other numbers, so none can be asked for again with a smaller size.
fn shifted_pages() -> ReadError {
    let message = "PageIncrement does not support reducing the page size while paginating: pages are addressed \
                   as page number * page size, so a smaller page size shifts every following page boundary and \
                   would skip records. Use OffsetIncrement or CursorPagination instead.";
    let internal = "PageIncrement received a page_size_override";
    ReadError::traced(TracedError::config(message).with_internal(internal))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;
    use crate::http::Headers;
    use crate::value::StreamSlice;

    /// Pages of so many records are asked for with these tokens.
    #[track_caller]
    fn check(fields: &Json, pages: &[usize], expect: &[Option<i64>]) {
        let mut written = json!({"type": "PageIncrement"});
        written.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let world = World::new(&json!({"size": 2}));
        let strategy = world.build::<dyn PaginationStrategy>(&written).unwrap();
        let mut token = strategy.first_token().unwrap();
        let mut tokens = Vec::new();
        for &n_extracted in pages {
            tokens.push(token.as_ref().and_then(Json::as_i64));
            let page = Page {
                status: 200,
                headers: &Headers::default(),
                body: &json!({"limit": 4}),
                last_record: None,
                n_extracted,
                n_selected: 0,
                slice: &StreamSlice::default(),
                page_size: None,
            };
            token = strategy.next_token(&page, token.as_ref()).unwrap();
        }
        assert_eq!((tokens.as_slice(), token), (expect, None));
    }

    #[test]
    fn stops_at_a_short_page() {
        check(&json!({"page_size": 2}), &[2, 2, 1], &[None, Some(1), Some(2)]);
        check(&json!({"page_size": "{{ config.size }}"}), &[2, 1], &[None, Some(1)]);
    }

    #[test]
    fn without_a_size_stops_at_an_empty_page() {
        check(&json!({}), &[2, 1, 0], &[None, Some(1), Some(2)]);
    }

    #[test]
    fn counts_from_the_first_page() {
        check(&json!({"start_from_page": 1}), &[2, 0], &[None, Some(2)]);
        check(
            &json!({"start_from_page": 1, "inject_on_first_request": true}),
            &[2, 0],
            &[Some(1), Some(2)],
        );
    }
}
