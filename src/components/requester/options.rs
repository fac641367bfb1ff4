//! What the requester itself adds to its requests.

use indexmap::IndexMap;

use super::body::RequestBody;
use super::http::yaml::HttpRequester;
use super::parameters::RequestParameters;
use crate::components::shape::{Text, TextOrMapping, TextOrTemplates};
use crate::components::{BodyData, BuildError, Parameters, ReadError, RequestParts};
use crate::template::{
    EvalError, InterpolatedMapping, InterpolatedNestedMapping, InterpolatedString, Scope,
    ValidTypes, Value,
};
use crate::value::{Json, Map};

/// The templates of parameters, headers, and body.
#[derive(Debug)]
pub(super) struct RequestOptions {
    params: Template,
    headers: Template,
    body_data: Template,
    body_json: Template,
}

/// What one of them is written as.
#[derive(Debug)]
enum Template {
    Nothing,
    Text(InterpolatedString),
    Mapping(InterpolatedMapping, ValidTypes),
    Nested(InterpolatedNestedMapping),
}

impl RequestOptions {
    pub(super) fn build(shape: &HttpRequester) -> Result<Self, BuildError> {
        let parameters = &shape.parameters;
        let (mut body_data, mut body_json) = (Template::Nothing, Template::Nothing);
        match &shape.request_body {
            Some(RequestBody::PlainText(body)) => {
                body_data = Template::text(&body.value, parameters);
            }
            Some(RequestBody::UrlEncodedForm(body)) => {
                body_data = Template::mapping(&body.value, STR_OR_LIST, parameters);
            }
            Some(RequestBody::JsonObject(body)) => {
                body_json = Template::nested(body.value.0.clone(), parameters);
            }
            Some(RequestBody::GraphQl(body)) => {
                body_json = Template::nested(query_first(&body.value.json), parameters);
            }
            None => {}
        }
        if let Some(written) = &shape.request_body_data
            && body_data.is_nothing()
        {
            body_data = Template::new(written, STR_OR_LIST, parameters);
        }
        if let Some(written) = &shape.request_body_json
            && body_json.is_nothing()
        {
            body_json = match written {
                TextOrTemplates::Text(text) => Template::text(text, parameters),
                TextOrTemplates::Object(object) => Template::nested(object.0.clone(), parameters),
            };
        }
        if !body_data.is_nothing() && !body_json.is_nothing() {
            let message = "RequestOptionsProvider should only contain either 'request_body_data' \
                           or 'request_body_json' not both";
            return Err(BuildError::in_span(shape.span, message));
        }
        Ok(Self {
            params: match &shape.request_parameters {
                Some(RequestParameters::Text(text)) => Template::text(text, parameters),
                Some(written) => Template::mapping(&written.texts(), STR_OR_LIST, parameters),
                None => Template::Nothing,
            },
            headers: match &shape.request_headers {
                Some(written) => Template::new(written, ValidTypes::ANY, parameters),
                None => Template::Nothing,
            },
            body_data,
            body_json,
        })
    }

    /// All of them, evaluated.
    pub(super) fn eval(&self, scope: &Scope<'_>) -> Result<RequestParts, ReadError> {
        let headers = match self.headers.eval(scope)? {
            Json::Object(headers) => headers,
            Json::String(_) => return Err(ReadError::value("Request headers cannot be a string")),
            _ => Map::new(),
        };
        let params = match self.params.eval(scope)? {
            Json::Object(params) => params,
            _ => Map::new(),
        };
        let body_json = match self.body_json.eval(scope)? {
            Json::Object(body) => body,
            Json::String(_) => {
                return Err(ReadError::value("Request body json cannot be a string"));
            }
            _ => Map::new(),
        };
        let body_data = match self.body_data.eval(scope)? {
            Json::Object(fields) => BodyData::Form(fields),
            Json::String(text) => BodyData::Text(text),
            // The reference drops what is neither.
            _ => BodyData::default(),
        };
        Ok(RequestParts { params, headers, body_data, body_json })
    }
}

impl Template {
    fn new(written: &TextOrMapping, types: ValidTypes, parameters: &Parameters) -> Self {
        match written {
            TextOrMapping::Text(text) => Self::text(text, parameters),
            TextOrMapping::Mapping(fields) => Self::mapping(fields, types, parameters),
        }
    }

    fn text(text: &Text, parameters: &Parameters) -> Self {
        if text.is_empty() {
            return Self::Nothing;
        }
        Self::Text(InterpolatedString::new(text, parameters.clone()))
    }

    fn mapping(
        fields: &IndexMap<String, Text>,
        types: ValidTypes,
        parameters: &Parameters,
    ) -> Self {
        if fields.is_empty() {
            return Self::Nothing;
        }
        let fields: Map =
            fields.iter().map(|(key, text)| (key.clone(), Json::from(&**text))).collect();
        Self::Mapping(InterpolatedMapping::new(&fields, parameters.clone()), types)
    }

    fn nested(body: Map, parameters: &Parameters) -> Self {
        if body.is_empty() {
            return Self::Nothing;
        }
        Self::Nested(InterpolatedNestedMapping::new(&Json::Object(body), parameters.clone()))
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// The value, without keys that have none.
    fn eval(&self, scope: &Scope<'_>) -> Result<Json, EvalError> {
        let mut value = match self {
            Self::Nothing => Json::Null,
            Self::Text(template) => template.eval_json(scope)?,
            Self::Mapping(template, types) => {
                Value::dict(template.eval(scope, *types)?).to_json()?
            }
            Self::Nested(template) => return template.eval(scope)?.to_json(),
        };
        if let Json::Object(map) = &mut value {
            map.retain(|_, value| !value.is_null());
        }
        Ok(value)
    }
}

/// What parameters and form fields may be; all else stays the text it was rendered to.
const STR_OR_LIST: ValidTypes = ValidTypes::STR.or(ValidTypes::LIST);

/// The reference's model of a GraphQL body knows the query, which therefore comes first.
fn query_first(value: &Map) -> Map {
    let mut body = value.clone();
    if let Some(query) = body.shift_remove("query") {
        body.shift_insert(0, "query".to_owned(), query);
    }
    body
}
