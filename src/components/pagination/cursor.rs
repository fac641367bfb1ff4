//! `CursorPagination`: a template finds the token of the next page.
//!
//! It sees the response's body and headers, the last record, and the sizes of
//! the page. `stop_condition` is asked first; a token that Python calls false
//! ends the slice too.

use std::sync::Arc;

use crate::components::shape::{IntOrTemplate, Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, Page, PaginationStrategy, ReadError, ResponseNeeds,
    Surroundings,
};
use crate::http::{Headers, links};
use crate::template::{InterpolatedBoolean, InterpolatedString};
use crate::value::{Json, Map, is_truthy, python_repr};

use super::page_size::PageSize;

/// The YAML shape.
pub mod yaml {
    use super::{IntOrTemplate, Text, shape};

    shape! {
        /// A template finds the token of the next page.
        pub struct CursorPagination {
            /// The token.
            cursor_value: Text,
            /// Records a page is asked for.
            page_size: Option<IntOrTemplate>,
            /// Whether this page is the last one; asked before `cursor_value` is evaluated.
            stop_condition: Option<Text>,
        }
    }
}

impl Component for yaml::CursorPagination {
    type Family = dyn PaginationStrategy;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn PaginationStrategy>, BuildError> {
        let page_size = PageSize::fixed(self.page_size.as_ref(), &self.parameters, cx)?;
        let stop_condition = self.stop_condition.as_ref();
        let cursor_value = InterpolatedString::new(&self.cursor_value, self.parameters.clone());
        if page_size.is_none() {
            let fields =
                [("stop_condition", stop_condition), ("cursor_value", Some(&self.cursor_value))];
            for (field, text) in fields {
                if let Some(text) = text {
                    check_page_size_is_unread(field, text)?;
                }
            }
        }
        let stop_condition =
            stop_condition.map(|text| InterpolatedBoolean::new(text, self.parameters.clone()));
        let condition = stop_condition.as_ref().and_then(InterpolatedBoolean::template);
        let templates = [Some(cursor_value.template()), condition];
        let templates = || templates.iter().copied().flatten();
        let reads_headers = templates().any(|template| template.reads("headers").next().is_some());
        let reads_last_record =
            templates().any(|template| template.reads("last_record").next().is_some());
        let needs = ResponseNeeds::of(templates());
        Ok(Arc::new(CursorPagination {
            cursor_value,
            stop_condition,
            page_size,
            reads_headers,
            reads_last_record,
            needs,
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct CursorPagination {
    cursor_value: InterpolatedString,
    stop_condition: Option<InterpolatedBoolean>,
    page_size: Option<i64>,
    reads_headers: bool,
    reads_last_record: bool,
    needs: ResponseNeeds,
    surroundings: Surroundings,
}

impl PaginationStrategy for CursorPagination {
    fn first_token(&self) -> Result<Option<Json>, ReadError> {
        Ok(None)
    }

    fn next_token(&self, page: &Page<'_>, _: Option<&Json>) -> Result<Option<Json>, ReadError> {
        let headers = if self.reads_headers { with_links(page.headers) } else { Map::new() };
        let n_selected = Json::from(page.n_selected);
        let page_size = page.page_size.or(self.page_size).map_or(Json::Null, Json::from);
        let config = self.surroundings.config().snapshot();
        let scope = self
            .surroundings
            .scope(&config)
            .with("response", page.body)
            .with("headers", &headers)
            .with("last_record", page.last_record.unwrap_or(&Json::Null))
            .with("last_page_size", &n_selected)
            .with("page_size", &page_size)
            .with("stream_slice", page.slice);
        if let Some(condition) = &self.stop_condition
            && condition.eval(&scope)?
        {
            return Ok(None);
        }
        Ok(Some(self.cursor_value.eval_json(&scope)?).filter(is_truthy))
    }

    fn page_size(&self) -> Result<Option<i64>, ReadError> {
        Ok(self.page_size)
    }

    fn response_needs(&self) -> ResponseNeeds {
        self.needs.clone()
    }

    fn needs_last_record(&self) -> bool {
        self.reads_last_record
    }
}

/// The headers with the server's spelling, and `link` as its parsed links.
fn with_links(headers: &Headers) -> Map {
    let mut map: Map =
        headers.iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect();
    let links = headers.get("link").map(links).unwrap_or_default();
    map.insert("link".to_owned(), Json::Object(links));
    map
}

/// Without a declared size nothing defines the variable `page_size`: a condition that compares
/// with it would always hold, and end every slice after its first page.
fn check_page_size_is_unread(field: &str, text: &Text) -> Result<(), BuildError> {
    if !InterpolatedString::new(text, Arc::default())
        .template()
        .variables()
        .iter()
        .any(|it| it == "page_size")
    {
        return Ok(());
    }
    let expression = python_repr(&Json::from(text.source.as_str()));
    let message = format!(
        "The `{field}` {expression} reads the `page_size` interpolation variable, but the CursorPagination \
         strategy it belongs to declares no `page_size`, so there is nothing to bind it to. The comparison would \
         not fail either - it renders as the template string itself, which is truthy - so the pagination would \
         end after the first page and the rest of the partition would be dropped silently. Declare `page_size` \
         on the pagination strategy, or compare against a value the manifest defines, such as \
         `config['page_size']`."
    );
    Err(BuildError::in_span(text.span, message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;
    use crate::value::StreamSlice;

    fn build(fields: &Json) -> Result<Arc<dyn PaginationStrategy>, BuildError> {
        let mut written = json!({"type": "CursorPagination"});
        written.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        World::new(&json!({"page_size": 3})).build::<dyn PaginationStrategy>(&written)
    }

    /// The token after a page with this body.
    #[track_caller]
    fn check(fields: &Json, body: &Json, expect: impl Into<Option<Json>>) {
        let headers = Headers::from_iter([("Link", "<http://h/2>; rel=\"next\""), ("X-Next", "7")]);
        let slice = StreamSlice::default();
        let record = json!({"id": 5});
        let page = Page {
            status: 200,
            headers: &headers,
            body,
            last_record: Some(&record),
            n_extracted: 4,
            n_selected: 3,
            slice: &slice,
            page_size: None,
        };
        let next = build(fields).unwrap().next_token(&page, None);
        assert_eq!(next.ok().flatten(), expect.into());
    }

    #[test]
    fn the_token_comes_from_the_response() {
        let cursor = json!({"cursor_value": "{{ response.next }}"});
        check(&cursor, &json!({"next": "abc"}), json!("abc"));
        check(&cursor, &json!({"next": "12"}), json!(12));
        check(&cursor, &json!({"next": null}), None);
        check(&cursor, &json!({"next": 0}), None);
        check(&cursor, &json!({}), None);
        check(&json!({"cursor_value": "{{ last_record['id'] }}"}), &json!({}), json!(5));
    }

    #[test]
    fn headers_have_the_servers_spelling_and_links() {
        let cursor = |text: &str| json!({"cursor_value": text});
        check(&cursor("{{ headers['X-Next'] }}"), &json!({}), json!(7));
        check(&cursor("{{ headers['x-next'] }}"), &json!({}), None);
        let link = "{{ headers['link']['next']['url'] }}";
        check(&cursor(link), &json!({}), json!("http://h/2"));
    }

    #[test]
    fn the_stop_condition_is_asked_first() {
        let cursor = |condition: &str| json!({"cursor_value": "x", "stop_condition": condition, "page_size": 3});
        check(&cursor("{{ not response.more }}"), &json!({}), None);
        check(&cursor("{{ not response.more }}"), &json!({"more": true}), json!("x"));
        check(&cursor("{{ last_page_size < page_size }}"), &json!({}), json!("x"));
        // A type error is the template's own text, and that is true.
        check(&cursor("{{ response.n > 3 }}"), &json!({"n": "text"}), None);
    }

    #[test]
    fn a_size_is_a_number() {
        let size = |page_size: &Json| {
            build(&json!({"cursor_value": "x", "page_size": page_size}))
                .and_then(|strategy| Ok(strategy.page_size()?))
                .map_err(|err| err.message)
        };
        assert_eq!(size(&json!(10)), Ok(Some(10)));
        assert_eq!(size(&json!("10")), Ok(Some(10)));
        assert_eq!(size(&json!("{{ config.page_size }}")), Ok(Some(3)));
        let message = "many is of type <class 'str'>. Expected <class 'int'>";
        assert_eq!(size(&json!("many")), Err(message.to_owned()));
    }

    #[test]
    fn the_size_cannot_be_read_when_there_is_none() {
        let err = build(&json!({"cursor_value": "{{ page_size }}"})).err().unwrap();
        assert!(
            err.message.starts_with("The `cursor_value` '{{ page_size }}' reads the `page_size`")
        );
        assert!(build(&json!({"cursor_value": "{{ config.page_size }}"})).is_ok());
    }
}
