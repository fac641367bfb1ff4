//! The values that a project is tested with, kept apart from its text and encrypted.

use rusqlite::{OptionalExtension, params};

use super::Result;
use super::projects::check_project;
use super::store::Store;
use crate::value::Json;

impl Store {
    /// The values, secrets among them; nothing if none were saved.
    pub fn testing_values(&self, workspace: &str, id: &str) -> Result<Option<Json>> {
        let sealed: Option<Vec<u8>> = self.read(|transaction| {
            check_project(transaction, workspace, id)?;
            let sql = "SELECT sealed FROM testing_values WHERE project = ?";
            Ok(transaction.query_row(sql, [id], |row| row.get(0)).optional()?)
        })?;
        let Some(sealed) = sealed else { return Ok(None) };
        let text = self.vault.open(id, &sealed)?;
        Ok(serde_json::from_slice(&text).ok())
    }

    /// Keeps values in place of those from before.
    pub fn save_testing_values(&self, workspace: &str, id: &str, values: &Json) -> Result<()> {
        let sealed = self.vault.seal(id, values.to_string().as_bytes())?;
        self.write(|transaction| {
            check_project(transaction, workspace, id)?;
            transaction.execute(
                "INSERT OR REPLACE INTO testing_values (project, sealed) VALUES (?, ?)",
                params![id, sealed],
            )?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::store::testing;

    #[test]
    fn values_are_kept_and_nowhere_readable() {
        let (folder, store) = testing::store();
        let id = store.create("default", "a", "", None).unwrap();
        assert_eq!(store.testing_values("default", &id).unwrap(), None);
        let values = json!({"api_key": "hunter2hunter2", "start": "2024-01-01"});
        store.save_testing_values("default", &id, &values).unwrap();
        drop(store);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(7).any(|it| it == b"hunter2"));
        }
        let store = testing::at(folder.path(), 0);
        assert_eq!(store.testing_values("default", &id).unwrap(), Some(values));
        assert!(store.testing_values("other", &id).is_err());
        store.delete("default", &id).unwrap();
    }
}
