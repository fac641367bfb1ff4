//! `request_parameters`, one of which may hold the properties that are asked for.

use std::sync::Arc;

use indexmap::IndexMap;

use super::http::yaml::HttpRequester;
use super::properties_from_endpoint::PropertiesFromEndpoint;
use super::query_properties::{QueriedProperties, yaml};
use crate::components::shape::{Text, either};
use crate::components::{BuildContext, BuildError, QueryProperties, ReadError};
use crate::value::{Json, StreamSlice, python_str};

either! {
    /// The value of a parameter.
    pub enum Parameter { Text(Text) if |node| node.as_str().is_some(), Properties(yaml::QueryProperties) }
}

either! {
    /// Parameters by name, or one text for the whole.
    pub enum RequestParameters {
        Text(Text) if |node| node.as_str().is_some(),
        Mapping(IndexMap<String, Parameter>)
    }
}

impl RequestParameters {
    /// The parameters that are texts.
    pub(super) fn texts(&self) -> IndexMap<String, Text> {
        let Self::Mapping(parameters) = self else { return IndexMap::new() };
        let text = |(name, parameter): (&String, &Parameter)| match parameter {
            Parameter::Text(text) => Some((name.clone(), text.clone())),
            Parameter::Properties(_) => None,
        };
        parameters.iter().filter_map(text).collect()
    }

    fn properties(&self) -> Vec<(&String, &yaml::QueryProperties)> {
        let Self::Mapping(parameters) = self else { return Vec::new() };
        let properties = |(name, parameter)| match parameter {
            &Parameter::Text(_) => None,
            Parameter::Properties(properties) => Some((name, properties)),
        };
        parameters.iter().filter_map(properties).collect()
    }
}

/// The properties that a requester asks for.
pub(super) struct Queried {
    pub(super) properties: Arc<dyn QueryProperties>,
    /// The parameter that they are sent in; without one, templates use them.
    parameter: Option<String>,
}

impl Queried {
    /// What `shape` asks for in this way, if it does.
    pub(super) fn build(
        shape: &HttpRequester,
        cx: &BuildContext<'_>,
    ) -> Result<Option<Self>, BuildError> {
        let in_parameters = shape
            .request_parameters
            .iter()
            .flat_map(RequestParameters::properties)
            .collect::<Vec<_>>();
        let from_endpoint = shape.fetch_properties_from_endpoint.as_ref();
        let error = |message: String| Err(BuildError::in_span(shape.span, message));
        let (properties, parameter) = match (&in_parameters[..], from_endpoint) {
            ([_, ..], Some(_)) => {
                return error(
                    "PropertiesFromEndpoint should only be specified once per stream, but found in \
                     HttpRequester.fetch_properties_from_endpoint and \
                     HttpRequester.request_parameters"
                        .to_owned(),
                );
            }
            ([(name, properties)], None) => {
                (QueriedProperties::build(properties, cx)?, Some((*name).clone()))
            }
            ([], Some(endpoint)) => {
                let endpoint = PropertiesFromEndpoint::build(endpoint, cx)?;
                (QueriedProperties::of_endpoint(endpoint), None)
            }
            ([], None) => match &shape.query_properties {
                Some(properties) => (QueriedProperties::build(properties, cx)?, None),
                None => return Ok(None),
            },
            (several, None) => {
                return error(format!(
                    "request_parameters only supports defining one QueryProperties field, but \
                     found {} usages",
                    several.len()
                ));
            }
        };
        Ok(Some(Self { properties: Arc::new(properties), parameter }))
    }

    /// Name and value of the parameter, in a request for the properties of `slice`.
    pub(super) fn parameter(
        &self,
        slice: Option<&StreamSlice>,
    ) -> Result<Option<(String, Json)>, ReadError> {
        let Some(name) = &self.parameter else { return Ok(None) };
        let names = slice.and_then(|slice| slice.extra_fields.get("query_properties"));
        let Some(Json::Array(names)) = names else {
            return Err(ReadError::value(
                "QueryProperties component is defined but stream_partition does not contain \
                 query_properties. Please contact Airbyte Support",
            ));
        };
        let names: Vec<_> = names.iter().map(python_str).collect();
        Ok(Some((name.clone(), names.join(",").into())))
    }
}
