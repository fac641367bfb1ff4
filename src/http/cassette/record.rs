//! Writes down what the network says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use tracing::warn;

use super::super::error::HttpError;
use super::super::limits::Limits;
use super::super::request::PreparedRequest;
use super::super::response::Response;
use super::super::transport::Transport;
use super::exchange::Exchange;
use super::{CassetteError, Header};
use crate::run::RunContext;
use crate::value::Secrets;

/// A transport that writes all exchanges to a cassette.
///
/// Bodies are held whole while they are written, so a recorded run needs more
/// memory than another. What cannot be written is said once the run is over.
pub struct Recorder {
    inner: Arc<dyn Transport>,
    run: RunContext,
    secrets: Secrets,
    limits: Limits,
    path: PathBuf,
    file: Mutex<BufWriter<File>>,
}

impl Recorder {
    /// Begins a cassette at `path` of what `inner` answers.
    pub fn create(
        path: &Path,
        header: Header,
        inner: Arc<dyn Transport>,
        run: RunContext,
        secrets: Secrets,
    ) -> Result<Self, CassetteError> {
        let mut file = BufWriter::new(File::create(path)?);
        write_line(&mut file, &header)?;
        let (limits, file) = (Limits::default(), Mutex::new(file));
        Ok(Self { inner, run, secrets, limits, path: path.to_owned(), file })
    }

    /// The recorder, with the limits of the run.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Ends the cassette, and masks in it what came to be known as secret after it was written.
    pub fn finish(&self) -> Result<(), CassetteError> {
        // A panic while the lock is held leaves a line that is not whole, which is said below.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.flush()?;
        let mut masked = super::successor_of(&self.path, file.get_ref())?;
        let mut writer = BufWriter::new(masked.as_file_mut());
        for (line_idx, line) in BufReader::new(File::open(&self.path)?).lines().enumerate() {
            let line = line?;
            if line_idx == 0 {
                writeln!(writer, "{line}")?;
                continue;
            }
            let mut exchange: Exchange = serde_json::from_str(&line)
                .map_err(|source| CassetteError::Line { line: line_idx + 1, source })?;
            exchange.mask(&self.secrets);
            write_line(&mut writer, &exchange)?;
        }
        writer.flush()?;
        drop(writer);
        masked.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }

    async fn record(&self, request: &Arc<PreparedRequest>) -> Result<Response, HttpError> {
        let mut result = self.inner.exchange(request).await;
        if let Ok(response) = &mut result
            && let Err(error) = response.load(&self.limits).await
        {
            result = Err(error);
        }
        let body = result.as_ref().map_or(&[][..], Response::bytes);
        let mut exchange = Exchange::new(self.run.now(), request, result.as_ref(), body);
        exchange.mask(&self.secrets);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = write_line(&mut *file, &exchange).and_then(|()| file.flush()) {
            warn!(%error, path = %self.path.display(), "The cassette cannot be written.");
        }
        result
    }
}

impl Transport for Recorder {
    fn exchange<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>> {
        Box::pin(self.record(request))
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("path", &self.path).finish_non_exhaustive()
    }
}

fn write_line(out: &mut impl Write, line: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
