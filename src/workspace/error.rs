//! What can go wrong with projects.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why something could not be done to a project.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    #[error("there is no {what} `{name}`")]
    NotFound { what: &'static str, name: String },
    #[error("`{0}` is no name for a workspace: it has letters, digits, `-`, and `_`")]
    WorkspaceName(String),
    #[error("a project has a name, of at most 200 characters")]
    ProjectName,
    #[error("the draft was saved elsewhere meanwhile: it is at revision {stored} now")]
    Outdated { stored: i64 },
    #[error("there is nothing to {0}")]
    NoStep(&'static str),
    #[error("a project with published versions cannot be deleted")]
    IsPublished,
    #[error("`{0}` has no published version")]
    Unpublished(String),
    #[error("several published connectors are called `{name}`: say one of the ids {ids}")]
    Ambiguous { name: String, ids: String },
    #[error("another program is writing to {file} and does not end", file = .0.display())]
    Busy(PathBuf),
    #[error("{file} is no database of projects, or it is damaged: {error}", file = .file.display())]
    Damaged { file: PathBuf, error: rusqlite::Error },
    #[error("{file} was made by a later version of this program", file = .0.display())]
    TooNew(PathBuf),
    #[error("{file} cannot be opened: {error}", file = .file.display())]
    Unreadable { file: PathBuf, error: io::Error },
    #[error("{file} is not the key that the testing values were encrypted with", file = .0.display())]
    WrongKey(PathBuf),
    #[error("{file} cannot be used: {error}", file = .file.display())]
    Sqlite { file: PathBuf, error: rusqlite::Error },
}

impl WorkspaceError {
    /// What the database said, in the words of what it means for whoever uses the file.
    pub(super) fn of_database(file: &std::path::Path, error: rusqlite::Error) -> Self {
        let file = file.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(file),
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { file, error }
            }
            _ => Self::Sqlite { file, error },
        }
    }

    /// Whether whoever asked can do something about it; else it is this machine's fault.
    pub fn is_callers(&self) -> bool {
        !matches!(
            self,
            Self::Busy(_)
                | Self::Damaged { .. }
                | Self::TooNew(_)
                | Self::Unreadable { .. }
                | Self::WrongKey(_)
                | Self::Sqlite { .. }
        )
    }
}
