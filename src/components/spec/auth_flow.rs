//! `AuthFlow`: how a user gives a source access in a browser.
//!
//! The platform obeys it; a source only passes on what its manifest says.

use serde_json::json;

use super::known_fields;
use crate::components::BuildError;
use crate::components::shape::{Shape, choice, shape};
use crate::value::{Json, Map};

choice! {
    /// The kind of authorisation.
    pub enum AuthFlowType { OAuth2 = "oauth2.0", OAuth1 = "oauth1.0" }
}

choice! {
    /// What stands between scopes.
    pub enum ScopesJoinStrategy { Space = "space", Comma = "comma", Plus = "plus" }
}

/// The YAML shapes; their fields stand in the order in which they are printed.
pub mod yaml {
    use super::{AuthFlowType, Map, ScopesJoinStrategy, shape};

    shape! {
        /// How a user gives access in a browser.
        pub struct AuthFlow: untyped {
            /// The kind of authorisation.
            auth_flow_type: Option<AuthFlowType>,
            /// The field of the config that says whether this is in use.
            predicate_key: Option<Vec<String>>,
            /// What that field holds then.
            predicate_value: Option<String>,
            /// What the platform sends, and where it puts what it gets.
            oauth_config_specification: Option<OAuthConfigSpecification>,
        }
    }

    shape! {
        /// What the platform sends, and where it puts what it gets.
        pub struct OAuthConfigSpecification: untyped {
            /// JSON schema of what the user enters before the flow begins.
            oauth_user_input_from_connector_config_specification: Option<Map>,
            /// The requests of the flow.
            oauth_connector_input_specification: Option<OAuthConnectorInputSpecification>,
            /// JSON schema of what comes out, with its places in the config.
            complete_oauth_output_specification: Option<Map>,
            /// JSON schema of what the platform's operator enters.
            complete_oauth_server_input_specification: Option<Map>,
            /// JSON schema of what of that goes into the config.
            complete_oauth_server_output_specification: Option<Map>,
        }
    }

    shape! {
        /// The requests of the flow, with placeholders that the platform fills.
        pub struct OAuthConnectorInputSpecification: untyped {
            /// Where the user agrees.
            consent_url: String,
            /// Where the code is exchanged for a token.
            access_token_url: String,
            /// The scopes as one text.
            scope: Option<String>,
            /// The scopes one by one.
            scopes: Option<Vec<OAuthScope>>,
            /// Scopes that the user may refuse.
            optional_scopes: Option<Vec<OAuthScope>>,
            /// What stands between scopes.
            scopes_join_strategy: Option<ScopesJoinStrategy>,
            /// Headers of the exchange.
            access_token_headers: Option<Map>,
            /// Parameters of the exchange.
            access_token_params: Option<Map>,
            /// Which fields of the answer are kept.
            extract_output: Option<Vec<String>>,
            /// The length of the random text that proves that an answer belongs to a request.
            state: Option<OAuthState>,
            /// The name of the client's id.
            client_id_key: Option<String>,
            /// The name of the client's secret.
            client_secret_key: Option<String>,
            /// The name of the scopes.
            scope_key: Option<String>,
            /// The name of the state.
            state_key: Option<String>,
            /// The name of the code.
            auth_code_key: Option<String>,
            /// The name of the URL that the user comes back to.
            redirect_uri_key: Option<String>,
        }
    }

    shape! {
        /// A scope.
        pub struct OAuthScope: untyped {
            /// Its name.
            scope: String,
        }
    }

    shape! {
        /// The length of the state.
        pub struct OAuthState: untyped {
            /// At least so many characters.
            min: i64,
            /// At most so many characters.
            max: i64,
        }
    }
}

/// The flow as the protocol prints it.
pub(super) fn printed(written: &Map) -> Result<Map, BuildError> {
    if written.get("auth_flow_type").is_none_or(Json::is_null) {
        let message = "'NoneType' object has no attribute 'value'";
        return Err(BuildError::new(message).class("AttributeError"));
    }
    let mut flow = known_fields(written, &yaml::AuthFlow::definition());
    if let Some(Json::Object(oauth)) = flow.get_mut("oauth_config_specification") {
        *oauth = known_fields(oauth, &yaml::OAuthConfigSpecification::definition());
        if let Some(Json::Object(input)) = oauth.get_mut("oauth_connector_input_specification") {
            input.entry("scopes_join_strategy").or_insert(json!("space"));
            *input = known_fields(input, &yaml::OAuthConnectorInputSpecification::definition());
        }
    }
    Ok(flow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &Json, expect: &Json) {
        let flow = printed(written.as_object().unwrap()).unwrap();
        assert_eq!(Json::Object(flow).to_string(), expect.to_string());
    }

    #[test]
    fn unknown_fields_and_nulls_are_dropped() {
        check(
            &json!({"predicate_key": ["a"], "other": 1, "auth_flow_type": "oauth2.0"}),
            &json!({"auth_flow_type": "oauth2.0", "predicate_key": ["a"]}),
        );
        check(
            &json!({"auth_flow_type": "oauth2.0", "oauth_config_specification": {
                "complete_oauth_output_specification": {"a": null, "b": {"c": null}},
            }}),
            &json!({"auth_flow_type": "oauth2.0", "oauth_config_specification": {
                "complete_oauth_output_specification": {"b": {"c": null}},
            }}),
        );
    }

    #[test]
    fn scopes_are_joined_by_spaces_unless_said_otherwise() {
        let flow = |input: &Json| {
            json!({"auth_flow_type": "oauth2.0", "oauth_config_specification":
                {"oauth_connector_input_specification": input}})
        };
        check(
            &flow(&json!({"access_token_url": "t", "consent_url": "c", "extra": 1})),
            &flow(
                &json!({"consent_url": "c", "access_token_url": "t", "scopes_join_strategy": "space"}),
            ),
        );
    }

    #[test]
    fn a_flow_needs_its_type() {
        let err = printed(&Map::new()).unwrap_err();
        assert_eq!(err.class, "AttributeError");
    }
}
