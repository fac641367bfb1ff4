//! `NoPagination`: all records are on one page.

use std::sync::Arc;

use crate::components::shape::shape;
use crate::components::{
    BuildContext, BuildError, Component, Page, Paginator, ReadError, RequestParts,
};
use crate::value::Json;

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// All records are on one page.
        pub struct NoPagination {}
    }
}

impl Component for yaml::NoPagination {
    type Family = dyn Paginator;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn Paginator>, BuildError> {
        Ok(Arc::new(NoPagination))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct NoPagination;

impl Paginator for NoPagination {
    fn first_token(&self) -> Result<Option<Json>, ReadError> {
        Ok(None)
    }

    fn next_token(&self, _: &Page<'_>, _: Option<&Json>) -> Result<Option<Json>, ReadError> {
        Ok(None)
    }

    fn path(&self, _: Option<&Json>) -> Result<Option<String>, ReadError> {
        Ok(None)
    }

    fn request_parts(&self, _: Option<&Json>, _: Option<i64>) -> Result<RequestParts, ReadError> {
        Ok(RequestParts::default())
    }
}
