//! RECORD lines: the bytes around a record are made once for a stream, and
//! the record itself is written between them.

use std::io::Write;

use serde::Serialize;

/// A file that came with a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileReference {
    /// Where it lies now.
    pub staging_file_url: String,
    /// Its path at the destination.
    pub source_file_relative_path: String,
    /// Its size.
    pub file_size_bytes: u64,
}

/// The bytes around the records of one stream.
#[derive(Clone, Debug)]
pub struct RecordFrame {
    prefix: Box<[u8]>,
}

impl RecordFrame {
    /// The frame of the records of `stream`.
    pub fn new(stream: &str) -> Self {
        let name = serde_json::Value::from(stream);
        let prefix = format!(r#"{{"type":"RECORD","record":{{"stream":{name},"data":"#);
        Self { prefix: prefix.into_bytes().into() }
    }

    /// Appends a whole line; `data` is the record as a JSON object without line breaks.
    pub fn line(&self, line: &mut Vec<u8>, data: &[u8], emitted_at: i64) {
        line.reserve(self.prefix.len() + data.len() + 40);
        self.open(line);
        line.extend_from_slice(data);
        Self::close(line, emitted_at);
    }

    /// Appends what stands before the record; what is appended next is its JSON object.
    pub fn open(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(&self.prefix);
    }

    /// Appends what stands after the record; `emitted_at` is in milliseconds since 1970.
    pub fn close(line: &mut Vec<u8>, emitted_at: i64) {
        Self::end(line, emitted_at, None);
    }

    /// As [`Self::close`], for a record that stands for a file.
    pub fn close_with_file(line: &mut Vec<u8>, emitted_at: i64, file: &FileReference) {
        Self::end(line, emitted_at, Some(file));
    }

    fn end(line: &mut Vec<u8>, emitted_at: i64, file: Option<&FileReference>) {
        line.extend_from_slice(br#","emitted_at":"#);
        // Writing to a vector cannot fail.
        let _ = write!(line, "{emitted_at}");
        if let Some(file) = file {
            line.extend_from_slice(br#","file_reference":"#);
            // As above; texts and numbers always are JSON.
            let _ = serde_json::to_writer(&mut *line, file);
        }
        line.extend_from_slice(b"}}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(write: impl FnOnce(&mut Vec<u8>), expect: &str) {
        let mut line = Vec::new();
        write(&mut line);
        assert_eq!(String::from_utf8(line).unwrap(), expect);
    }

    #[test]
    fn a_line() {
        check(
            |line| RecordFrame::new("a \"b\"").line(line, br#"{"x":1}"#, 12),
            "{\"type\":\"RECORD\",\"record\":{\"stream\":\"a \\\"b\\\"\",\"data\":{\"x\":1},\"emitted_at\":12}}\n",
        );
    }

    #[test]
    fn a_line_with_a_file() {
        check(
            |line| {
                RecordFrame::new("s").open(line);
                line.extend_from_slice(b"{}");
                let file = FileReference {
                    staging_file_url: "/f/s/a".to_owned(),
                    source_file_relative_path: "s/a".to_owned(),
                    file_size_bytes: 3,
                };
                RecordFrame::close_with_file(line, -1, &file);
            },
            concat!(
                r#"{"type":"RECORD","record":{"stream":"s","data":{},"emitted_at":-1,"#,
                r#""file_reference":{"staging_file_url":"/f/s/a","#,
                r#""source_file_relative_path":"s/a","file_size_bytes":3}}}"#,
                "\n"
            ),
        );
    }
}
