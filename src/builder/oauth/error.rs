//! Why a consent comes to nothing.

/// What is wrong with a consent: with what is declared of it, or with what came of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// The manifest says nothing of a consent.
    #[error(
        "the manifest declares no consent: `spec.advanced_auth.oauth_config_specification` has no \
         `oauth_connector_input_specification`"
    )]
    NotDeclared,
    /// A field of the declaration is missing.
    #[error("the consent has no `{0}`")]
    NoField(&'static str),
    /// A testing value is missing.
    #[error("there is no testing value for `{0}`")]
    NoValue(String),
    /// A placeholder cannot be read.
    #[error("a placeholder cannot be filled: {0}")]
    Placeholder(String),
    /// A place in the config, or in the answer, is none.
    #[error("`{0}` is not a list of names")]
    Path(&'static str),
    /// A URL is none that a browser may be sent to.
    #[error("`{field}` does not begin with http:// or https:// once it is filled")]
    Url {
        /// The field of the declaration.
        field: &'static str,
    },
    /// Nobody answered.
    #[error("the code could not be exchanged: {0}")]
    Unanswered(String),
    /// The exchange was refused.
    #[error("the code was not exchanged: the answer has the status {status}{said}")]
    Refused {
        /// Of the answer.
        status: u16,
        /// What it says, after a colon; nothing if it says nothing.
        said: String,
    },
    /// The answer is not JSON.
    #[error("the answer to the exchange is not JSON")]
    NotJson,
    /// The answer lacks what is to be kept.
    #[error("the answer to the exchange has no `{field}`; it has {known}")]
    NothingAt {
        /// The path of what is missing.
        field: String,
        /// What there is.
        known: String,
    },
}
