//! The projects of the Connector Builder: drafts with their history, published versions, and the
//! values that they are tested with.
//!
//! All of it is in one file, a database. `store` opens it, and each other file adds to [`Store`] what
//! one part of a project can do.

mod diff;
mod drafts;
mod error;
mod projects;
mod schema;
mod store;
mod testing_values;
mod vault;
mod versions;

pub use diff::{DiffKind, DiffLine, diff};
pub use drafts::{Draft, Saved, Undone};
pub use error::WorkspaceError;
pub use projects::{Origin, Project, ProjectSummary};
pub use store::Store;
pub use versions::{Published, Version, VersionText};

/// The workspace that is there without being made.
pub const DEFAULT_WORKSPACE: &str = "default";

type Result<T> = std::result::Result<T, WorkspaceError>;
