//! `FileUploader`: the files that records stand for.
//!
//! Each is asked for with a request of its own, and laid where the platform
//! looks for it. A record is printed once its file is there, with a reference.

use std::path::{Component as Part, Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tracing::info;

use crate::components::shape::{Text, shape};
use crate::components::slot::accepts;
use crate::components::{
    Answer, BuildContext, BuildError, ElementExtractor, Extraction, FileReference,
    FileUploader as Uploader, Purpose, ReadError, RecordExtractor, RequestInput, Requester, Slot,
    StreamScope, Surroundings,
};
use crate::http::BodyMode;
use crate::template::InterpolatedString;
use crate::value::{Json, StreamSlice, python_str, python_type_name};

/// Files up to this size are held whole before they are written; larger ones never are.
const LARGEST_WHOLE: usize = 1 << 20;

accepts!(
    /// Extractors that find a file in a response.
    FileExtractor = "DpathExtractor",
    "CustomRecordExtractor",
);

/// The YAML shape.
pub mod yaml {
    use super::{ElementExtractor, FileExtractor, RecordExtractor, Requester, Slot, Text, shape};

    shape! {
        /// How the files come along that records stand for.
        pub struct FileUploader {
            /// Asks for a file; its templates see the URL as `download_target`.
            requester: Slot<dyn Requester>,
            /// Where in a record the file's URL stands.
            download_target_extractor: Slot<dyn RecordExtractor, ElementExtractor>,
            /// Where in the response the file stands, when it is not the whole.
            file_extractor: Option<Slot<dyn RecordExtractor, FileExtractor>>,
            /// The name of the file; a random one when unset.
            filename_extractor: Option<Text>,
        }
    }
}

impl yaml::FileUploader {
    /// The uploader of the stream `stream`.
    pub(super) fn build(
        &self,
        stream: &str,
        cx: &BuildContext<'_>,
    ) -> Result<Arc<dyn Uploader>, BuildError> {
        // Its parts belong to no stream.
        let name = "File Uploader".to_owned();
        let purpose = Purpose::Other;
        let parts = cx.for_stream(StreamScope { name, purpose, ..StreamScope::default() });
        let filename = self.filename_extractor.as_ref().filter(|it| !it.is_empty());
        Ok(Arc::new(FileUploader {
            stream: stream.to_owned(),
            requester: self.requester.build(&parts)?,
            target: self.download_target_extractor.build(&parts)?,
            filename: filename.map(|it| InterpolatedString::new(it, self.parameters.clone())),
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
struct FileUploader {
    stream: String,
    requester: Arc<dyn Requester>,
    target: Arc<dyn RecordExtractor>,
    filename: Option<InterpolatedString>,
    surroundings: Surroundings,
}

impl Uploader for FileUploader {
    fn upload<'a>(&'a self, record: &'a Json) -> BoxFuture<'a, Result<FileReference, ReadError>> {
        async {
            let target = self.download_target(record).await?;
            let mut slice = StreamSlice::default();
            slice.extra_fields.insert("download_target".to_owned(), target.into());
            let input = RequestInput {
                slice: Some(&slice),
                body: BodyMode::Streamed(LARGEST_WHOLE),
                ..RequestInput::default()
            };
            // What is ignored as a page still is a file.
            let (Answer::Response(response) | Answer::Ignored(response)) =
                self.requester.send(input).await?
            else {
                return Err(ReadError::value("A file cannot be asked for in another way"));
            };
            let relative = self.relative_path(record)?;
            let source_file_relative_path = relative.to_string_lossy().into_owned();
            if self.surroundings.environment().is_test_read() {
                // What is only looked at is laid nowhere.
                let staging_file_url = source_file_relative_path.clone();
                let file_size_bytes = response.bytes().len() as u64;
                return Ok(FileReference {
                    staging_file_url,
                    source_file_relative_path,
                    file_size_bytes,
                });
            }
            let path = self.surroundings.environment().files_dir.join(&relative);
            let broken = |err: std::io::Error| {
                let message = format!("The file {} cannot be written: {err}", path.display());
                ReadError::unexpected("OSError", message)
            };
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).await.map_err(broken)?;
            }
            let mut file = File::create(&path).await.map_err(broken)?;
            let (mut body, mut size) = (response.into_body(), 0);
            while let Some(bytes) = body.next().await {
                let bytes = bytes?;
                file.write_all(&bytes).await.map_err(broken)?;
                size += bytes.len() as u64;
            }
            file.flush().await.map_err(broken)?;
            info!("File uploaded: {}, {size} bytes", path.display());
            Ok(FileReference {
                staging_file_url: path.to_string_lossy().into_owned(),
                source_file_relative_path,
                file_size_bytes: size,
            })
        }
        .boxed()
    }
}

impl FileUploader {
    async fn download_target(&self, record: &Json) -> Result<String, ReadError> {
        let (mut elements, mut targets) = ([record.clone()], Vec::new());
        self.target.extract(&mut elements, Extraction::Take, &mut targets).await?;
        match targets.into_iter().next() {
            Some(Json::String(target)) => Ok(target),
            Some(other) => Err(ReadError::value(format!(
                "download_target is expected to be a str but was <class '{}'>: {}",
                python_type_name(&other),
                python_str(&other)
            ))),
            None => Err(ReadError::value("No download targets found")),
        }
    }

    /// Where the file goes below the folder of all files.
    fn relative_path(&self, record: &Json) -> Result<PathBuf, ReadError> {
        let name = match &self.filename {
            Some(template) => {
                let config = self.surroundings.config().snapshot();
                let scope = self.surroundings.scope(&config).with("record", record);
                template.eval_string(&scope)?
            }
            None => self.surroundings.run().uuid().to_string(),
        };
        below(&self.stream, &name)
            .ok_or_else(|| ReadError::value(format!("{} is no name for a file", json!(name))))
    }
}

/// The path of a stream's file; `None` where one of both names would lead out of its folder.
fn below(stream: &str, name: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    let parts = [stream, name].map(|text| Path::new(text.trim_start_matches('/')).components());
    for part in parts.into_iter().flatten() {
        match part {
            Part::Normal(part) => path.push(part),
            Part::CurDir => {}
            _ => return None,
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_in_the_folder_of_their_stream() {
        let check = |name, expect: Option<&str>| {
            assert_eq!(below("docs", name), expect.map(PathBuf::from), "{name}");
        };
        check("//a/./b.pdf", Some("docs/a/b.pdf"));
        check("a/../../b", None);
        check("..", None);
        assert_eq!(below("/a/b", "c"), Some(PathBuf::from("a/b/c")));
        assert_eq!(below("../../tmp", "c"), None);
    }
}
