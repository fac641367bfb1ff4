//! The file that all projects are in.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::vault::Vault;
use super::{Result, WorkspaceError, schema};
use crate::run::RunContext;

/// The file's name in the folder of data.
const FILE: &str = "workspace.db";
/// How long another program may write before one gives up.
const PATIENCE: Duration = Duration::from_secs(5);

/// The projects of this machine. Two programs can have the same one open.
#[derive(Debug)]
pub struct Store {
    pub(super) file: PathBuf,
    pub(super) run: RunContext,
    pub(super) vault: Vault,
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the projects in a folder; what is not there yet is made, for nobody else to read.
    pub fn open(folder: &Path, run: RunContext) -> Result<Self> {
        let file = folder.join(FILE);
        make(folder, &file)
            .map_err(|error| WorkspaceError::Unreadable { file: file.clone(), error })?;
        let connection =
            connect(&file).map_err(|error| WorkspaceError::of_database(&file, error))?;
        let connection = connection.ok_or_else(|| WorkspaceError::TooNew(file.clone()))?;
        let vault = Vault::new(folder.join("workspace.key"), run.clone());
        Ok(Self { file, run, vault, connection: Mutex::new(connection) })
    }

    /// Reads; what is read is of one moment.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.transact(TransactionBehavior::Deferred, read)
    }

    /// Changes something, wholly or not at all.
    pub(super) fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.transact(TransactionBehavior::Immediate, write)
    }

    fn transact<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut connection = self.lock();
        let begun = connection.transaction_with_behavior(behavior);
        let transaction = begun.map_err(|error| WorkspaceError::of_database(&self.file, error))?;
        let outcome = work(&transaction).map_err(|error| self.worded(error))?;
        transaction.commit().map_err(|error| WorkspaceError::of_database(&self.file, error))?;
        Ok(outcome)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic rolls its transaction back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Errors come out of queries without the file's name.
    fn worded(&self, error: WorkspaceError) -> WorkspaceError {
        match error {
            WorkspaceError::Sqlite { error, .. } => WorkspaceError::of_database(&self.file, error),
            error => error,
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.run.now().as_millisecond()
    }
}

impl From<rusqlite::Error> for WorkspaceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite { file: PathBuf::new(), error }
    }
}

/// Makes the folder and an empty file, as far as they are not there.
fn make(folder: &Path, file: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        builder.mode(0o700);
        options.mode(0o600);
    }
    builder.recursive(true).create(folder)?;
    match options.open(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::metadata(file).map(drop),
        outcome => outcome.map(drop),
    }
}

/// A connection to up-to-date tables; nothing if they are newer than this program.
fn connect(file: &Path) -> rusqlite::Result<Option<Connection>> {
    let mut connection = Connection::open(file)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(schema::migrate(&mut connection)?.then_some(connection))
}

/// A moment of the database.
pub(super) fn moment(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap_or_default()
}

/// A text as it is kept.
pub(super) fn pack(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// A text as it was before it was kept.
pub(super) fn unpack(packed: &[u8]) -> rusqlite::Result<String> {
    let mut text = String::new();
    let unpacked = ZlibDecoder::new(packed).read_to_string(&mut text);
    unpacked.map(|_| text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, error.into())
    })
}

/// What tells texts apart without unpacking them.
pub(super) fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A store in a folder that vanishes, at a moment that stands still.
    pub(in super::super) fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = at(folder.path(), 0);
        (folder, store)
    }

    /// The store in a folder, some milliseconds after the beginning of time.
    pub(in super::super) fn at(folder: &Path, millisecond: i64) -> Store {
        let run = RunContext::system();
        let mut seed = [0; 32];
        run.fill_random(&mut seed);
        let clock = std::sync::Arc::new(crate::run::FixedClock(moment(millisecond)));
        let run = RunContext::new(clock, rand::SeedableRng::from_seed(seed));
        Store::open(folder, run).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_reads_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        Store::open(&inner, RunContext::system()).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&inner), mode(&inner.join(FILE))), (0o700, 0o600));
        }
    }

    #[track_caller]
    fn check_error(prepare: impl FnOnce(&Path), expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        prepare(&folder.path().join(FILE));
        let error = Store::open(folder.path(), RunContext::system()).unwrap_err().to_string();
        let error = error.replace(&folder.path().display().to_string(), "DIR");
        assert_eq!(error, expect);
    }

    #[test]
    fn what_is_no_database_is_said() {
        check_error(
            |file| fs::write(file, "something else altogether\n".repeat(100)).unwrap(),
            "DIR/workspace.db is no database of projects, or it is damaged: file is not a database",
        );
        check_error(
            |file| {
                let connection = Connection::open(file).unwrap();
                connection.pragma_update(None, "user_version", 1000).unwrap();
            },
            "DIR/workspace.db was made by a later version of this program",
        );
    }

    #[test]
    fn what_is_not_finished_is_not_there() {
        let (folder, store) = testing::store();
        let failed: Result<()> = store.write(|transaction| {
            transaction.execute("DELETE FROM project", [])?;
            transaction.execute("CREATE TABLE half (x)", [])?;
            Err(WorkspaceError::ProjectName)
        });
        assert!(failed.is_err());
        let other = testing::at(folder.path(), 0);
        let found = other.read(|transaction| Ok(transaction.prepare("SELECT * FROM half").is_ok()));
        assert!(!found.unwrap());
    }

    #[test]
    fn texts_come_out_as_they_went_in() {
        for text in ["", "a: é\n", &"streams:\n- x\n".repeat(10_000)] {
            let packed = pack(text);
            assert!(packed.len() < text.len() / 10 + 100);
            assert_eq!(unpack(&packed).unwrap(), text);
        }
        assert!(unpack(b"nonsense").is_err());
    }
}
