//! `OffsetIncrement`: the next page starts where this one ended.
//!
//! The token is the number of records read so far in the slice. Reading stops
//! when a page is shorter than `page_size`, or empty when no size is given.
//! Records count as the API sent them: a filter neither ends the slice nor
//! shortens the offset.

use std::sync::Arc;

use crate::components::shape::{IntOrTemplate, shape};
use crate::components::{
    BuildContext, BuildError, Component, Page, PaginationStrategy, ReadError, ResponseNeeds,
    Surroundings,
};
use crate::value::{Json, python_str};

use super::page_size::PageSize;

/// The YAML shape.
pub mod yaml {
    use super::{IntOrTemplate, shape};

    shape! {
        /// The next page starts where this one ended.
        pub struct OffsetIncrement {
            /// Records a page is asked for; a shorter page is the last one.
            page_size: Option<IntOrTemplate>,
            /// Send offset 0 with the first request too.
            inject_on_first_request: bool = false,
        }
    }
}

impl Component for yaml::OffsetIncrement {
    type Family = dyn PaginationStrategy;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn PaginationStrategy>, BuildError> {
        // An empty text is no size, as in the reference; nor is zero, but that is seen only later.
        let page_size = self.page_size.as_ref().filter(|size| match size {
            IntOrTemplate::Template(text) => !text.is_empty(),
            IntOrTemplate::Int(_) => true,
        });
        Ok(Arc::new(OffsetIncrement {
            page_size: page_size.map(|size| PageSize::new(size, &self.parameters)),
            inject_on_first_request: self.inject_on_first_request,
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct OffsetIncrement {
    page_size: Option<PageSize>,
    inject_on_first_request: bool,
    surroundings: Surroundings,
}

impl OffsetIncrement {
    /// The size that the page was asked for; a template may look at the response again.
    fn requested_size(&self, page: &Page<'_>) -> Result<Option<i64>, ReadError> {
        match (page.page_size, &self.page_size) {
            (Some(reduced), _) => Ok(Some(reduced)),
            (None, None) => Ok(None),
            (None, Some(size)) => {
                let config = self.surroundings.config().snapshot();
                size.eval_with(&self.surroundings.scope(&config).with("response", page.body))
            }
        }
    }
}

impl PaginationStrategy for OffsetIncrement {
    fn first_token(&self) -> Result<Option<Json>, ReadError> {
        Ok(self.inject_on_first_request.then(|| Json::from(0)))
    }

    fn next_token(&self, page: &Page<'_>, last: Option<&Json>) -> Result<Option<Json>, ReadError> {
        let n_records = i64::try_from(page.n_extracted).unwrap_or(i64::MAX);
        let is_short = self.requested_size(page)?.is_some_and(|size| size != 0 && n_records < size);
        if is_short || n_records == 0 {
            return Ok(None);
        }
        let offset = match last {
            None => 0,
            Some(last) => last.as_i64().ok_or_else(|| {
                let last = python_str(last);
                ReadError::value(format!(
                    "Last page token value {last} for OffsetIncrement pagination strategy was not an integer"
                ))
            })?,
        };
        Ok(Some(Json::from(offset + n_records)))
    }

    fn likely_next(&self, token: Option<&Json>) -> Option<Json> {
        // A template that looks at the response may say another size each time.
        let is_known = self.response_needs() == ResponseNeeds::Nothing;
        let size = self.page_size().ok()?.filter(|size| is_known && *size > 0)?;
        token.map_or(Some(0), Json::as_i64)?.checked_add(size).map(Json::from)
    }

    fn page_size(&self) -> Result<Option<i64>, ReadError> {
        self.page_size.as_ref().map(|size| size.eval(&self.surroundings)).transpose()
    }

    fn response_needs(&self) -> ResponseNeeds {
        match &self.page_size {
            Some(PageSize::Template(template)) => ResponseNeeds::of([template.template()]),
            _ => ResponseNeeds::Nothing,
        }
    }
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
        let mut written = json!({"type": "OffsetIncrement"});
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
        check(&json!({"page_size": 2}), &[2, 2, 1], &[None, Some(2), Some(4)]);
        check(&json!({"page_size": "2"}), &[3, 0], &[None, Some(3)]);
        check(&json!({"page_size": "{{ config.size }}"}), &[2, 1], &[None, Some(2)]);
        check(&json!({"page_size": "{{ response.limit }}"}), &[4, 3], &[None, Some(4)]);
    }

    #[test]
    fn without_a_size_stops_at_an_empty_page() {
        check(&json!({}), &[2, 1, 0], &[None, Some(2), Some(3)]);
        check(&json!({"page_size": 0}), &[1, 0], &[None, Some(1)]);
    }

    #[test]
    fn the_first_page_may_have_an_offset_too() {
        check(&json!({"inject_on_first_request": true}), &[2, 0], &[Some(0), Some(2)]);
    }
}
