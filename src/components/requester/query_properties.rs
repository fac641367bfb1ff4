//! `QueryProperties`: the properties that are asked for, where an API does not give all fields of
//! its own accord.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use indexmap::IndexSet;
use tokio::sync::OnceCell;

use crate::components::shape::{either, shape};
use crate::components::{BuildContext, BuildError, QueryProperties, ReadError, RecordMerging};

use super::json_schema_property_selector::{self, JsonSchemaPropertySelector};
use super::properties_from_endpoint::{self, PropertiesFromEndpoint};
use super::property_chunking::{self, PropertyChunking};

either! {
    /// Names, or where they are found.
    pub enum PropertyList {
        Names(Vec<String>) if |node| node.as_seq().is_some(),
        Endpoint(properties_from_endpoint::yaml::PropertiesFromEndpoint)
    }
}

/// The YAML shape.
pub mod yaml {
    use super::json_schema_property_selector::yaml::JsonSchemaPropertySelector;
    use super::property_chunking::yaml::PropertyChunking;
    use super::{PropertyList, shape};

    shape! {
        /// The properties that are asked for.
        pub struct QueryProperties {
            /// Their names, or where those are found.
            property_list: PropertyList,
            /// Names that every request asks for.
            always_include_properties: Option<Vec<String>>,
            /// Splits them over several requests.
            property_chunking: Option<PropertyChunking>,
            /// Leaves out those that nobody selected.
            property_selector: Option<JsonSchemaPropertySelector>,
        }
    }
}

/// See the module documentation.
pub(super) struct QueriedProperties {
    list: List,
    always: Vec<String>,
    chunking: Option<PropertyChunking>,
    selector: Option<JsonSchemaPropertySelector>,
    /// Neither the API's answer nor the selection changes during a run.
    chunks: OnceCell<Arc<[Vec<String>]>>,
}

enum List {
    Names(Vec<String>),
    Endpoint(PropertiesFromEndpoint),
}

impl QueriedProperties {
    pub(super) fn build(
        shape: &yaml::QueryProperties,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let selector = shape.property_selector.as_ref();
        Ok(Self {
            list: match &shape.property_list {
                PropertyList::Names(names) => List::Names(names.clone()),
                PropertyList::Endpoint(shape) => {
                    List::Endpoint(PropertiesFromEndpoint::build(shape, cx)?)
                }
            },
            always: shape.always_include_properties.clone().unwrap_or_default(),
            chunking: shape.property_chunking.as_ref().map(PropertyChunking::build),
            selector: selector.map(|it| JsonSchemaPropertySelector::build(it, cx)).transpose()?,
            chunks: OnceCell::new(),
        })
    }

    /// The properties of an endpoint, all in one request.
    pub(super) fn of_endpoint(endpoint: PropertiesFromEndpoint) -> Self {
        Self {
            list: List::Endpoint(endpoint),
            always: Vec::new(),
            chunking: None,
            selector: None,
            chunks: OnceCell::new(),
        }
    }

    async fn make_chunks(&self) -> Result<Arc<[Vec<String>]>, ReadError> {
        let selected = match &self.selector {
            Some(selector) => selector.selected()?,
            None => None,
        };
        let fetched;
        let names = match &self.list {
            List::Names(names) => names,
            List::Endpoint(endpoint) => {
                fetched = endpoint.fetch().await?;
                &fetched
            }
        };
        if let Some(chunking) = &self.chunking {
            return Ok(chunking.chunks(names, &self.always, selected.as_ref()).into());
        }
        let names = names.iter().filter(|name| is_selected(name, selected.as_ref()));
        Ok(Arc::new([self.always.iter().chain(names).cloned().collect()]))
    }
}

/// Whether a property is asked for; without a selection all are.
pub(super) fn is_selected(name: &str, selected: Option<&IndexSet<String>>) -> bool {
    selected.is_none_or(|selected| selected.contains(name))
}

impl QueryProperties for QueriedProperties {
    fn chunks(&self) -> BoxFuture<'_, Result<Arc<[Vec<String>]>, ReadError>> {
        async { Ok(Arc::clone(self.chunks.get_or_try_init(|| self.make_chunks()).await?)) }.boxed()
    }

    fn merging(&self) -> Option<&dyn RecordMerging> {
        self.chunking.as_ref().map(PropertyChunking::merging)
    }
}
