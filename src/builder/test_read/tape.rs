//! Puts together what happens during a test read: pages to slices, requests to pages.
//!
//! A page begins with its request and ends with the next one's, or with the slice; everything that
//! is not a page of the stream stands aside.

use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

use super::Limits;
use super::answer::{
    AuxiliaryRequest, HttpRequest, HttpResponse, LogMessage, Page, Slice, StreamRead,
};
use super::datetime::DatetimeFormats;
use super::schema::Inferrer;
use super::watcher::{Event, Watcher};
use crate::components::{Asking, Observer, Purpose, Stream};
use crate::engine::Witness;
use crate::http::{Action, Headers, HttpError, PreparedRequest, Response};
use crate::protocol::message::{ErrorTrace, Trace};
use crate::protocol::{Level, Message, TracedError};
use crate::run::RunContext;
use crate::value::{Json, Map, Secrets};

/// Takes down what happens to one stream.
pub(super) struct Tape {
    stream: String,
    limits: Limits,
    secrets: Secrets,
    run: RunContext,
    watcher: Watcher,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    logs: Vec<LogMessage>,
    deprecations: Vec<LogMessage>,
    slices: Vec<Slice>,
    /// The slices that share [`Self::job_requests`]; see [`Notes::close_slice`].
    with_jobs: Vec<usize>,
    auxiliary_requests: Vec<AuxiliaryRequest>,
    job_requests: Vec<AuxiliaryRequest>,
    config: Option<Map>,
    /// The page that is being read.
    page: Option<(HttpRequest, HttpResponse)>,
    /// Its records; they may come without a page.
    records: Vec<Json>,
    /// The slice that is being read, with its pages so far.
    pages: Vec<Page>,
    descriptor: Option<Json>,
    state: Option<Json>,
    schema: Inferrer,
    datetime_formats: DatetimeFormats,
    n_slices: usize,
    n_records: usize,
    n_since_state: u64,
    /// The request that is on its way.
    request: u64,
}

impl Tape {
    /// An empty tape for the stream of that name.
    pub(super) fn new(
        stream: &str,
        limits: Limits,
        secrets: Secrets,
        run: RunContext,
        watcher: Watcher,
    ) -> Self {
        let stream = stream.to_owned();
        Self { stream, limits, secrets, run, watcher, notes: Mutex::default() }
    }

    /// Everything that was taken down.
    pub(super) fn finish(&self, stream: Option<&Stream>) -> StreamRead {
        let mut notes = std::mem::take(&mut *self.notes());
        if notes.page.is_some() || !notes.records.is_empty() {
            notes.close_page();
            notes.close_slice();
        }
        // As in the reference, where they share one list.
        for idx in notes.with_jobs {
            notes.slices[idx].auxiliary_requests.clone_from(&notes.job_requests);
        }
        let mut logs = notes.logs;
        logs.append(&mut notes.deprecations);
        let required = stream.map(|stream| {
            let cursor = stream.cursor.cursor_field().map(|field| vec![field.to_owned()]);
            stream.primary_key.iter().cloned().chain(cursor).collect::<Vec<_>>()
        });
        let (inferred_schema, faults) = notes.schema.schema(&required.unwrap_or_default());
        logs.extend(faults.into_iter().map(|fault| LogMessage::new(Level::Error, fault)));
        StreamRead {
            logs,
            test_read_limit_reached: self.has_reached_limit(&notes.slices),
            slices: notes.slices,
            auxiliary_requests: notes.auxiliary_requests,
            inferred_schema,
            inferred_datetime_formats: notes.datetime_formats.into_json(),
            latest_config_update: notes.config,
        }
    }

    /// Takes down an error that ended the read as a whole.
    pub(super) fn fail(&self, error: &TracedError) {
        let line = self.error_line(error);
        self.notes().logs.push(line);
    }

    fn has_reached_limit(&self, slices: &[Slice]) -> bool {
        let pages = || slices.iter().flat_map(|slice| &slice.pages);
        slices.len() >= self.limits.slices
            || slices.iter().any(|slice| slice.pages.len() >= self.limits.pages)
            || pages().map(|page| page.records.len()).sum::<usize>() >= self.limits.records
    }

    fn error_line(&self, error: &TracedError) -> LogMessage {
        let message = error.to_message(&self.secrets, self.run.now());
        let Message::Trace { trace: Trace::Error { error, .. } } = message else {
            return LogMessage::new(Level::Error, error.to_string());
        };
        let ErrorTrace { message, internal_message, stack_trace: stacktrace, .. } = error;
        LogMessage { message, level: Level::Error, internal_message, stacktrace }
    }

    fn mask(&self, text: &str) -> String {
        self.secrets.mask(text).into_owned()
    }

    fn headers(&self, headers: &Headers) -> Map {
        let mut fields = Map::new();
        for (name, value) in headers.iter() {
            let value = self.mask(value);
            match fields.get_mut(name) {
                // As the reference's HTTP library joins what is repeated.
                Some(Json::String(values)) => values.extend([", ", &value]),
                _ => _ = fields.insert(name.to_owned(), value.into()),
            }
        }
        fields
    }

    fn exchange(
        &self,
        request: &PreparedRequest,
        response: &Response,
    ) -> (HttpRequest, HttpResponse) {
        let body = request.body.as_ref().map(|body| String::from_utf8_lossy(body));
        let request = HttpRequest {
            url: self.mask(&request.url),
            headers: self.headers(&request.headers),
            http_method: request.method.to_string(),
            body: body.map(|body| self.mask(&body)),
        };
        let response = HttpResponse {
            status: response.status,
            body: self.mask(&response.text()),
            headers: self.headers(&response.headers),
        };
        (request, response)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        // What a panic leaves is still a note.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notes {
    fn close_page(&mut self) {
        let records = std::mem::take(&mut self.records);
        let (request, response) = self.page.take().unzip();
        self.pages.push(Page { records, request, response });
    }

    fn close_slice(&mut self) {
        if !self.job_requests.is_empty() {
            self.with_jobs.push(self.slices.len());
        }
        self.slices.push(Slice {
            pages: std::mem::take(&mut self.pages),
            slice_descriptor: self.descriptor.take(),
            state: self.state.iter().cloned().collect(),
            auxiliary_requests: Vec::new(),
        });
    }
}

impl Observer for Tape {
    fn config_changed<'a>(&'a self, config: &Map) -> BoxFuture<'a, ()> {
        let mut config = config.clone();
        config.retain(|key, _| !key.starts_with("__"));
        self.notes().config = Some(config);
        async {}.boxed()
    }

    fn failed_for_now(&self, error: &TracedError) {
        self.fail(error);
    }

    fn asked(&self, asking: &Asking<'_>) {
        let id = self.watcher.asked(asking, self.mask(&asking.request.url));
        self.notes().request = id;
    }

    fn answered(&self, asking: &Asking<'_>, response: &Response, action: Action) {
        let mut notes = self.notes();
        let at_ms = self.watcher.at_ms();
        let receive_ms = u64::try_from(response.transfer.receive.as_millis()).unwrap_or(u64::MAX);
        self.watcher.tell(Event::Response {
            id: notes.request,
            status: response.status,
            bytes: response.bytes().len(),
            first_byte_ms: at_ms.saturating_sub(receive_ms),
            at_ms,
        });
        if asking.purpose == Purpose::Other {
            return;
        }
        // The request that was answered at last, when there were redirects.
        let (request, response) = self.exchange(&response.request, response);
        match Aside::of(asking, action) {
            Some(aside) => {
                let Aside { title, kind, description } = aside;
                let request = AuxiliaryRequest { title, kind, description, request, response };
                if kind.starts_with("ASYNC_") {
                    notes.job_requests.push(request);
                } else {
                    notes.auxiliary_requests.push(request);
                }
            }
            None if asking.stream != self.page_name() && asking.stream != self.stream => {}
            None => {
                if notes.page.is_some() {
                    notes.close_page();
                }
                notes.page = Some((request, response));
            }
        }
    }

    fn unanswered(&self, _: &Asking<'_>, error: &HttpError) {
        let message = self.mask(&error.to_string());
        let id = self.notes().request;
        self.watcher.tell(Event::Unanswered { id, message, at_ms: self.watcher.at_ms() });
    }

    fn warned(&self, message: &str) {
        let line = LogMessage::new(Level::Warn, message);
        self.notes().logs.push(line);
    }

    fn deprecated(&self, message: String) {
        let line = LogMessage::new(Level::Warn, message);
        let mut notes = self.notes();
        if !notes.deprecations.contains(&line) {
            notes.deprecations.push(line);
        }
    }
}

impl Tape {
    /// What the requester of a job's records is called.
    fn page_name(&self) -> String {
        format!("job download - {}", self.stream)
    }
}

impl Witness for Tape {
    fn slice(&self, descriptor: Json) {
        let mut notes = self.notes();
        if notes.page.is_some() {
            notes.close_page();
            notes.close_slice();
        }
        let index = notes.n_slices;
        notes.n_slices += 1;
        notes.descriptor = Some(descriptor.clone());
        self.watcher.tell(Event::Slice { index, descriptor });
    }

    fn records(&self, mut records: Vec<Json>) -> ControlFlow<()> {
        if records.is_empty() {
            return ControlFlow::Continue(());
        }
        let mut notes = self.notes();
        if self.limits.stops_at_records {
            records.truncate(self.limits.records - notes.n_records.min(self.limits.records));
        }
        for record in &records {
            notes.schema.observe(record);
            if let Json::Object(record) = record {
                notes.datetime_formats.observe(record);
            }
        }
        notes.n_records += records.len();
        notes.n_since_state += records.len() as u64;
        notes.records.append(&mut records);
        self.watcher.tell(Event::Records { count: notes.n_records });
        if self.limits.stops_at_records && notes.n_records >= self.limits.records {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn checkpoint(&self, state: Map) {
        let mut notes = self.notes();
        #[expect(clippy::cast_precision_loss, reason = "a count of records fits a double")]
        let n_records = std::mem::take(&mut notes.n_since_state) as f64;
        notes.state = Some(json!({
            "type": "STREAM",
            "stream": {
                "stream_descriptor": {"name": self.stream, "namespace": null},
                "stream_state": state,
            },
            "global_": null,
            "data": null,
            "sourceStats": {"recordCount": n_records},
            "destinationStats": null,
        }));
    }

    fn failed(&self, error: TracedError) {
        self.fail(&error);
    }
}

/// What is told of a request that is not for a page of the stream; the words are the reference's.
struct Aside {
    title: String,
    kind: &'static str,
    description: String,
}

impl Aside {
    fn of(asking: &Asking<'_>, action: Action) -> Option<Self> {
        let Asking { stream, purpose, is_parent, .. } = asking;
        let (mut title, mut kind, description) = match purpose {
            Purpose::Records if action == Action::ReducePageSize => (
                format!("Stream '{stream}' page rejected, retrying with a smaller page size"),
                "HTTP",
                format!(
                    "Request for stream '{stream}' whose response asked for a smaller page. The same page is requested \
                     again with a reduced page size, so this request produced no records."
                ),
            ),
            Purpose::Records if action == Action::SplitRequestWindow => (
                format!("Stream '{stream}' request window rejected, retrying with a smaller window"),
                "HTTP",
                format!(
                    "Request for stream '{stream}' whose response asked for a smaller request window. The window is \
                     split and re-read as smaller children, so this request produced no records."
                ),
            ),
            Purpose::Records if *is_parent => (
                format!("Stream '{stream}' request"),
                "HTTP",
                format!("Request performed in order to extract records for stream '{stream}'"),
            ),
            Purpose::Records | Purpose::Other => return None,
            Purpose::Schema => (
                format!("Schema loader '{stream}' request"),
                "HTTP",
                "Request performed in order to extract schema.".to_owned(),
            ),
            Purpose::NestedList => (
                format!("Record expander '{stream}' request"),
                "HTTP",
                "Request performed in order to fetch the complete nested list of a truncated record."
                    .to_owned(),
            ),
            Purpose::Login => words("Login request", "AUTH", "Obtains session token"),
            Purpose::TokenRefresh => words("Refresh token", "AUTH", "Obtains access token"),
            Purpose::JobCreation { timeout } => (
                "Async Job -- Create".to_owned(),
                "ASYNC_CREATE",
                format!("Create the server-side async job. Timeout after: {}", timedelta(*timeout)),
            ),
            Purpose::JobPoll => words(
                "Async Job -- Polling",
                "ASYNC_POLL",
                "Poll the status of the server-side async job.",
            ),
            Purpose::JobAbort => words(
                "Async Job -- Abort",
                "ASYNC_ABORT",
                "Abort the running server-side async job.",
            ),
            Purpose::JobRemoval => words(
                "Async Job -- Delete",
                "ASYNC_DELETE",
                "Delete the specified job from the list of Jobs.",
            ),
        };
        if *is_parent {
            title.insert_str(0, "Parent stream: ");
            kind = "PARENT_STREAM";
        }
        Some(Self { title, kind, description })
    }
}

fn words(title: &str, kind: &'static str, description: &str) -> (String, &'static str, String) {
    (title.to_owned(), kind, description.to_owned())
}

/// Minutes as Python prints a `timedelta`.
fn timedelta(minutes: i64) -> String {
    let (days, minutes) = (minutes.div_euclid(24 * 60), minutes.rem_euclid(24 * 60));
    let days = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    format!("{days}{}:{:02}:00", minutes / 60, minutes % 60)
}
