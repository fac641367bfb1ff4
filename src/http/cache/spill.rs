//! Answers that memory has no room for, in a temporary file without a name.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use tracing::debug;

use super::super::headers::Headers;
use super::Kept;
use crate::value::{Json, parse};

/// A file that grows up to a limit.
///
/// It is made when the first answer comes, readable by nobody else, and unlinked at once.
/// What is read and written is in the system's page cache as a rule, so nobody waits long.
#[derive(Debug)]
pub(super) struct Spill {
    max_len: u64,
    len: u64,
    file: Option<File>,
}

/// Where an answer lies in the file.
#[derive(Debug)]
pub(super) struct Extent {
    start: u64,
    head_len: usize,
    body_len: usize,
}

impl Spill {
    /// No file yet, and never one of more than `max_len` bytes.
    pub(super) fn new(max_len: u64) -> Self {
        Self { max_len, len: 0, file: None }
    }

    /// Writes an answer, if there is room.
    pub(super) fn write(&mut self, kept: &Kept) -> Option<Extent> {
        let head = head(kept);
        let len = (head.len() + kept.body.len()) as u64;
        if self.len + len > self.max_len {
            return None;
        }
        let extent = Extent { start: self.len, head_len: head.len(), body_len: kept.body.len() };
        match self.append(&head, &kept.body) {
            Ok(()) => {
                self.len += len;
                Some(extent)
            }
            Err(err) => {
                debug!("No temporary file for answers: {err}; they will be asked for again");
                self.max_len = self.len;
                None
            }
        }
    }

    /// Reads an answer.
    pub(super) fn read(&mut self, extent: &Extent) -> Option<Kept> {
        let file = self.file.as_mut()?;
        let mut head = vec![0; extent.head_len];
        let mut body = vec![0; extent.body_len];
        let read = file
            .seek(SeekFrom::Start(extent.start))
            .and_then(|_| file.read_exact(&mut head))
            .and_then(|()| file.read_exact(&mut body));
        if let Err(err) = read {
            debug!("An answer cannot be read back: {err}; it will be asked for again");
            return None;
        }
        let Ok(Json::Array(fields)) = parse(&head) else { return None };
        let mut texts = fields.iter().filter_map(Json::as_str);
        let url = texts.next()?.to_owned();
        let mut headers = Headers::default();
        while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
            headers.set(name, value);
        }
        Some(Kept { url, headers, body: body.into() })
    }

    fn append(&mut self, head: &[u8], body: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.len))?;
        file.write_all(head)?;
        file.write_all(body)
    }
}

/// The URL, then names and values of the headers by turns.
fn head(kept: &Kept) -> Vec<u8> {
    let headers = kept.headers.iter().flat_map(|(name, value)| [name, value]);
    let fields: Json = std::iter::once(kept.url.as_str()).chain(headers).collect();
    fields.to_string().into_bytes()
}
