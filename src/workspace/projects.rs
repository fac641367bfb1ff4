//! Projects as a whole: what there are, new ones, their names, and their end.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::drafts::{self, Draft};
use super::store::{Store, moment};
use super::versions::{self, Version};
use super::{Result, WorkspaceError};

/// The longest name of a project, in characters.
const LONGEST_NAME: usize = 200;

/// What a project was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The other project.
    pub project: String,
    /// Its version; nothing for its draft.
    pub version: Option<u32>,
}

/// A project in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSummary {
    /// What it is called by programs; never changes.
    pub id: String,
    /// What it is called by people.
    pub name: String,
    /// When anything of it was changed last.
    pub updated_at: Timestamp,
    /// The version that is run unless another is asked for.
    pub active_version: Option<u32>,
    /// The newest version.
    pub latest_version: Option<u32>,
    /// What it was made from.
    pub forked_from: Option<Origin>,
    /// Whether the draft is another text than the newest version.
    pub is_changed: bool,
}

/// All of a project but the texts of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// As in a list.
    pub summary: ProjectSummary,
    /// When it was made.
    pub created_at: Timestamp,
    /// What is worked on.
    pub draft: Draft,
    /// What was published, the oldest first.
    pub versions: Vec<Version>,
}

const SUMMARY: &str = "
SELECT id, name, updated_at, active_version, newest.number, forked_project, forked_version,
  newest.digest IS NULL OR newest.digest <> step.digest, created_at
FROM project
JOIN step ON step.project = id AND step.number = step
LEFT JOIN version AS newest ON newest.project = id
  AND newest.number = (SELECT MAX(number) FROM version WHERE version.project = id)
";

impl Store {
    /// The projects of a workspace, those changed last first.
    pub fn projects(&self, workspace: &str) -> Result<Vec<ProjectSummary>> {
        check_workspace(workspace)?;
        self.read(|transaction| {
            let sql = format!("{SUMMARY} WHERE workspace = ? ORDER BY updated_at DESC, id");
            let mut statement = transaction.prepare(&sql)?;
            let rows = statement.query_map([workspace], summary)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// A project with its draft.
    pub fn project(&self, workspace: &str, id: &str) -> Result<Project> {
        self.read(|transaction| {
            let sql = format!("{SUMMARY} WHERE workspace = ? AND id = ?");
            let row = transaction.query_row(&sql, [workspace, id], |row| {
                Ok((summary(row)?, row.get("created_at")?))
            });
            let (summary, created_at) = row.optional()?.ok_or_else(|| no_project(id))?;
            Ok(Project {
                summary,
                created_at: moment(created_at),
                draft: drafts::draft(transaction, id)?,
                versions: versions::versions(transaction, id)?,
            })
        })
    }

    /// Makes a project of a text, and tells its id.
    pub fn create(
        &self,
        workspace: &str,
        name: &str,
        text: &str,
        origin: Option<&Origin>,
    ) -> Result<String> {
        check_workspace(workspace)?;
        let name = checked_name(name)?;
        let id = self.run.uuid().to_string();
        let now = self.now();
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO project (id, workspace, name, created_at, updated_at, revision, step,
                   forked_project, forked_version)
                 VALUES (?1, ?2, ?3, ?4, ?4, 1, 1, ?5, ?6)",
                params![
                    id,
                    workspace,
                    name,
                    now,
                    origin.map(|it| &it.project),
                    origin.and_then(|it| it.version),
                ],
            )?;
            drafts::add_step(transaction, &id, 1, None, text, now)
        })?;
        Ok(id)
    }

    /// The text of a project: its draft, or one of its versions.
    pub fn text(&self, workspace: &str, id: &str, version: Option<u32>) -> Result<String> {
        self.read(|transaction| {
            check_project(transaction, workspace, id)?;
            match version {
                None => Ok(drafts::draft(transaction, id)?.text),
                Some(number) => Ok(versions::version(transaction, id, number)?.text),
            }
        })
    }

    /// Gives a project another name.
    pub fn rename(&self, workspace: &str, id: &str, name: &str) -> Result<()> {
        let name = checked_name(name)?;
        self.write(|transaction| {
            check_project(transaction, workspace, id)?;
            transaction.execute(
                "UPDATE project SET name = ?, updated_at = ? WHERE id = ?",
                params![name, self.now(), id],
            )?;
            Ok(())
        })
    }

    /// Deletes a project of which nothing was published.
    pub fn delete(&self, workspace: &str, id: &str) -> Result<()> {
        self.write(|transaction| {
            check_project(transaction, workspace, id)?;
            if !versions::versions(transaction, id)?.is_empty() {
                return Err(WorkspaceError::IsPublished);
            }
            transaction.execute("DELETE FROM project WHERE id = ?", [id])?;
            Ok(())
        })
    }
}

fn summary(row: &Row<'_>) -> rusqlite::Result<ProjectSummary> {
    let project: Option<String> = row.get(5)?;
    let version = row.get(6)?;
    Ok(ProjectSummary {
        id: row.get(0)?,
        name: row.get(1)?,
        updated_at: moment(row.get(2)?),
        active_version: row.get(3)?,
        latest_version: row.get(4)?,
        forked_from: project.map(|project| Origin { project, version }),
        is_changed: row.get(7)?,
    })
}

/// Refuses a project that is not there, or in another workspace.
pub(super) fn check_project(
    transaction: &Transaction<'_>,
    workspace: &str,
    id: &str,
) -> Result<()> {
    let sql = "SELECT 1 FROM project WHERE workspace = ? AND id = ?";
    let found = transaction.query_row(sql, [workspace, id], |_| Ok(())).optional()?;
    found.ok_or_else(|| no_project(id))
}

fn no_project(id: &str) -> WorkspaceError {
    WorkspaceError::NotFound { what: "project", name: id.to_owned() }
}

fn check_workspace(name: &str) -> Result<()> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_word) {
        return Err(WorkspaceError::WorkspaceName(name.to_owned()));
    }
    Ok(())
}

fn checked_name(name: &str) -> Result<&str> {
    let name = name.trim();
    let is_fit = !name.is_empty()
        && name.chars().count() <= LONGEST_NAME
        && !name.contains(char::is_control);
    if is_fit { Ok(name) } else { Err(WorkspaceError::ProjectName) }
}

#[cfg(test)]
mod tests {
    use super::super::store::testing;
    use super::*;

    #[test]
    fn projects_are_made_renamed_and_deleted() {
        let (folder, store) = testing::store();
        let id = store.create("default", " PokéAPI ", "a: 1\n", None).unwrap();
        let later = testing::at(folder.path(), 5000);
        let origin = Origin { project: id.clone(), version: None };
        let fork = later.create("default", "Fork", "a: 2\n", Some(&origin)).unwrap();
        let names = |workspace| -> Vec<_> {
            store.projects(workspace).unwrap().into_iter().map(|it| it.name).collect()
        };
        assert_eq!(names("default"), ["Fork", "PokéAPI"]);
        assert_eq!(names("other"), [""; 0]);
        let project = store.project("default", &fork).unwrap();
        assert_eq!(project.summary.forked_from, Some(origin));
        assert_eq!(project.draft.text, "a: 2\n");
        assert!(project.summary.is_changed);
        assert_eq!(store.text("default", &id, None).unwrap(), "a: 1\n");

        testing::at(folder.path(), 9000).rename("default", &id, "Poké").unwrap();
        assert_eq!(names("default"), ["Poké", "Fork"]);
        store.delete("default", &id).unwrap();
        assert_eq!(names("default"), ["Fork"]);
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let (_folder, store) = testing::store();
        let id = store.create("default", "a", "", None).unwrap();
        let error = |outcome: Result<()>| outcome.unwrap_err().to_string();
        let elsewhere = format!("there is no project `{id}`");
        assert_eq!(error(store.project("other", &id).map(drop)), elsewhere);
        assert_eq!(error(store.rename("other", &id, "b")), elsewhere);
        assert_eq!(error(store.delete("other", &id)), elsewhere);
        assert_eq!(error(store.text("other", &id, None).map(drop)), elsewhere);
        let name = "a project has a name, of at most 200 characters";
        for bad in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert_eq!(error(store.create("default", bad, "", None).map(drop)), name);
        }
        for bad in ["", "../x", "a b"] {
            assert!(store.projects(bad).is_err());
        }
    }
}
