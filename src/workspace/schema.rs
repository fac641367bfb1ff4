//! The tables of the database, and how older ones become newer.

use rusqlite::{Connection, TransactionBehavior};

/// What makes each version of the tables out of the one before. Only ever append to it.
const MIGRATIONS: [&str; 1] = ["
CREATE TABLE project (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- Grows with every change of the draft, also by undoing.
  revision INTEGER NOT NULL,
  -- The number of the step that is the draft.
  step INTEGER NOT NULL,
  active_version INTEGER,
  forked_project TEXT,
  forked_version INTEGER
) STRICT;
CREATE INDEX project_of_workspace ON project (workspace, updated_at);

CREATE TABLE step (
  project TEXT NOT NULL REFERENCES project ON DELETE CASCADE,
  number INTEGER NOT NULL,
  label TEXT,
  saved_at INTEGER NOT NULL,
  digest BLOB NOT NULL,
  text BLOB NOT NULL,
  PRIMARY KEY (project, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE version (
  project TEXT NOT NULL REFERENCES project ON DELETE CASCADE,
  number INTEGER NOT NULL,
  description TEXT NOT NULL,
  published_at INTEGER NOT NULL,
  digest BLOB NOT NULL,
  text BLOB NOT NULL,
  PRIMARY KEY (project, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE testing_values (
  project TEXT PRIMARY KEY REFERENCES project ON DELETE CASCADE,
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"];

/// Brings the tables up to date; false if they are newer than this program.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let Some(missing) = MIGRATIONS.get(version as usize..) else { return Ok(false) };
    for (migration, version) in missing.iter().zip(version + 1..) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
    }
    transaction.commit()?;
    Ok(true)
}
