//! `PropertiesFromEndpoint`: the API says which properties there are.

use std::sync::Arc;

use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, PagewiseRetriever, PathTemplate, ReadError, Retriever, Slot,
    StreamScope,
};
use crate::value::{Json, StreamSlice, python_str};

/// The YAML shape.
pub mod yaml {
    use super::{PagewiseRetriever, Retriever, Slot, Text, shape};

    shape! {
        /// Asks the API which properties there are.
        pub struct PropertiesFromEndpoint {
            /// Where in a record the name of a property is.
            property_field_path: Vec<Text>,
            /// Reads the records.
            retriever: Slot<dyn Retriever, PagewiseRetriever>,
        }
    }
}

/// See the module documentation.
pub(super) struct PropertiesFromEndpoint {
    path: PathTemplate,
    retriever: Arc<dyn Retriever>,
}

impl PropertiesFromEndpoint {
    pub(super) fn build(
        shape: &yaml::PropertiesFromEndpoint,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let stream = StreamScope {
            name: "dynamic_properties".to_owned(),
            uses_cache: true,
            ..StreamScope::default()
        };
        let path = &shape.property_field_path;
        Ok(Self {
            path: PathTemplate::new(path, &shape.parameters, cx.surroundings()),
            retriever: shape.retriever.build(&cx.for_stream(stream))?,
        })
    }

    /// The names of the properties.
    pub(super) async fn fetch(&self) -> Result<Vec<String>, ReadError> {
        let mut records: Vec<Json> = Vec::new();
        self.retriever.read(&StreamSlice::default(), &mut records).await?;
        let path = self.path.path()?;
        let name = |record: &Json| {
            // A record without one has an empty list, as in the reference.
            let name = path.get(record)?.map_or("[]".into(), python_str);
            Ok(name.into_owned())
        };
        records.iter().map(name).collect()
    }
}
