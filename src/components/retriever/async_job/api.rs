//! The requests about jobs.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::status::Status;
use crate::components::{
    Answer, Decoder, Extraction, ReadError, RecordExtractor, RequestInput, Requester,
};
use crate::http::Response;
use crate::protocol::TracedError;
use crate::value::{Json, Map, StreamSlice, python_str};

/// What an API offers about jobs.
pub(super) struct JobApi {
    /// The name of the stream.
    pub(super) stream: String,
    /// Starts a job.
    pub(super) creation: Arc<dyn Requester>,
    /// Asks for the state of a job.
    pub(super) polling: Arc<dyn Requester>,
    /// Asks where the records of a job are.
    pub(super) targets: Option<Arc<dyn Requester>>,
    /// Stops a job.
    pub(super) abort: Option<Arc<dyn Requester>>,
    /// Removes a job.
    pub(super) delete: Option<Arc<dyn Requester>>,
    /// Reads the responses.
    pub(super) decoder: Arc<dyn Decoder>,
    /// Finds the state of a job.
    pub(super) status: Arc<dyn RecordExtractor>,
    /// What the API's words for states mean.
    pub(super) statuses: HashMap<String, Status>,
    /// Finds where the records of a job are.
    pub(super) target: Option<Arc<dyn RecordExtractor>>,
}

/// A job whose records can be downloaded.
#[derive(Debug)]
pub(super) struct PreparedJob {
    /// What we call it.
    pub(super) name: String,
    /// The slice that it prepared.
    pub(super) slice: StreamSlice,
    creation_response: Json,
    polled: Polled,
}

/// What a job's state was asked for, and answered.
#[derive(Debug)]
pub(super) struct Polled {
    /// The state.
    pub(super) status: Status,
    context: Json,
    elements: Vec<Json>,
}

impl JobApi {
    /// Starts the job of a slice; gives what templates see of the response.
    pub(super) async fn start(&self, slice: &StreamSlice) -> Result<Json, ReadError> {
        let response = self.send(&*self.creation, slice).await?.filter(Response::is_ok);
        let Some(response) = response else {
            let internal = "Always expect a response or an exception from creation_requester";
            return Err(without_message(internal));
        };
        context(&response)
    }

    /// Asks for the state of a job.
    pub(super) async fn poll(
        &self,
        slice: &StreamSlice,
        created: &Json,
    ) -> Result<Polled, ReadError> {
        let slice = with_creation(slice, created);
        let Some(response) = self.send(&*self.polling, &slice).await? else {
            return Err(without_message("Polling Requester received an empty Response."));
        };
        let mut elements = self.decode(&response)?;
        let word = self.extract(&*self.status, &mut elements, Extraction::Copy).await?;
        let word = word.into_iter().next().unwrap_or_default();
        let Some(status) = self.statuses.get(&*python_str(&word)) else {
            let word = python_str(&word);
            return Err(ReadError::value(format!(
                "API status `{word}` is unknown. Contact the connector developer to make sure this status is supported."
            )));
        };
        // Only the last answer is looked at again.
        let context = if *status == Status::Completed { context(&response)? } else { Json::Null };
        Ok(Polled { status: *status, context, elements })
    }

    /// Stops a job, where the API can.
    pub(super) async fn abort(&self, slice: &StreamSlice, created: &Json) -> Result<(), ReadError> {
        let Some(requester) = &self.abort else { return Ok(()) };
        self.send(&**requester, &with_creation(slice, created)).await?;
        Ok(())
    }

    /// Removes a job, where the API can.
    pub(super) async fn delete(&self, job: &PreparedJob) -> Result<(), ReadError> {
        let Some(requester) = &self.delete else { return Ok(()) };
        self.send(&**requester, &with_creation(&job.slice, &job.creation_response)).await?;
        Ok(())
    }

    /// Where the records of a job are; an empty text stands for the one place there is.
    pub(super) async fn download_targets(&self, job: &PreparedJob) -> Result<Vec<Json>, ReadError> {
        let Some(extractor) = &self.target else { return Ok(vec![json!("")]) };
        let mut elements = match &self.targets {
            None => job.polled.elements.clone(),
            Some(requester) => {
                let extra_fields = [("polling_response".to_owned(), job.polled.context.clone())];
                let slice = StreamSlice {
                    extra_fields: extra_fields.into_iter().collect(),
                    ..StreamSlice::default()
                };
                let response = self.send(&**requester, &slice).await?.filter(Response::is_ok);
                let Some(response) = response else {
                    let internal =
                        "Always expect a response or an exception from download_target_requester";
                    return Err(without_message(internal));
                };
                self.decode(&response)?
            }
        };
        self.extract(&**extractor, &mut elements, Extraction::Take).await
    }

    async fn send(
        &self,
        requester: &dyn Requester,
        slice: &StreamSlice,
    ) -> Result<Option<Response>, ReadError> {
        let input = RequestInput { slice: Some(slice), ..RequestInput::default() };
        match requester.send(input).await? {
            Answer::Response(response) | Answer::Ignored(response) => Ok(Some(response)),
            Answer::ResetPagination | Answer::ReducePageSize(_) | Answer::SplitRequestWindow(_) => {
                Err(ReadError::value(format!(
                    "an error handler of a job of stream {} gives an action that only pages know",
                    self.stream
                )))
            }
        }
    }

    fn decode(&self, response: &Response) -> Result<Vec<Json>, ReadError> {
        let mut elements = Vec::new();
        let mut decode = self.decoder.begin(&response.headers);
        decode.feed(response.bytes(), &mut elements)?;
        decode.finish(&mut elements)?;
        Ok(elements)
    }

    async fn extract(
        &self,
        extractor: &dyn RecordExtractor,
        elements: &mut [Json],
        mode: Extraction,
    ) -> Result<Vec<Json>, ReadError> {
        let mut found = Vec::new();
        extractor.extract(elements, mode, &mut found).await?;
        Ok(found)
    }
}

impl PreparedJob {
    /// A job that is complete, as `polled` says.
    pub(super) fn new(
        name: String,
        slice: StreamSlice,
        creation_response: Json,
        polled: Polled,
    ) -> Self {
        Self { name, slice, creation_response, polled }
    }

    /// What the records at `target` are downloaded with.
    pub(super) fn download_slice(&self, target: Json) -> StreamSlice {
        let mut slice = with_creation(&self.slice, &self.creation_response);
        slice.extra_fields.insert("polling_response".to_owned(), self.polled.context.clone());
        slice.extra_fields.insert("download_target".to_owned(), target);
        slice
    }
}

fn with_creation(slice: &StreamSlice, created: &Json) -> StreamSlice {
    let mut slice = slice.clone();
    slice.extra_fields.insert("creation_response".to_owned(), created.clone());
    slice
}

/// What templates see of a response: its JSON, with the headers and the request it answers.
fn context(response: &Response) -> Result<Json, ReadError> {
    let mut context = match response.json() {
        Some(Json::Object(fields)) => fields.clone(),
        Some(_) => {
            return Err(ReadError::unexpected("TypeError", "the response is no JSON object"));
        }
        None => return Err(ReadError::unexpected("JSONDecodeError", "the response is no JSON")),
    };
    let headers = |fields: &crate::http::Headers| {
        fields.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map>()
    };
    context.entry("headers").or_insert_with(|| Json::Object(headers(&response.headers)));
    let request = &response.request;
    context.entry("request").or_insert_with(|| {
        json!({
            "method": request.method.as_str(),
            "url": request.url,
            "headers": headers(&request.headers),
            "body": request.body.as_deref().map(String::from_utf8_lossy),
        })
    });
    Ok(Json::Object(context))
}

/// A fault that tells users nothing of its own.
fn without_message(internal: &str) -> ReadError {
    let internal_message = Some(internal.to_owned());
    ReadError::traced(TracedError { internal_message, ..TracedError::default() })
}
