//! What a component adds to a request, and how several additions are joined.

use crate::value::{Json, Map};

use super::error::ReadError;

/// Additions to one request; keys keep their order, which is the order on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestParts {
    /// Query parameters.
    pub params: Map,
    /// Headers.
    pub headers: Map,
    /// The body as form or text.
    pub body_data: BodyData,
    /// The body as JSON.
    pub body_json: Map,
}

/// A body that is not JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyData {
    /// Fields of a form.
    Form(Map),
    /// Text as it is.
    Text(String),
}

impl Default for BodyData {
    fn default() -> Self {
        Self::Form(Map::new())
    }
}

impl BodyData {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Form(fields) => fields.is_empty(),
            Self::Text(text) => text.is_empty(),
        }
    }
}

impl RequestParts {
    /// One header.
    pub fn of_header(name: &str, value: String) -> Self {
        let mut parts = Self::default();
        parts.headers.insert(name.to_owned(), Json::String(value));
        parts
    }

    /// Adds all of `other`.
    ///
    /// The same key on both sides is an error, as in the reference, even when
    /// the values are equal; only JSON bodies merge deeply and tolerate equal values.
    pub fn merge(&mut self, other: Self) -> Result<(), ReadError> {
        merge_flat(&mut self.params, other.params)?;
        merge_flat(&mut self.headers, other.headers)?;
        merge_deep(&mut self.body_json, other.body_json, &mut Vec::new())?;
        match (&mut self.body_data, other.body_data) {
            (_, more) if more.is_empty() => Ok(()),
            (mine, more) if mine.is_empty() => {
                *mine = more;
                Ok(())
            }
            (BodyData::Form(mine), BodyData::Form(more)) => merge_flat(mine, more),
            _ => Err(ReadError::value("Cannot combine multiple options if one is a string")),
        }
    }

    /// Adds all of `other`, whose values win over those of the same key.
    pub fn overlay(&mut self, other: Self) {
        self.params.extend(other.params);
        self.headers.extend(other.headers);
        self.body_json.extend(other.body_json);
        match (&mut self.body_data, other.body_data) {
            (BodyData::Form(mine), BodyData::Form(more)) => mine.extend(more),
            (mine, more) if !more.is_empty() => *mine = more,
            _ => {}
        }
    }
}

fn collision(path: &[String]) -> ReadError {
    ReadError::value(format!(
        "Request body collision, duplicate keys detected at key path: {}. \
         Please ensure that all keys in the request are unique.",
        path.join(".")
    ))
}

fn merge_flat(mine: &mut Map, more: Map) -> Result<(), ReadError> {
    for (key, value) in more {
        if mine.contains_key(&key) {
            return Err(collision(&[key]));
        }
        mine.insert(key, value);
    }
    Ok(())
}

fn merge_deep(mine: &mut Map, more: Map, path: &mut Vec<String>) -> Result<(), ReadError> {
    for (key, value) in more {
        path.push(key.clone());
        match (mine.get_mut(&key), value) {
            (None, value) => {
                mine.insert(key, value);
            }
            (Some(Json::Object(mine)), Json::Object(more)) => merge_deep(mine, more, path)?,
            (Some(mine), value) if *mine == value => {}
            _ => return Err(collision(path)),
        }
        path.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn params(value: &Json) -> RequestParts {
        RequestParts { params: value.as_object().unwrap().clone(), ..RequestParts::default() }
    }

    fn body(value: &Json) -> RequestParts {
        RequestParts { body_json: value.as_object().unwrap().clone(), ..RequestParts::default() }
    }

    #[track_caller]
    fn check(mut left: RequestParts, right: RequestParts, expect: Option<&RequestParts>) {
        let merged = left.merge(right).ok().map(|()| left);
        assert_eq!(merged.as_ref(), expect);
    }

    #[test]
    fn joins_different_keys() {
        check(
            params(&json!({"a": 1})),
            params(&json!({"b": 2})),
            Some(&params(&json!({"a": 1, "b": 2}))),
        );
    }

    #[test]
    fn refuses_equal_parameters() {
        check(params(&json!({"a": 1})), params(&json!({"a": 1})), None);
    }

    #[test]
    fn merges_json_bodies_deeply_and_tolerates_equal_values() {
        check(
            body(&json!({"a": {"b": 1}})),
            body(&json!({"a": {"b": 1, "c": 2}})),
            Some(&body(&json!({"a": {"b": 1, "c": 2}}))),
        );
        check(body(&json!({"a": {"b": 1}})), body(&json!({"a": {"b": 2}})), None);
    }
}
