//! The bodies of requests, and all that can be wrong with them.
//!
//! Numbers may come as texts, as the original's framework takes them; what is more than asked for is
//! left alone. The faults are told in that framework's words, but without repeating whole bodies:
//! there are secrets in them.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde_json::json;

use super::error::{ApiError, Fault};
use crate::value::{self, Json, Map, python_int};

/// The body of a request: a JSON object whose fields are taken out one by one.
#[derive(Debug)]
pub(super) struct Body {
    fields: Map,
    faults: Vec<Fault>,
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|err| ApiError::Failed(err.body_text()))?;
        Self::read(&bytes).map_err(|fault| ApiError::Invalid(vec![*fault]))
    }
}

impl Body {
    fn read(bytes: &[u8]) -> Result<Self, Box<Fault>> {
        if bytes.is_empty() {
            return Err(Box::new(missing(Vec::new())));
        }
        let parsed = value::parse(bytes).map_err(|err| {
            Box::new(Fault {
                kind: "json_invalid",
                place: vec![err.n_read().into()],
                message: "JSON decode error".to_owned(),
                input: json!({}),
                context: Some(json!({"error": err.to_string()})),
            })
        })?;
        match parsed {
            Json::Object(fields) => Ok(Self { fields, faults: Vec::new() }),
            other => Err(Box::new(no_object(Vec::new(), &other))),
        }
    }

    /// The object under `name`, which has to be there.
    pub(super) fn object(&mut self, name: &str) -> Map {
        match self.required(name) {
            Some(Json::Object(fields)) => return fields,
            Some(other) => self.faults.push(no_object(place(name), &other)),
            None => {}
        }
        Map::new()
    }

    /// The text under `name`, which has to be there.
    pub(super) fn text(&mut self, name: &str) -> String {
        let text = self.required(name);
        text.and_then(|text| self.checked_text(place(name), text)).unwrap_or_default()
    }

    /// The text under `name`, if there is one.
    pub(super) fn optional_text(&mut self, name: &str) -> Option<String> {
        let text = self.fields.shift_remove(name).filter(|text| !text.is_null())?;
        self.checked_text(place(name), text)
    }

    /// The list under `name`; empty when there is none.
    pub(super) fn list(&mut self, name: &str) -> Vec<Json> {
        match self.fields.shift_remove(name) {
            None => Vec::new(),
            Some(Json::Array(items)) => items,
            Some(other) => {
                self.fault("list_type", place(name), "Input should be a valid list", &other);
                Vec::new()
            }
        }
    }

    /// The number under `name`, from 1 to `most`; `default` when there is none.
    pub(super) fn limit(&mut self, name: &str, most: i64, default: usize) -> usize {
        let Some(written) = self.fields.shift_remove(name) else { return default };
        let number = match &written {
            Json::Bool(flag) => Some(i64::from(*flag)),
            Json::Number(number) => {
                let whole = number.as_f64().filter(|number| number.fract() == 0.0);
                #[expect(clippy::cast_possible_truncation, reason = "limits are far smaller")]
                number.as_i64().or_else(|| whole.map(|number| number as i64))
            }
            Json::String(text) => whole_number(text),
            _ => None,
        };
        let Some(number) = number else {
            let (kind, message) = match &written {
                Json::Number(_) => (
                    "int_from_float",
                    "Input should be a valid integer, got a number with a fractional part",
                ),
                Json::String(_) => (
                    "int_parsing",
                    "Input should be a valid integer, unable to parse string as an integer",
                ),
                _ => ("int_type", "Input should be a valid integer"),
            };
            self.fault(kind, place(name), message, &written);
            return default;
        };
        let (kind, words, context) = if number < 1 {
            ("greater_than_equal", "greater than or equal to 1".to_owned(), json!({"ge": 1}))
        } else if number > most {
            ("less_than_equal", format!("less than or equal to {most}"), json!({"le": most}))
        } else {
            return usize::try_from(number).unwrap_or(default);
        };
        self.fault(kind, place(name), &format!("Input should be {words}"), &written);
        if let Some(fault) = self.faults.last_mut() {
            fault.context = Some(context);
        }
        default
    }

    /// Ends the reading with all faults; what all requests may have is looked at last.
    pub(super) fn finish(mut self) -> Result<(), ApiError> {
        match self.fields.shift_remove("context") {
            None | Some(Json::Null) => {}
            Some(Json::Object(mut context)) => {
                for name in ["workspace_id", "project_id"] {
                    if let Some(id) = context.shift_remove(name).filter(|id| !id.is_null()) {
                        self.checked_text(vec!["context".into(), name.into()], id);
                    }
                }
            }
            Some(other) => self.faults.push(no_object(place("context"), &other)),
        }
        if self.faults.is_empty() { Ok(()) } else { Err(ApiError::Invalid(self.faults)) }
    }

    fn required(&mut self, name: &str) -> Option<Json> {
        let value = self.fields.shift_remove(name);
        if value.is_none() {
            self.faults.push(missing(place(name)));
        }
        value
    }

    fn checked_text(&mut self, place: Vec<Json>, text: Json) -> Option<String> {
        match text {
            Json::String(text) => Some(text),
            other => {
                self.fault("string_type", place, "Input should be a valid string", &other);
                None
            }
        }
    }

    fn fault(&mut self, kind: &'static str, place: Vec<Json>, message: &str, input: &Json) {
        let (message, input) = (message.to_owned(), shown(input));
        self.faults.push(Fault { kind, place, message, input, context: None });
    }
}

/// Digits, and zeros behind a point.
fn whole_number(text: &str) -> Option<i64> {
    let (digits, zeros) = text.trim().split_once('.').unwrap_or((text, ""));
    let is_whole = zeros.bytes().all(|digit| digit == b'0');
    is_whole.then(|| python_int(&digits.into())).flatten()
}

fn place(name: &str) -> Vec<Json> {
    vec![name.into()]
}

fn missing(place: Vec<Json>) -> Fault {
    let message = "Field required".to_owned();
    Fault { kind: "missing", place, message, input: Json::Null, context: None }
}

fn no_object(place: Vec<Json>, input: &Json) -> Fault {
    let message = "Input should be a valid dictionary or object to extract fields from".to_owned();
    Fault { kind: "model_attributes_type", place, message, input: shown(input), context: None }
}

/// What is shown of an input: scalars, and of others only what they are.
fn shown(input: &Json) -> Json {
    match input {
        Json::Array(_) => json!([]),
        Json::Object(_) => json!({}),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads all kinds of fields; `expect` are kind, place, and message of each fault.
    #[track_caller]
    fn check(body: &Json, expect: &[(&str, &str, &str)]) -> Option<usize> {
        let faults = |err: ApiError| match err {
            ApiError::Invalid(faults) => faults,
            other => panic!("{other:?}"),
        };
        let (limit, faults) = match Body::read(body.to_string().as_bytes()) {
            Ok(mut body) => {
                body.object("manifest");
                body.text("stream_name");
                body.list("state");
                body.optional_text("code");
                let limit = body.limit("record_limit", 5000, 100);
                (Some(limit), body.finish().map_or_else(faults, |()| Vec::new()))
            }
            Err(fault) => (None, vec![*fault]),
        };
        let places = faults.iter().map(|fault| Json::Array(fault.place.clone()).to_string());
        let found: Vec<_> = faults.iter().zip(places).collect();
        let found: Vec<_> = found
            .iter()
            .map(|(it, place)| (it.kind, place.as_str(), it.message.as_str()))
            .collect();
        assert_eq!(found, expect);
        limit
    }

    #[test]
    fn what_is_more_than_asked_for_is_left_alone() {
        let body = json!({"manifest": {}, "stream_name": "s", "other": 1, "context": {"workspace_id": null}});
        assert_eq!(check(&body, &[]), Some(100));
        let body = json!({"manifest": {}, "stream_name": "s", "record_limit": "7", "code": null});
        assert_eq!(check(&body, &[]), Some(7));
        let body =
            json!({"manifest": {}, "stream_name": "s", "record_limit": 5000.0, "context": null});
        assert_eq!(check(&body, &[]), Some(5000));
    }

    #[test]
    fn all_faults_are_told() {
        check(
            &json!({}),
            &[
                ("missing", r#"["manifest"]"#, "Field required"),
                ("missing", r#"["stream_name"]"#, "Field required"),
            ],
        );
        check(
            &json!({"manifest": [], "stream_name": 5, "state": {}, "code": 1, "record_limit": 0,
                "context": {"project_id": 1}}),
            &[
                (
                    "model_attributes_type",
                    r#"["manifest"]"#,
                    "Input should be a valid dictionary or object to extract fields from",
                ),
                ("string_type", r#"["stream_name"]"#, "Input should be a valid string"),
                ("list_type", r#"["state"]"#, "Input should be a valid list"),
                ("string_type", r#"["code"]"#, "Input should be a valid string"),
                (
                    "greater_than_equal",
                    r#"["record_limit"]"#,
                    "Input should be greater than or equal to 1",
                ),
                ("string_type", r#"["context","project_id"]"#, "Input should be a valid string"),
            ],
        );
    }

    #[test]
    fn numbers_have_to_be_whole_and_within_their_limits() {
        let limit =
            |limit: Json| json!({"manifest": {}, "stream_name": "s", "record_limit": limit});
        let place = r#"["record_limit"]"#;
        let message = "Input should be less than or equal to 5000";
        check(&limit(json!(5001)), &[("less_than_equal", place, message)]);
        let message = "Input should be a valid integer, got a number with a fractional part";
        check(&limit(json!(1.5)), &[("int_from_float", place, message)]);
        let message = "Input should be a valid integer, unable to parse string as an integer";
        check(&limit(json!("x")), &[("int_parsing", place, message)]);
        check(&limit(json!("1.5")), &[("int_parsing", place, message)]);
        check(&limit(json!(null)), &[("int_type", place, "Input should be a valid integer")]);
        assert_eq!(check(&limit(json!(" 1_0.0 ")), &[]), Some(10));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let message = "Input should be a valid dictionary or object to extract fields from";
        check(&json!([1]), &[("model_attributes_type", "[]", message)]);
        let fault = Body::read(b"{").unwrap_err();
        assert_eq!((fault.kind, fault.place), ("json_invalid", vec![json!(1)]));
        assert_eq!(*Body::read(b"").unwrap_err(), missing(Vec::new()));
    }

    #[test]
    fn secrets_of_a_body_are_not_repeated() {
        let mut body = Body::read(br#"{"stream_name": {"key": "s3cret"}}"#).unwrap();
        body.text("stream_name");
        assert!(!format!("{:?}", body.finish()).contains("s3cret"));
    }
}
