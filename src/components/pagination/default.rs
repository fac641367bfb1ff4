//! `DefaultPaginator`: puts tokens and page sizes into requests.

use std::sync::Arc;

use crate::components::shape::{one_of, shape};
use crate::components::{
    BuildContext, BuildError, Component, Cursor, Page, PaginationStrategy, Paginator, ReadError,
    RequestOption, RequestParts, ResponseNeeds, Slot, Surroundings, request_option,
};
use crate::template::EvalError;
use crate::value::{Json, is_truthy, python_str};

one_of! {
    /// Where the token of a page goes.
    pub enum PageTokenOption {
        Option(request_option::yaml::RequestOption),
        Path(yaml::RequestPath),
    }
}

/// The YAML shapes.
pub mod yaml {
    use super::{PageTokenOption, PaginationStrategy, Slot, request_option, shape};

    shape! {
        /// Puts tokens and page sizes into requests.
        pub struct DefaultPaginator {
            /// Computes the tokens.
            pagination_strategy: Slot<dyn PaginationStrategy>,
            /// Where the page size goes.
            page_size_option: Option<request_option::yaml::RequestOption>,
            /// Where the token goes.
            page_token_option: Option<PageTokenOption>,
        }
    }

    shape! {
        /// The token is the URL or path of the next page.
        pub struct RequestPath {}
    }
}

impl Component for yaml::DefaultPaginator {
    type Family = dyn Paginator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Paginator>, BuildError> {
        let strategy = self.pagination_strategy.build(cx)?;
        let option = |shape| RequestOption::build(shape, &Arc::default());
        let size_option = self.page_size_option.as_ref().map(option).transpose()?;
        let (token_option, token_is_path) = match &self.page_token_option {
            Some(PageTokenOption::Option(shape)) => (Some(option(shape)?), false),
            Some(PageTokenOption::Path(_)) => (None, true),
            None => (None, false),
        };
        if size_option.is_some() && strategy.page_size()?.is_none_or(|size| size == 0) {
            let message = "page_size_option cannot be set if the pagination strategy does not have a page_size";
            return Err(BuildError::in_span(self.span, message));
        }
        let paginator = DefaultPaginator {
            strategy,
            size_option,
            token_option,
            token_is_path,
            feed_cursor: cx.stream.cursor.clone().filter(|_| cx.stream.is_data_feed),
            surroundings: cx.surroundings(),
        };
        paginator.check_options_differ()?;
        Ok(Arc::new(paginator))
    }
}

/// See the module documentation.
struct DefaultPaginator {
    strategy: Arc<dyn PaginationStrategy>,
    size_option: Option<RequestOption>,
    token_option: Option<RequestOption>,
    token_is_path: bool,
    /// Knows where a data feed has been read already, which ends the slice.
    feed_cursor: Option<Arc<dyn Cursor>>,
    surroundings: Surroundings,
}

impl DefaultPaginator {
    /// Token and size may not go to one place, whatever they will be.
    fn check_options_differ(&self) -> Result<(), BuildError> {
        let (Some(size), Some(token)) = (&self.size_option, &self.token_option) else {
            return Ok(());
        };
        let dummy = |option: &RequestOption, value: &str| {
            let mut parts = RequestParts::default();
            self.surroundings.eval(|scope| option.inject(&mut parts, Json::from(value), &scope))?;
            Ok::<_, EvalError>(parts)
        };
        let mut parts = dummy(size, "dummy_value_0")?;
        Ok(parts.merge(dummy(token, "dummy_value_1")?)?)
    }
}

impl Paginator for DefaultPaginator {
    fn first_token(&self) -> Result<Option<Json>, ReadError> {
        self.strategy.first_token()
    }

    fn next_token(&self, page: &Page<'_>, last: Option<&Json>) -> Result<Option<Json>, ReadError> {
        if let (Some(cursor), Some(record)) = (&self.feed_cursor, page.last_record)
            && is_truthy(record)
            && !cursor.should_be_synced(page.slice, record)?
        {
            return Ok(None);
        }
        Ok(self.strategy.next_token(page, last)?.filter(is_truthy))
    }

    fn likely_next(&self, token: Option<&Json>) -> Option<Json> {
        self.strategy.likely_next(token).filter(is_truthy)
    }

    fn path(&self, token: Option<&Json>) -> Result<Option<String>, ReadError> {
        let token = token.filter(|token| self.token_is_path && is_truthy(token));
        Ok(token.map(|token| python_str(token).into_owned()))
    }

    fn request_parts(
        &self,
        token: Option<&Json>,
        page_size: Option<i64>,
    ) -> Result<RequestParts, ReadError> {
        let mut parts = RequestParts::default();
        if let (Some(option), Some(token)) = (&self.token_option, token) {
            self.surroundings.eval(|scope| option.inject(&mut parts, token.clone(), &scope))?;
        }
        if let Some(option) = &self.size_option {
            let page_size =
                page_size.map_or_else(|| self.strategy.page_size(), |it| Ok(Some(it)))?;
            if let Some(size) = page_size.filter(|size| *size != 0) {
                self.surroundings.eval(|scope| option.inject(&mut parts, size.into(), &scope))?;
            }
        }
        Ok(parts)
    }

    fn page_size(&self) -> Result<Option<i64>, ReadError> {
        self.strategy.page_size()
    }

    fn response_needs(&self) -> ResponseNeeds {
        self.strategy.response_needs()
    }

    fn needs_last_record(&self) -> bool {
        self.feed_cursor.is_some() || self.strategy.needs_last_record()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    fn build(size_option: &Json, token_option: &Json) -> Result<Arc<dyn Paginator>, String> {
        let written = json!({
            "type": "DefaultPaginator",
            "pagination_strategy": {"type": "OffsetIncrement", "page_size": 5},
            "page_size_option": size_option,
            "page_token_option": token_option,
        });
        World::new(&json!({"name": "offset"}))
            .build::<dyn Paginator>(&written)
            .map_err(|err| err.message)
    }

    fn option(inject_into: &str, name: &str) -> Json {
        json!({"type": "RequestOption", "inject_into": inject_into, "field_name": name})
    }

    #[test]
    fn size_and_token_go_where_they_are_told() {
        let size = option("header", "X-Size");
        let token = option("request_parameter", "{{ config.name }}");
        let paginator = build(&size, &token).unwrap();
        let parts = paginator.request_parts(Some(&json!(10)), None).unwrap();
        assert_eq!(parts.params.get("offset"), Some(&json!(10)));
        assert_eq!(parts.headers.get("X-Size"), Some(&json!(5)));
        let parts = paginator.request_parts(None, Some(2)).unwrap();
        assert!(parts.params.is_empty());
        assert_eq!(parts.headers.get("X-Size"), Some(&json!(2)));
    }

    #[test]
    fn a_token_may_be_the_path() {
        let paginator = build(&option("header", "n"), &json!({"type": "RequestPath"})).unwrap();
        assert_eq!(paginator.path(Some(&json!("/next"))).unwrap().as_deref(), Some("/next"));
        assert_eq!(paginator.path(None).unwrap(), None);
        assert!(paginator.request_parts(Some(&json!("/next")), None).unwrap().params.is_empty());
    }

    #[test]
    fn size_and_token_cannot_share_a_place() {
        let err = build(&option("header", "a"), &option("header", "a")).err().unwrap();
        assert!(err.starts_with("Request body collision, duplicate keys detected at key path: a."));
    }
}
