//! Checks a config against the specification of its source.

use super::failure::TracedError;
use crate::value::{Json, Map, SchemaError, check_against_schema};

/// Keys by which acceptance tests limit a run.
const TEST_KEYS: [&str; 2] = ["_limit", "_page_size"];

/// Checks `config` against `connection_specification`, but for what the
/// platform and tests have put into it: their keys, and all that begin with
/// `__`, unless the specification itself declares them.
///
/// The error is the user's to mend when the config is at fault, with the
/// reference's text, to which the internal message adds the place; otherwise it
/// is the source's.
pub fn validate_config(config: &Map, connection_specification: &Map) -> Result<(), TracedError> {
    let declared = connection_specification.get("properties");
    let is_users = |key: &String| {
        !TEST_KEYS.contains(&key.as_str())
            && (!key.starts_with("__") || declared.is_some_and(|keys| keys.get(key).is_some()))
    };
    let config = config.iter().filter(|(key, _)| is_users(key));
    let config = config.map(|(key, value)| (key.clone(), value.clone())).collect();
    check_against_schema(&Json::Object(config), connection_specification).map_err(|err| match err {
        SchemaError::Value { fault, pointer } => {
            let error = TracedError::config(format!("Config validation error: {fault}"));
            if pointer.is_empty() {
                error.with_internal(fault)
            } else {
                error.with_internal(format!("{fault} (at {pointer} of the config)"))
            }
        }
        SchemaError::Schema(_) => TracedError::unexpected(&err),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::FailureType;

    #[track_caller]
    fn check(config: &Json, spec: &Json, expect: Result<(), &str>) {
        let outcome = validate_config(config.as_object().unwrap(), spec.as_object().unwrap());
        let outcome = outcome.map_err(|err| err.to_string());
        assert_eq!(outcome, expect.map_err(str::to_owned));
    }

    #[test]
    fn the_fault_is_told_in_the_words_of_the_reference() {
        let spec = json!({"type": "object", "required": ["api_key"]});
        check(&json!({"api_key": "x"}), &spec, Ok(()));
        check(&json!({}), &spec, Err("Config validation error: 'api_key' is a required property"));
    }

    #[test]
    fn the_place_of_the_fault_is_told() {
        let Json::Object(spec) =
            json!({"properties": {"login": {"properties": {"key": {"type": "string"}}}}})
        else {
            panic!()
        };
        let Json::Object(config) = json!({"login": {"key": null}}) else { panic!() };
        let error = validate_config(&config, &spec).unwrap_err();
        let place = "None is not of type 'string' (at /login/key of the config)";
        assert_eq!(error.internal_message.as_deref(), Some(place));
    }

    #[test]
    fn keys_of_platform_and_tests_do_not_count() {
        let spec =
            json!({"additionalProperties": false, "properties": {"__mine": {"type": "null"}}});
        check(
            &json!({"_limit": 1, "_page_size": 1, "__injected_declarative_manifest": {}}),
            &spec,
            Ok(()),
        );
        check(
            &json!({"__mine": 1}),
            &spec,
            Err("Config validation error: 1 is not of type 'null'"),
        );
    }

    #[test]
    fn a_specification_that_is_none_is_a_fault_of_the_source() {
        let Json::Object(spec) = json!({"type": 3}) else { panic!() };
        let error = validate_config(&Map::new(), &spec).unwrap_err();
        assert_eq!((error.failure_type, error.message), (FailureType::SystemError, None));
    }
}
