//! Archives that were made, for as long as they may be fetched.
//!
//! They lie in files without a name: nobody else can open them, and they are gone with the program,
//! however it ends.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use futures::stream;

use super::Api;
use super::answer::{Answer, Failure};
use crate::run::{Clock, RunContext, SystemClock};

/// How many archives are kept.
const MOST: usize = 8;
/// How many bytes of them; the newest is kept also when it is larger.
const MOST_BYTES: u64 = 1 << 30;
/// How long one is kept.
const KEPT: Duration = Duration::from_hours(1);
/// How much is read at a time.
const CHUNK: usize = 256 << 10;

/// An archive.
#[derive(Debug)]
pub(super) struct Download {
    pub(super) file: File,
    /// In bytes.
    pub(super) size: u64,
    /// What it is called where it is saved, in characters that are safe in a header.
    pub(super) name: String,
}

/// All archives, by their ids, the oldest first.
#[derive(Debug)]
pub(super) struct Downloads {
    folder: PathBuf,
    kept: Mutex<VecDeque<(String, Arc<Download>)>>,
}

impl Downloads {
    /// Archives whose files are in `folder`.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, kept: Mutex::default() }
    }

    /// A file for an archive.
    pub(super) fn file(&self) -> io::Result<File> {
        tempfile::tempfile_in(&self.folder)
    }

    /// Keeps an archive for a while, and tells its id.
    pub(super) fn keep(self: &Arc<Self>, download: Download) -> String {
        let id = RunContext::system().uuid().to_string();
        let mut kept = self.lock();
        kept.push_back((id.clone(), Arc::new(download)));
        let size = |kept: &VecDeque<(_, Arc<Download>)>| -> u64 {
            kept.iter().map(|(_, download)| download.size).sum()
        };
        while kept.len() > MOST || kept.len() > 1 && size(&kept) > MOST_BYTES {
            kept.pop_front();
        }
        drop(kept);
        let (downloads, kept_id) = (Arc::downgrade(self), id.clone());
        tokio::spawn(async move {
            SystemClock.sleep(KEPT).await;
            if let Some(downloads) = downloads.upgrade() {
                downloads.lock().retain(|(id, _)| *id != kept_id);
            }
        });
        id
    }

    fn get(&self, id: &str) -> Option<Arc<Download>> {
        let kept = self.lock();
        kept.iter().find(|(kept_id, _)| kept_id == id).map(|(_, download)| Arc::clone(download))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Arc<Download>)>> {
        // Nothing that can panic runs under this lock.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Download {
    /// The bytes from `start` on, a chunk of them at the most; none at the end.
    fn read(&self, start: u64) -> io::Result<Vec<u8>> {
        let mut chunk = vec![0; CHUNK];
        let n_read = self.file.read_at(&mut chunk, start)?;
        chunk.truncate(n_read);
        Ok(chunk)
    }
}

/// An archive that was made before.
pub(super) async fn one(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Answer<impl IntoResponse> {
    let download = api.0.downloads.get(&id).ok_or_else(|| {
        Failure::not_found("this is kept no more")
            .help("build the image again, which takes a moment")
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_LENGTH, download.size.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", download.name)),
    ];
    let chunks = stream::try_unfold((download, 0), async |(download, start)| {
        let reader = Arc::clone(&download);
        let chunk = tokio::task::spawn_blocking(move || reader.read(start)).await??;
        let next = start + chunk.len() as u64;
        Ok::<_, io::Error>((!chunk.is_empty()).then(|| (Bytes::from(chunk), (download, next))))
    });
    Ok((headers, Body::from_stream(chunks)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn download(size: u64) -> Download {
        Download { file: tempfile::tempfile().unwrap(), size, name: "x.tar".to_owned() }
    }

    fn downloads() -> Arc<Downloads> {
        Arc::new(Downloads::new(std::env::temp_dir()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_ones_are_kept_for_a_while() {
        let downloads = downloads();
        let ids: Vec<_> = (0..=MOST).map(|_| downloads.keep(download(1))).collect();
        assert!(downloads.get(&ids[0]).is_none());
        assert!(downloads.get(&ids[1]).is_some());
        SystemClock.sleep(KEPT + Duration::from_secs(1)).await;
        assert!(ids.iter().all(|id| downloads.get(id).is_none()));
    }

    #[tokio::test]
    async fn they_take_only_so_much_of_the_disk() {
        let downloads = downloads();
        let half = downloads.keep(download(MOST_BYTES / 2));
        let other_half = downloads.keep(download(MOST_BYTES / 2));
        assert!(downloads.get(&half).is_some());
        let large = downloads.keep(download(MOST_BYTES * 2));
        assert!(downloads.get(&other_half).is_none());
        assert!(downloads.get(&large).is_some());
    }
}
