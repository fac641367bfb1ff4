//! Versions: texts that were published, and never change.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::drafts::{self, Draft};
use super::projects::check_project;
use super::store::{Store, digest, moment, pack, unpack};
use super::{Result, WorkspaceError};

/// A version in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Counts from 1.
    pub number: u32,
    /// What its author says about it.
    pub description: String,
    /// When it was published.
    pub published_at: Timestamp,
}

/// A version with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionText {
    /// As in a list.
    pub version: Version,
    /// The manifest.
    pub text: String,
}

/// A published connector that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The name of its project.
    pub name: String,
    /// The version.
    pub version: u32,
    /// The manifest.
    pub text: String,
}

impl Store {
    /// A version of a project.
    pub fn version(&self, workspace: &str, id: &str, number: u32) -> Result<VersionText> {
        self.read(|transaction| {
            check_project(transaction, workspace, id)?;
            version(transaction, id, number)
        })
    }

    /// Makes a version of a text that was the draft at `revision`; refused if that has changed.
    pub fn publish(
        &self,
        workspace: &str,
        id: &str,
        revision: i64,
        description: &str,
        activate: bool,
    ) -> Result<u32> {
        self.write(|transaction| {
            check_project(transaction, workspace, id)?;
            let Draft { text, saved } = drafts::draft(transaction, id)?;
            if saved.revision != revision {
                return Err(WorkspaceError::Outdated { stored: saved.revision });
            }
            let now = self.now();
            let number = transaction.query_row(
                "INSERT INTO version (project, number, description, published_at, digest, text)
                 SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4, ?5
                 FROM version WHERE project = ?1
                 RETURNING number",
                params![id, description, now, digest(&text), pack(&text)],
                |row| row.get(0),
            )?;
            transaction.execute(
                "UPDATE project SET updated_at = ?2,
                   active_version = CASE WHEN ?3 THEN ?4 ELSE active_version END
                 WHERE id = ?1",
                params![id, now, activate, number],
            )?;
            Ok(number)
        })
    }

    /// Chooses the version that is run.
    pub fn activate(&self, workspace: &str, id: &str, number: u32) -> Result<()> {
        self.write(|transaction| {
            check_project(transaction, workspace, id)?;
            version(transaction, id, number)?;
            transaction.execute(
                "UPDATE project SET active_version = ?, updated_at = ? WHERE id = ?",
                params![number, self.now(), id],
            )?;
            Ok(())
        })
    }

    /// Makes a version the draft again, as a step that can be undone.
    pub fn revert(&self, workspace: &str, id: &str, number: u32) -> Result<Draft> {
        self.write(|transaction| {
            check_project(transaction, workspace, id)?;
            let text = version(transaction, id, number)?.text;
            let label = format!("Revert to version {number}");
            let saved = drafts::save(transaction, id, &text, Some(&label), self.now())?;
            Ok(Draft { text, saved })
        })
    }

    /// A published connector by its name or id, in its active version unless one is asked for.
    pub fn published(&self, workspace: &str, name: &str, number: Option<u32>) -> Result<Published> {
        self.read(|transaction| {
            let mut statement = transaction.prepare(
                "SELECT id, name, active_version FROM project
                 WHERE workspace = ?1 AND (name = ?2 OR id = ?2)
                   AND EXISTS (SELECT 1 FROM version WHERE project = id)",
            )?;
            let found = statement
                .query_map([workspace, name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let found: Vec<(String, String, Option<u32>)> =
                found.collect::<rusqlite::Result<_>>()?;
            let not_found =
                || WorkspaceError::NotFound { what: "published connector", name: name.to_owned() };
            match found.as_slice() {
                [] => Err(not_found()),
                [(id, name, active)] => {
                    let number = number.or(*active);
                    let number = number.ok_or_else(|| WorkspaceError::Unpublished(name.clone()))?;
                    let text = version(transaction, id, number)?.text;
                    Ok(Published { name: name.clone(), version: number, text })
                }
                several => {
                    let ids: Vec<_> = several.iter().map(|(id, ..)| id.as_str()).collect();
                    Err(WorkspaceError::Ambiguous { name: name.to_owned(), ids: ids.join(", ") })
                }
            }
        })
    }
}

pub(super) fn versions(connection: &Connection, id: &str) -> Result<Vec<Version>> {
    let mut statement = connection.prepare(
        "SELECT number, description, published_at FROM version WHERE project = ? ORDER BY number",
    )?;
    let versions = statement.query_map([id], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(versions)
}

pub(super) fn version(connection: &Connection, id: &str, number: u32) -> Result<VersionText> {
    let found = connection.query_row(
        "SELECT number, description, published_at, text FROM version
         WHERE project = ? AND number = ?",
        params![id, number],
        |row| Ok(VersionText { version: read(row)?, text: unpack(&row.get::<_, Vec<u8>>(3)?)? }),
    );
    let not_found = || WorkspaceError::NotFound { what: "version", name: number.to_string() };
    found.optional()?.ok_or_else(not_found)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version { number: row.get(0)?, description: row.get(1)?, published_at: moment(row.get(2)?) })
}

#[cfg(test)]
mod tests {
    use super::super::store::testing;
    use super::*;

    #[test]
    fn versions_are_published_run_and_reverted_to() {
        let (_folder, store) = testing::store();
        let id = store.create("default", "Poké", "1", None).unwrap();
        assert!(store.published("default", "Poké", None).is_err());
        assert_eq!(store.publish("default", &id, 1, "first", false).unwrap(), 1);
        let error = store.published("default", "Poké", None).unwrap_err();
        assert_eq!(error.to_string(), "`Poké` has no published version");
        assert!(!store.project("default", &id).unwrap().summary.is_changed);

        store.save("default", &id, "2", 1, None).unwrap();
        assert!(store.project("default", &id).unwrap().summary.is_changed);
        assert!(matches!(
            store.publish("default", &id, 1, "", true),
            Err(WorkspaceError::Outdated { stored: 2 })
        ));
        assert_eq!(store.publish("default", &id, 2, "second", true).unwrap(), 2);
        let text = |name, number| store.published("default", name, number).unwrap().text;
        assert_eq!((text("Poké", None), text(&id, Some(1))), ("2".to_owned(), "1".to_owned()));
        store.activate("default", &id, 1).unwrap();
        assert_eq!(text("Poké", None), "1");
        assert!(store.activate("default", &id, 3).is_err());

        let draft = store.revert("default", &id, 1).unwrap();
        assert_eq!((draft.text.as_str(), draft.saved.can_undo), ("1", true));
        assert_eq!(store.undo("default", &id).unwrap().label.unwrap(), "Revert to version 1");
        assert!(matches!(store.delete("default", &id), Err(WorkspaceError::IsPublished)));
        let project = store.project("default", &id).unwrap();
        let versions: Vec<_> = project.versions.iter().map(|it| it.description.as_str()).collect();
        assert_eq!(versions, ["first", "second"]);
    }

    #[test]
    fn a_name_must_be_of_one_connector() {
        let (_folder, store) = testing::store();
        for _ in 0..2 {
            let id = store.create("default", "a", "1", None).unwrap();
            store.publish("default", &id, 1, "", true).unwrap();
        }
        let error = store.published("default", "a", None).unwrap_err().to_string();
        assert!(error.starts_with("several published connectors are called `a`: say one of"));
    }
}
