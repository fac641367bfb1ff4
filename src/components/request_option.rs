//! `RequestOption`: where in a request a value goes.

use std::sync::Arc;

use crate::template::{EvalError, InterpolatedString, Scope};
use crate::value::{Json, Map};

use super::Parameters;
use super::error::BuildError;
use super::request_parts::{BodyData, RequestParts};
use super::shape::{Text, choice, shape};

choice! {
    /// The part of a request that a value goes into.
    pub enum InjectInto {
        /// The query string.
        RequestParameter = "request_parameter",
        /// A header.
        Header = "header",
        /// A form field of the body.
        BodyData = "body_data",
        /// A field of the JSON body.
        BodyJson = "body_json",
    }
}

/// The YAML shape.
pub(super) mod yaml {
    use super::{InjectInto, Text, shape};

    shape! {
        /// Where in a request a value goes.
        pub struct RequestOption {
            /// The part of the request.
            inject_into: InjectInto,
            /// The key the value gets.
            field_name: Option<Text>,
            /// The path of keys the value gets in a JSON body.
            field_path: Option<Vec<Text>>,
        }
    }
}

/// See the module documentation.
#[derive(Clone, Debug)]
pub struct RequestOption {
    /// The part of the request.
    pub inject_into: InjectInto,
    path: Vec<Arc<InterpolatedString>>,
}

impl RequestOption {
    /// Builds the option; `parameters` are those of the component it belongs to, when that passes them.
    pub fn build(shape: &yaml::RequestOption, parameters: &Parameters) -> Result<Self, BuildError> {
        let path: Vec<&Text> = match (&shape.field_name, &shape.field_path) {
            (Some(_), Some(_)) => {
                let message =
                    "Only one of field_name or field_path can be provided to RequestOption";
                return Err(BuildError::in_span(shape.span, message));
            }
            (None, None) => {
                let message = "RequestOption requires either a field_name or field_path";
                return Err(BuildError::in_span(shape.span, message));
            }
            (Some(name), None) => vec![name],
            (None, Some(path)) => path.iter().collect(),
        };
        if shape.field_path.is_some() && shape.inject_into != InjectInto::BodyJson {
            let message = "Nested field injection is only supported for body JSON injection. \
                           Please use a top-level field_name for other injection types.";
            return Err(BuildError::in_span(shape.span, message));
        }
        let path = path
            .into_iter()
            .map(|text| Arc::new(InterpolatedString::new(text, parameters.clone())))
            .collect();
        Ok(Self { inject_into: shape.inject_into, path })
    }

    /// An option that needs no mapping of its own: just a key.
    pub fn named(inject_into: InjectInto, name: &Text, parameters: &Parameters) -> Self {
        let name = Arc::new(InterpolatedString::new(name, parameters.clone()));
        Self { inject_into, path: vec![name] }
    }

    /// The key, or the first key of the path.
    pub fn field_name(&self, scope: &Scope<'_>) -> Result<String, EvalError> {
        self.path.first().map_or_else(|| Ok(String::new()), |name| name.eval_string(scope))
    }

    /// Whether both would write to the same place.
    pub fn collides_with(&self, other: &Self) -> bool {
        self.inject_into == other.inject_into
            && self.path.len() == other.path.len()
            && self
                .path
                .iter()
                .zip(&other.path)
                .all(|(left, right)| left.source() == right.source())
    }

    /// Puts `value` where it goes, over what is there.
    pub fn inject(
        &self,
        parts: &mut RequestParts,
        value: Json,
        scope: &Scope<'_>,
    ) -> Result<(), EvalError> {
        let mut keys = Vec::with_capacity(self.path.len());
        for key in &self.path {
            keys.push(key.eval_string(scope)?);
        }
        // `build` lets no option without a key pass.
        let Some(last) = keys.pop() else { return Ok(()) };
        let map = match self.inject_into {
            InjectInto::RequestParameter => &mut parts.params,
            InjectInto::Header => &mut parts.headers,
            InjectInto::BodyJson => &mut parts.body_json,
            InjectInto::BodyData => {
                if let BodyData::Text(_) = parts.body_data {
                    parts.body_data = BodyData::default();
                }
                match &mut parts.body_data {
                    BodyData::Form(fields) => fields,
                    BodyData::Text(_) => return Ok(()),
                }
            }
        };
        let mut target = map;
        for key in keys {
            let entry = target.entry(key).or_insert_with(|| Json::Object(Map::new()));
            if !entry.is_object() {
                *entry = Json::Object(Map::new());
            }
            let Json::Object(inner) = entry else { return Ok(()) };
            target = inner;
        }
        target.insert(last, value);
        Ok(())
    }
}
