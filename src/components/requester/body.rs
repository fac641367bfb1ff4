//! `RequestBody…`: what stands in `request_body`.

use crate::components::shape::{Templated, Text, Written, one_of, shape};
use crate::value::Map;

/// The YAML shapes.
pub mod yaml {
    use indexmap::IndexMap;

    use super::{Map, Templated, Text, Written, shape};

    shape! {
        /// Sends text as it is.
        pub struct RequestBodyPlainText {
            /// The text.
            value: Text,
        }
    }

    shape! {
        /// Sends a form.
        pub struct RequestBodyUrlEncodedForm {
            /// Its fields.
            value: IndexMap<String, Text>,
        }
    }

    shape! {
        /// Sends JSON.
        pub struct RequestBodyJsonObject {
            /// The object.
            value: Templated<Map>,
        }
    }

    shape! {
        /// Sends a GraphQL query.
        pub struct RequestBodyGraphQL {
            /// The query, and what belongs to it.
            value: Templated<Written<RequestBodyGraphQlQuery>>,
        }
    }

    shape! {
        /// A GraphQL query, with its variables and whatever else the API wants.
        pub struct RequestBodyGraphQlQuery: untyped, open {
            /// The query itself.
            query: Text,
        }
    }
}

one_of! {
    /// The body of a request.
    pub enum RequestBody {
        /// Text as it is.
        PlainText(yaml::RequestBodyPlainText),
        /// A form.
        UrlEncodedForm(yaml::RequestBodyUrlEncodedForm),
        /// JSON.
        JsonObject(yaml::RequestBodyJsonObject),
        /// A GraphQL query.
        GraphQl(yaml::RequestBodyGraphQL),
    }
}
