//! `ZipfileDecoder`: files in an archive, each of which another decoder reads.

use std::io::{Cursor, Read};
use std::sync::Arc;

use tracing::error;
use zip::ZipArchive;

use super::Packed;
use crate::components::shape::shape;
use crate::components::{BuildContext, BuildError, Component, Decode, Decoder, ReadError, Slot};
use crate::http::{Headers, Limits};
use crate::protocol::TracedError;
use crate::value::Json;

/// The YAML shape.
pub mod yaml {
    use super::{Decoder, Packed, Slot, shape};

    shape! {
        /// Reads all files of a ZIP archive, in their order.
        pub struct ZipfileDecoder {
            /// Reads each file.
            decoder: Slot<dyn Decoder, Packed>,
        }
    }
}

impl Component for yaml::ZipfileDecoder {
    type Family = dyn Decoder;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Decoder>, BuildError> {
        Ok(Arc::new(ZipfileDecoder { inner: self.decoder.build(cx)? }))
    }
}

/// See the module documentation.
pub struct ZipfileDecoder {
    inner: Arc<dyn Decoder>,
}

impl std::fmt::Debug for ZipfileDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZipfileDecoder").finish_non_exhaustive()
    }
}

impl Decoder for ZipfileDecoder {
    fn begin(&self, _: &Headers) -> Box<dyn Decode> {
        Box::new(Archive {
            inner: self.inner.clone(),
            bytes: Vec::new(),
            limits: Limits::default(),
            n_unpacked: 0,
        })
    }

    fn supports_pagination(&self) -> bool {
        false
    }
}

struct Archive {
    inner: Arc<dyn Decoder>,
    /// The whole archive, whose list of files stands at its end.
    bytes: Vec<u8>,
    limits: Limits,
    /// Bytes of all files so far: they may overlap, so that a small archive holds any number.
    n_unpacked: u64,
}

impl Decode for Archive {
    fn feed(&mut self, bytes: &[u8], _: &mut Vec<Json>) -> Result<(), ReadError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn keep_within(&mut self, limits: &Limits) {
        self.limits = *limits;
    }

    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        let size = self.bytes.len();
        let bytes = Cursor::new(std::mem::take(&mut self.bytes));
        let mut archive = ZipArchive::new(bytes).map_err(|err| {
            error!("Received an invalid zip file of {size} bytes: {err}");
            ReadError::traced(TracedError::system("Received an invalid zip file in response."))
        })?;
        for file_idx in 0..archive.len() {
            self.decode_file(&mut archive, size as u64, file_idx, elements).map_err(|err| {
                let name =
                    archive.name_for_index(file_idx).and_then(Result::ok).unwrap_or_default();
                let message = format!("Failed to parse file: {name} from zip file.");
                error!("{message} {err}");
                let error =
                    TracedError::system(&*message).with_internal(format!("{message} {err}"));
                ReadError::traced(error)
            })?;
        }
        Ok(())
    }
}

impl Archive {
    fn decode_file(
        &mut self,
        archive: &mut ZipArchive<Cursor<Vec<u8>>>,
        n_packed: u64,
        file_idx: usize,
        elements: &mut Vec<Json>,
    ) -> Result<(), ReadError> {
        let damaged = |err: String| ReadError::unexpected("BadZipFile", err);
        let mut file = archive.by_index(file_idx).map_err(|err| damaged(err.to_string()))?;
        let mut decode = self.inner.begin_unpacked();
        decode.keep_within(&self.limits);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer).map_err(|err| damaged(err.to_string()))? {
                0 => return decode.finish(elements),
                len => {
                    self.n_unpacked += len as u64;
                    self.limits.check_body(n_packed, self.n_unpacked)?;
                    decode.feed(&buffer[..len], elements)?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::json::JsonDecoder;
    use super::super::testing::{check, check_error, decode_in_pieces};
    use super::*;

    fn zip(files: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn decoder() -> ZipfileDecoder {
        ZipfileDecoder { inner: Arc::new(JsonDecoder) }
    }

    #[test]
    fn files_are_read_in_order() {
        check(
            &decoder(),
            &zip(&[("b.json", "[1, 2]"), ("a.json", "{\"a\": 3}")]),
            json!([1, 2, {"a": 3}]),
        );
        check(&decoder(), &zip(&[]), json!([]));
    }

    #[test]
    fn an_archive_may_be_too_much() {
        let limits = Limits { max_body: 1000, ..Limits::default() };
        let body = zip(&[("a.json", "[1]"), ("b.json", &format!("[{}]", "1,".repeat(600)))]);
        let mut decode = decoder().begin(&Headers::default());
        decode.keep_within(&limits);
        check_error(decode, &body, "Failed to parse file: b.json from zip file.");
        let zeros = format!("\"{}\"", "0".repeat(20 << 20));
        let mut decode = decoder().begin(&Headers::default());
        decode.keep_within(&Limits { max_inflation: 100, ..limits });
        check_error(
            decode,
            &zip(&[("a.json", &zeros)]),
            "Failed to parse file: a.json from zip file.",
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let invalid = "Received an invalid zip file in response.";
        check_error(decoder().begin(&Headers::default()), b"PK", invalid);
        let body = zip(&[("a.json", "[1]"), ("b.json", "{")]);
        let (elements, result) =
            decode_in_pieces(decoder().begin(&Headers::default()), &body, 1000);
        assert_eq!(elements, [json!(1)]);
        let message = "Failed to parse file: b.json from zip file.";
        assert_eq!(result.unwrap_err().to_string(), message);
    }
}
