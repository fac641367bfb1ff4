//! Why a text cannot be changed as asked.

/// Why a change is refused. Nothing of the text is changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("the text is no YAML, so that nothing can be changed in it by a form: {0}")]
    Unreadable(String),
    #[error("there is nothing at `{0}`")]
    NotFound(String),
    #[error("`{path}` is {kind}, which has nothing inside")]
    Scalar { path: String, kind: &'static str },
    #[error("`{path}` stands at `{reference}`: change it there")]
    Reference { path: String, reference: String },
    #[error("`{0}` comes by an alias or `<<` from elsewhere in the text: change it there")]
    Alias(String),
    #[error("there is an item {last} at most in `{path}`")]
    Index { path: String, last: usize },
    #[error("there is a `{0}` already")]
    Exists(String),
    #[error("this is no YAML of one value: {message}")]
    Yaml { message: String, line: u32, column: u32 },
    #[error("this cannot be changed without changing what is around it: change it in the text")]
    NotInPlace,
}
