//! Drafts: saved with every change, undone and redone also after a restart.
//!
//! A step of the history is the whole text, packed. Saving drops the steps that were undone, and
//! the oldest ones once a project's steps take more than [`MOST_BYTES`].

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::projects::check_project;
use super::store::{Store, digest, moment, pack, unpack};
use super::{Result, WorkspaceError};

/// How much the history of a project may take, in bytes.
const MOST_BYTES: i64 = 16 << 20;
/// Saves that follow one another so fast, with the same label, are one step, in milliseconds.
const ONE_STEP: i64 = 2000;

/// What is worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The manifest.
    pub text: String,
    /// How it was saved.
    pub saved: Saved,
}

/// How a draft was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Grows with every change.
    pub revision: i64,
    /// Whether there is a step before this one.
    pub can_undo: bool,
    /// Whether there is a step behind this one.
    pub can_redo: bool,
    /// When the step was made.
    pub saved_at: Timestamp,
}

/// A draft after a step back or forth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The draft as it is now.
    pub draft: Draft,
    /// What the step is called that was undone or redone.
    pub label: Option<String>,
}

/// Where a project stands in its history.
struct Position {
    revision: i64,
    step: i64,
}

impl Store {
    /// Saves a draft that was made from `revision`; refused if another was saved since.
    pub fn save(
        &self,
        workspace: &str,
        id: &str,
        text: &str,
        revision: i64,
        label: Option<&str>,
    ) -> Result<Saved> {
        self.write(|transaction| {
            check_project(transaction, workspace, id)?;
            let stored = position(transaction, id)?.revision;
            if stored != revision {
                return Err(WorkspaceError::Outdated { stored });
            }
            save(transaction, id, text, label, self.now())
        })
    }

    /// Takes the draft a step back.
    pub fn undo(&self, workspace: &str, id: &str) -> Result<Undone> {
        self.write(|transaction| {
            check_project(transaction, workspace, id)?;
            let Position { step, .. } = position(transaction, id)?;
            let before = "SELECT MAX(number) FROM step WHERE project = ? AND number < ?";
            let target = neighbour(transaction, before, id, step)?;
            let target = target.ok_or(WorkspaceError::NoStep("undo"))?;
            self.go(transaction, id, target, step)
        })
    }

    /// Takes the draft a step forth.
    pub fn redo(&self, workspace: &str, id: &str) -> Result<Undone> {
        self.write(|transaction| {
            check_project(transaction, workspace, id)?;
            let Position { step, .. } = position(transaction, id)?;
            let behind = "SELECT MIN(number) FROM step WHERE project = ? AND number > ?";
            let target = neighbour(transaction, behind, id, step)?;
            let target = target.ok_or(WorkspaceError::NoStep("redo"))?;
            self.go(transaction, id, target, target)
        })
    }

    fn go(
        &self,
        transaction: &Transaction<'_>,
        id: &str,
        target: i64,
        labelled: i64,
    ) -> Result<Undone> {
        transaction.execute(
            "UPDATE project SET step = ?, revision = revision + 1, updated_at = ? WHERE id = ?",
            params![target, self.now(), id],
        )?;
        let label = transaction.query_row(
            "SELECT label FROM step WHERE project = ? AND number = ?",
            params![id, labelled],
            |row| row.get(0),
        )?;
        Ok(Undone { draft: draft(transaction, id)?, label })
    }
}

/// The draft of a project that is there.
pub(super) fn draft(connection: &Connection, id: &str) -> Result<Draft> {
    let sql = "SELECT text FROM step JOIN project ON id = project AND step = number WHERE id = ?";
    let packed: Vec<u8> = connection.query_row(sql, [id], |row| row.get(0))?;
    Ok(Draft { text: unpack(&packed)?, saved: saved(connection, id)? })
}

fn saved(connection: &Connection, id: &str) -> Result<Saved> {
    let sql = "
SELECT revision, saved_at,
  EXISTS (SELECT 1 FROM step AS other WHERE other.project = id AND other.number < step),
  EXISTS (SELECT 1 FROM step AS other WHERE other.project = id AND other.number > step)
FROM project JOIN step ON step.project = id AND step.number = step
WHERE id = ?";
    Ok(connection.query_row(sql, [id], |row| {
        Ok(Saved {
            revision: row.get(0)?,
            saved_at: moment(row.get(1)?),
            can_undo: row.get(2)?,
            can_redo: row.get(3)?,
        })
    })?)
}

/// Makes a text the draft of a project, as a new step unless it belongs to the last one.
pub(super) fn save(
    transaction: &Transaction<'_>,
    id: &str,
    text: &str,
    label: Option<&str>,
    now: i64,
) -> Result<Saved> {
    let Position { step, .. } = position(transaction, id)?;
    let last: (Option<String>, i64, Vec<u8>) = transaction.query_row(
        "SELECT label, saved_at, digest FROM step WHERE project = ? AND number = ?",
        params![id, step],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let (last_label, saved_at, last_digest) = last;
    if last_digest == digest(text) {
        return saved(transaction, id);
    }
    let was_undone = transaction
        .execute("DELETE FROM step WHERE project = ? AND number > ?", params![id, step])?
        > 0;
    let is_same_step = label.is_some()
        && last_label.as_deref() == label
        && (saved_at..=saved_at + ONE_STEP).contains(&now)
        && !was_undone;
    let number = if is_same_step { step } else { step + 1 };
    add_step(transaction, id, number, label, text, now)?;
    transaction.execute(
        "UPDATE project SET step = ?, revision = revision + 1, updated_at = ? WHERE id = ?",
        params![number, now, id],
    )?;
    forget(transaction, id, number, MOST_BYTES)?;
    saved(transaction, id)
}

/// Writes a step, also over one of the same number.
pub(super) fn add_step(
    transaction: &Transaction<'_>,
    id: &str,
    number: i64,
    label: Option<&str>,
    text: &str,
    now: i64,
) -> Result<()> {
    transaction.execute(
        "INSERT OR REPLACE INTO step (project, number, label, saved_at, digest, text)
         VALUES (?, ?, ?, ?, ?, ?)",
        params![id, number, label, now, digest(text), pack(text)],
    )?;
    Ok(())
}

/// Drops the oldest steps, so that the rest takes at most so many bytes; never the last one.
fn forget(transaction: &Transaction<'_>, id: &str, last: i64, most: i64) -> Result<()> {
    transaction.execute(
        "DELETE FROM step WHERE project = ?1 AND number < ?2 AND number <= (
           SELECT MAX(number) FROM (
             SELECT number, SUM(LENGTH(text)) OVER (ORDER BY number DESC) AS bytes
             FROM step WHERE project = ?1)
           WHERE bytes > ?3)",
        params![id, last, most],
    )?;
    Ok(())
}

fn position(connection: &Connection, id: &str) -> Result<Position> {
    let sql = "SELECT revision, step FROM project WHERE id = ?";
    Ok(connection
        .query_row(sql, [id], |row| Ok(Position { revision: row.get(0)?, step: row.get(1)? }))?)
}

fn neighbour(connection: &Connection, sql: &str, id: &str, step: i64) -> Result<Option<i64>> {
    let found = connection.query_row(sql, params![id, step], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

#[cfg(test)]
mod tests {
    use super::super::store::testing;
    use super::*;

    #[test]
    fn steps_are_undone_and_redone_after_a_restart() {
        let (folder, store) = testing::store();
        let id = store.create("default", "a", "0", None).unwrap();
        let save = |millisecond, text, label| {
            let store = testing::at(folder.path(), millisecond);
            let revision = store.project("default", &id).unwrap().draft.saved.revision;
            store.save("default", &id, text, revision, label).unwrap()
        };
        save(10_000, "1", Some("typing"));
        save(11_000, "12", Some("typing"));
        save(20_000, "123", Some("typing"));
        let saved = save(20_100, "1234", None);
        assert_eq!((saved.revision, saved.can_undo, saved.can_redo), (5, true, false));

        let store = testing::at(folder.path(), 30_000);
        let undo = || {
            let undone = store.undo("default", &id).unwrap();
            (undone.draft.text, undone.label, undone.draft.saved.can_undo)
        };
        let typing = || Some("typing".to_owned());
        assert_eq!(undo(), ("123".to_owned(), None, true));
        assert_eq!(undo(), ("12".to_owned(), typing(), true));
        assert_eq!(undo(), ("0".to_owned(), typing(), false));
        assert_eq!(store.undo("default", &id).unwrap_err().to_string(), "there is nothing to undo");
        let redone = store.redo("default", &id).unwrap();
        assert_eq!((redone.draft.text.as_str(), redone.label), ("12", typing()));
        assert_eq!((redone.draft.saved.revision, redone.draft.saved.can_redo), (9, true));

        // What was undone is gone once something else is saved.
        save(11_500, "1x", Some("typing"));
        assert_eq!(store.redo("default", &id).unwrap_err().to_string(), "there is nothing to redo");
        assert_eq!(undo().0, "12");
    }

    #[test]
    fn nobody_overwrites_what_was_saved_elsewhere() {
        let (folder, store) = testing::store();
        let id = store.create("default", "a", "0", None).unwrap();
        let other = testing::at(folder.path(), 0);
        other.save("default", &id, "1", 1, None).unwrap();
        let error = store.save("default", &id, "2", 1, None).unwrap_err();
        assert!(matches!(error, WorkspaceError::Outdated { stored: 2 }));
        assert_eq!(store.text("default", &id, None).unwrap(), "1");
        // The same text again is no change.
        assert_eq!(store.save("default", &id, "1", 2, None).unwrap().revision, 2);
    }

    #[test]
    fn the_history_is_bounded() {
        let (_folder, store) = testing::store();
        let id = store.create("default", "a", "0", None).unwrap();
        for revision in 1..=20 {
            store.save("default", &id, &revision.to_string(), revision, None).unwrap();
        }
        let step_bytes = i64::try_from(pack("10").len()).unwrap();
        store.write(|transaction| forget(transaction, &id, 21, 3 * step_bytes)).unwrap();
        assert_eq!(store.undo("default", &id).unwrap().draft.text, "19");
        assert_eq!(store.undo("default", &id).unwrap().draft.text, "18");
        assert!(store.undo("default", &id).is_err());
        store.write(|transaction| forget(transaction, &id, 21, 0)).unwrap();
        assert_eq!(store.redo("default", &id).unwrap().draft.text, "20");
    }
}
