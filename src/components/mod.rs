//! The declarative language: one folder per family, one file per component.
//!
//! Families never import one another.
//! They meet through the traits of this file, and through [`Slot`]s: a field
//! that holds another component stays as it is written until the registry,
//! the one file that knows all families, builds it.

pub mod added_field;
pub mod auth;
pub mod backoff;
pub mod budget;
mod build;
pub mod check;
pub mod config;
mod config_handle;
pub mod cursor;
pub mod custom;
pub mod decoder;
pub mod definitions;
mod error;
pub mod error_handler;
pub mod extractor;
mod field;
pub mod full_refresh;
pub mod generate;
pub mod job_slots;
mod number_template;
pub mod outlook;
pub mod pagination;
pub mod partition;
mod path_template;
pub mod registry;
pub mod request_matcher;
mod request_option;
mod request_parts;
pub mod requester;
pub mod resolver;
pub mod response_actions;
mod response_variables;
pub mod retriever;
pub mod schema;
pub mod shape;
pub mod share;
pub mod slot;
mod snapshot;
pub mod source;
pub mod spec;
pub mod stream;
mod surroundings;
#[cfg(test)]
pub(crate) mod testing;
pub mod transform;
mod transport;

use std::ops::ControlFlow;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::http::{BodyMode, Headers, Limits, Permit, Response, RetryPolicy, SessionAuth};
use crate::manifest::Node;
use crate::protocol::FileReference;
use crate::run::RunContext;
use crate::template::Template;
use crate::template::time::{DateTime, TimeDelta};
use crate::value::{Json, Lines, Map, ParseError, StreamSlice};

pub use build::{
    Asking, BuildContext, Environment, NoObserver, Observer, Purpose, SharedComponents,
    StreamScope, TestLimits,
};
pub use config_handle::Config;
pub use error::{BuildError, ReadError};
pub use number_template::NumberTemplate;
pub use outlook::Outlook;
pub use path_template::PathTemplate;
pub use request_option::{InjectInto, RequestOption};
pub use request_parts::{BodyData, RequestParts};
pub use response_variables::ResponseVariables;
pub use slot::{Component, Family, Member, Registry, Slot};
pub use snapshot::{ParentStates, Snapshot};
pub use surroundings::Surroundings;

/// The parameters that reached a component, for its templates.
pub type Parameters = Arc<Map>;

/// A stream ready to be described and read.
pub struct Stream {
    /// Its name, unique in a source.
    pub name: String,
    /// Paths of the fields that identify a record, as the catalog lists them.
    pub primary_key: Vec<Vec<String>>,
    /// Where its JSON schema comes from.
    pub schema: Arc<dyn SchemaLoader>,
    /// Reads the records of one slice.
    pub retriever: Arc<dyn Retriever>,
    /// Makes the slices, and keeps the state.
    pub cursor: Arc<dyn Cursor>,
    /// Gets the files that its records stand for, if they stand for any.
    pub files: Option<Arc<dyn FileUploader>>,
    /// The streams that its partitions come from, with the parents of those.
    pub parents: Vec<String>,
    /// The state that it starts from, in today's form.
    pub state: Option<Arc<Map>>,
    /// The group of streams it may not be read together with.
    pub group: Option<String>,
    /// How many slices are read of it at most.
    pub max_slices: usize,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Stream {
    /// The slices to read, made while earlier ones are read already.
    pub fn slices(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        self.retriever.slices(&*self.cursor).take(self.max_slices).boxed()
    }
}

/// Reads the records of a slice.
pub trait Retriever: Send + Sync {
    /// The slices to read: those of `cursor`, unless they have to be prepared (by jobs at the API)
    /// before they can be read.
    fn slices<'a>(
        &'a self,
        cursor: &'a dyn Cursor,
    ) -> BoxStream<'a, Result<StreamSlice, ReadError>> {
        cursor.slices()
    }

    /// What a test read calls the slice, as the reference does: an empty one by its text.
    fn descriptor(&self, slice: &StreamSlice) -> Json {
        if slice.is_empty() {
            return Json::from("{}");
        }
        slice.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Gives the slice's records to `sink` in order, until it wants no more.
    fn read<'a>(
        &'a self,
        slice: &'a StreamSlice,
        sink: &'a mut dyn RecordSink,
    ) -> BoxFuture<'a, Result<(), ReadError>>;
}

/// Gets the files that records stand for.
pub trait FileUploader: Send + Sync {
    /// Lays the file of `record` where the platform looks for it.
    fn upload<'a>(&'a self, record: &'a Json) -> BoxFuture<'a, Result<FileReference, ReadError>>;
}

/// Takes records; where back-pressure comes from.
pub trait RecordSink: Send {
    /// Takes the next records of the slice; `Break` asks for no more.
    fn records(&mut self, records: Vec<Json>) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>>;

    /// The same sink for records that nothing is done to, when it takes them as lines too.
    fn as_lines(&mut self) -> Option<&mut dyn LineSink> {
        None
    }
}

/// Takes records as lines of output, which are made from a body without values in between.
pub trait LineSink: Send {
    /// What stands around the record on each line.
    fn frame(&self) -> LineFrame;

    /// An empty buffer for lines.
    fn buffer(&self) -> Vec<u8>;

    /// Takes the next lines of the slice; `Break` asks for no more.
    fn lines(&mut self, lines: Lines) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>>;
}

/// What lines of records are made with.
#[derive(Clone, Debug, Default)]
pub struct LineFrame {
    /// What stands before the record.
    pub open: Vec<u8>,
    /// What stands behind it.
    pub close: Vec<u8>,
    /// The field of the records that the cursor looks at, when there is one.
    pub field: Option<String>,
}

/// Keeps all records.
impl RecordSink for Vec<Json> {
    fn records(
        &mut self,
        mut records: Vec<Json>,
    ) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        self.append(&mut records);
        Box::pin(std::future::ready(Ok(ControlFlow::Continue(()))))
    }
}

/// Splits a stream into slices, and knows what has been read of it: its state.
///
/// A stream without `incremental_sync` has one too, whose state only says
/// that the stream was read.
pub trait Cursor: Send + Sync {
    /// The slices to read, made while earlier ones are read already.
    fn slices(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>>;

    /// What slice and window add to a request.
    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError>;

    /// Takes note of records of a slice; they are on their way out already.
    fn observe(&self, slice: &StreamSlice, records: &[Json]) -> Result<(), ReadError>;

    /// What [`Self::observe`] looks at; what is given to it need have no more.
    fn observed(&self) -> Observed<'_> {
        Observed::Records
    }

    /// Whether the record of `slice` lies within the window that is wanted.
    fn should_be_synced(&self, _slice: &StreamSlice, _record: &Json) -> Result<bool, ReadError> {
        Ok(true)
    }

    /// Halves the window of `slice`; `None` when that makes nothing smaller, or anything smaller
    /// than `min_window`.
    fn split_window(
        &self,
        _slice: &StreamSlice,
        _min_window: Option<TimeDelta>,
    ) -> Result<Option<Vec<StreamSlice>>, ReadError> {
        Ok(None)
    }

    /// Follows the records of one slice, to know from where on it has to be read again.
    fn progress(&self) -> Option<Box<dyn SliceProgress>> {
        None
    }

    /// The moment up to which `state` says that the stream was read, where it says one.
    fn read_until(&self, _state: &Map) -> Option<DateTime> {
        None
    }

    /// Takes note that a slice was read whole; gives the state to print, if it is time.
    fn close_slice(&self, slice: &StreamSlice) -> Result<Option<Map>, ReadError>;

    /// Takes note that all slices were made and read (not necessarily with success).
    fn finish(&self) -> Result<Option<Map>, ReadError>;

    /// The state as of now.
    fn state(&self) -> Map;

    /// The same, to be kept with partitions of children.
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(Json::Object(self.state()))
    }

    /// What the next read asks for, which starts from `state`, for people.
    fn outlook(&self, _state: &Map) -> Result<Outlook, ReadError> {
        Ok(Outlook::default())
    }

    /// The cursor field, when the stream can be read incrementally.
    fn cursor_field(&self) -> Option<&str> {
        None
    }

    /// Whether the configured catalog may name another cursor field.
    fn allows_catalog_cursor_field(&self) -> bool {
        false
    }
}

/// What of the records a cursor looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed<'a> {
    /// Nothing.
    Nothing,
    /// This one of their own fields.
    Field(&'a str),
    /// Possibly everything.
    Records,
}

/// How far one slice has been read; see [`Cursor::progress`].
pub trait SliceProgress: Send {
    /// Takes note of a record.
    fn observe(&mut self, slice: &StreamSlice, record: &Json) -> Result<(), ReadError>;

    /// What is left of `original` to be read.
    fn rest_of(&self, original: &StreamSlice) -> Result<StreamSlice, ReadError>;
}

/// What `incremental_sync` holds: makes the cursor of a stream.
pub trait IncrementalSync: Send + Sync {
    /// The cursor over the windows of each of `router`'s partitions (or of the one there is).
    fn cursor(
        &self,
        router: Option<Arc<dyn PartitionRouter>>,
        state: Option<&Map>,
        cx: &BuildContext<'_>,
    ) -> Result<Arc<dyn Cursor>, BuildError>;

    /// Whether records outside the window are dropped by us, before or after transformations.
    fn filters_client_side(&self) -> bool {
        false
    }

    /// Whether pagination stops at the first record outside the window.
    fn is_data_feed(&self) -> bool {
        false
    }
}

/// Splits a stream into partitions.
pub trait PartitionRouter: Send + Sync {
    /// The partitions, made while earlier ones are read already.
    fn partitions(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>>;

    /// What a partition adds to a request.
    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError>;

    /// The parents' states by parent name, as of the partition that was given last;
    /// `None` when no partition comes from a parent.
    ///
    /// The parents' states of the run before are not given here: parents are built with them.
    fn parent_state(&self) -> Option<ParentStates> {
        None
    }

    /// The keys that its partitions have.
    fn partition_fields(&self) -> Vec<String>;

    /// The keys that one of its partitions has: all kinds that there are.
    fn shapes(&self) -> Vec<Vec<String>> {
        vec![self.partition_fields()]
    }

    /// Whether it adds anything to requests; routers that combine partitions cannot keep that.
    fn has_request_options(&self) -> bool {
        false
    }

    /// Whether its partitions are too coarse for states of their own.
    fn needs_global_state(&self) -> bool {
        false
    }

    /// The names of the parent streams, theirs included.
    fn ancestors(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Sends requests.
pub trait Requester: Send + Sync {
    /// Sends one request, with retries, and gives what it came to.
    fn send<'a>(&'a self, input: RequestInput<'a>) -> BoxFuture<'a, Result<Answer, ReadError>>;

    /// What its requests ask for property by property, if they do.
    fn query_properties(&self) -> Option<Arc<dyn QueryProperties>> {
        None
    }
}

/// The properties that requests ask for, where an API does not give all fields of its own accord.
///
/// The requester finds those of one request in the slice's extra field `query_properties`.
pub trait QueryProperties: Send + Sync {
    /// The properties of each of the requests that one page takes.
    fn chunks(&self) -> BoxFuture<'_, Result<Arc<[Vec<String>]>, ReadError>>;

    /// How the parts of a record that came with several requests find together;
    /// `None` when every request gives whole records.
    fn merging(&self) -> Option<&dyn RecordMerging> {
        None
    }
}

/// How the parts of a record find together.
pub trait RecordMerging: Send + Sync {
    /// What the parts of one record have in common; `None` for a record that is whole.
    fn merge_key(&self, record: &Json) -> Result<Option<String>, ReadError>;
}

/// What a request depends on.
#[derive(Debug, Default)]
pub struct RequestInput<'a> {
    /// The slice that is read.
    pub slice: Option<&'a StreamSlice>,
    /// The token of the page, when it is not the first; templates see it as
    /// `next_page_token.next_page_token`.
    pub next_page_token: Option<&'a Json>,
    /// Replaces the requester's own path (a page's URL or path).
    pub path: Option<String>,
    /// What paginator, partition and cursor add.
    pub parts: RequestParts,
    /// Further variables for the requester's templates.
    pub variables: Vec<(&'static str, &'a Json)>,
    /// How the body is given.
    pub body: BodyMode,
}

/// What a request came to.
#[derive(Debug)]
pub enum Answer {
    /// A response to read records from.
    Response(Response),
    /// A response that the error handler ignores: no records, no next page when its status is an error.
    Ignored(Response),
    /// Start the pagination of the slice again.
    ResetPagination,
    /// Ask for the same page with a smaller size.
    ReducePageSize(String),
    /// Split the window of the slice.
    SplitRequestWindow(String),
}

/// Adds proof of identity to requests: to their options when they are composed, and to their
/// headers before each attempt.
pub trait Authenticator: SessionAuth {
    /// What it adds to the request's options.
    fn request_parts(&self) -> BoxFuture<'_, Result<RequestParts, ReadError>>;
}

/// Decides what a response means.
pub trait ErrorHandler: RetryPolicy {
    /// The waits it knows, for the handler that contains it.
    fn backoff_strategies(&self) -> &[Arc<dyn BackoffStrategy>];
}

/// Says how long to wait before the next attempt.
pub trait BackoffStrategy: Send + Sync {
    /// Seconds to wait, or `None` to let the next strategy answer. `attempt` starts at 1.
    fn backoff(&self, attempt: u32, response: Option<&Response>) -> Result<Option<f64>, ReadError>;
}

/// Walks over the pages of a slice.
pub trait Paginator: Send + Sync {
    /// The token of the first page, when even that has one.
    fn first_token(&self) -> Result<Option<Json>, ReadError>;

    /// The token of the page after `page`; `None` ends the slice.
    fn next_token(
        &self,
        page: &Page<'_>,
        last_token: Option<&Json>,
    ) -> Result<Option<Json>, ReadError>;

    /// The URL or path that replaces the requester's, when the token is one.
    fn path(&self, token: Option<&Json>) -> Result<Option<String>, ReadError>;

    /// What token and page size add to a request; `page_size` replaces the configured one.
    fn request_parts(
        &self,
        token: Option<&Json>,
        page_size: Option<i64>,
    ) -> Result<RequestParts, ReadError>;

    /// The token of the page after the one of `token`, should that be full and not the last;
    /// none where it cannot be known before the page is there.
    fn likely_next(&self, _token: Option<&Json>) -> Option<Json> {
        None
    }

    /// Records a page is asked for.
    fn page_size(&self) -> Result<Option<i64>, ReadError> {
        Ok(None)
    }

    /// What it looks at in a response.
    fn response_needs(&self) -> ResponseNeeds {
        ResponseNeeds::Nothing
    }

    /// Whether it looks at the last record of a page.
    fn needs_last_record(&self) -> bool {
        false
    }
}

/// Computes page tokens.
pub trait PaginationStrategy: Send + Sync {
    /// See [`Paginator::first_token`].
    fn first_token(&self) -> Result<Option<Json>, ReadError>;

    /// See [`Paginator::next_token`].
    fn next_token(
        &self,
        page: &Page<'_>,
        last_token: Option<&Json>,
    ) -> Result<Option<Json>, ReadError>;

    /// See [`Paginator::likely_next`].
    fn likely_next(&self, _token: Option<&Json>) -> Option<Json> {
        None
    }

    /// See [`Paginator::page_size`].
    fn page_size(&self) -> Result<Option<i64>, ReadError>;

    /// See [`Paginator::response_needs`].
    fn response_needs(&self) -> ResponseNeeds {
        ResponseNeeds::Nothing
    }

    /// See [`Paginator::needs_last_record`].
    fn needs_last_record(&self) -> bool {
        false
    }
}

/// How much of a decoded response is looked at after its records were taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseNeeds {
    /// Nothing of the body.
    Nothing,
    /// Only these paths from the root of the body.
    Paths(Vec<Vec<String>>),
    /// Possibly everything, the records included.
    Everything,
}

impl ResponseNeeds {
    /// What the variable `response` of the templates has to have.
    pub fn of<'t>(templates: impl IntoIterator<Item = &'t Template>) -> Self {
        let parts = templates.into_iter().flat_map(|template| template.reads("response"));
        let paths: Vec<_> = parts.map(<[String]>::to_vec).collect();
        if paths.is_empty() {
            return Self::Nothing;
        }
        if paths.iter().any(Vec::is_empty) { Self::Everything } else { Self::Paths(paths) }
    }
}

/// A page that was read, as a pagination strategy sees it.
#[derive(Debug)]
pub struct Page<'a> {
    /// The response's status.
    pub status: u16,
    /// The response's headers.
    pub headers: &'a Headers,
    /// The first element that the decoder gave, `{}` when it gave none.
    pub body: &'a Json,
    /// The last record after filter and transformations.
    pub last_record: Option<&'a Json>,
    /// Records extracted, before the filter.
    pub n_extracted: usize,
    /// Records after the filter.
    pub n_selected: usize,
    /// The slice that is read.
    pub slice: &'a StreamSlice,
    /// Records the page was asked for, when that is not the configured size.
    pub page_size: Option<i64>,
}

/// Turns bodies into elements.
pub trait Decoder: Send + Sync {
    /// Begins a body.
    fn begin(&self, headers: &Headers) -> Box<dyn Decode>;

    /// Begins a body that comes out of an archive, where the reference forgives less.
    fn begin_unpacked(&self) -> Box<dyn Decode> {
        self.begin(&Headers::default())
    }

    /// Whether elements come out while the body is still received, from bytes as they are sent.
    fn is_streamed(&self) -> bool {
        false
    }

    /// Whether a body is one JSON value, whose items are the elements when it is a list.
    fn reads_json(&self) -> bool {
        false
    }

    /// Whether a paginator can look into what it decodes.
    fn supports_pagination(&self) -> bool;
}

/// The decoding of one body.
pub trait Decode: Send {
    /// Takes the next bytes, and appends the elements they complete, also when an error follows.
    fn feed(&mut self, bytes: &[u8], elements: &mut Vec<Json>) -> Result<(), ReadError>;

    /// Appends what is left when the body has ended.
    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError>;

    /// Fails from now on where a body would have to be held beyond `limits`.
    fn keep_within(&mut self, _limits: &Limits) {}

    /// The same decoding, of elements to their JSON text, where there is such a way.
    fn as_texts(&mut self) -> Option<&mut dyn DecodeTexts> {
        None
    }
}

/// The decoding of one body to the JSON texts of its elements.
pub trait DecodeTexts: Send {
    /// As [`Decode::feed`].
    fn feed(&mut self, bytes: &[u8], texts: &mut dyn ElementTexts) -> Result<(), ReadError>;

    /// As [`Decode::finish`].
    fn finish(&mut self, texts: &mut dyn ElementTexts) -> Result<(), ReadError>;
}

/// Takes elements as JSON text.
pub trait ElementTexts {
    /// Takes the text of an element; an error means that it is no JSON, and was left out.
    fn element(&mut self, text: &[u8]) -> Result<(), ParseError>;

    /// Takes the text of an object as it is printed: without fields that are null.
    fn object(&mut self, text: &[u8]);
}

/// Finds records in elements.
pub trait RecordExtractor: Send + Sync {
    /// Appends the elements' records, and gives their number together with those
    /// it leaves out but counts; `Take` may leave holes in the elements.
    ///
    /// All elements of a body come at once, unless the decoder streams.
    fn extract<'a>(
        &'a self,
        elements: &'a mut [Json],
        mode: Extraction,
        records: &'a mut Vec<Json>,
    ) -> BoxFuture<'a, Result<usize, ReadError>>;

    /// The literal path of keys that its records lie under, if there is just one.
    fn path(&self) -> Option<&[String]> {
        None
    }

    /// The decoder that takes the place of the stream's own, for an extractor
    /// that is made for one kind of body.
    fn decoder(&self) -> Option<Arc<dyn Decoder>> {
        None
    }

    /// Whether it goes over a body more than once, so that no decoder may stream.
    fn needs_whole_body(&self) -> bool {
        false
    }

    /// Whether it adds up several lists of a page, so that their number says nothing about the
    /// API's own count.
    fn joins_lists(&self) -> bool {
        false
    }
}

/// Whether an element is looked at after its records were extracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extraction {
    /// The records may be moved out of the element.
    Take,
    /// The element has to stay whole.
    Copy,
}

/// Extracts, filters, transforms, and normalises.
///
/// What was selected before an error is in `page` all the same.
pub trait RecordSelector: Send + Sync {
    /// Waits for what selecting needs (the stream's schema).
    fn prepare(&self) -> BoxFuture<'_, Result<(), ReadError>>;

    /// Appends the records of elements to those of their page.
    ///
    /// All elements of a body come at once, unless the decoder streams.
    fn select<'a>(
        &'a self,
        elements: &'a mut [Json],
        mode: Extraction,
        slice: &'a StreamSlice,
        next_page_token: Option<&'a Json>,
        page: &'a mut PageRecords,
    ) -> BoxFuture<'a, Result<(), ReadError>>;

    /// Filters, transforms, and normalises records that were extracted elsewhere.
    fn refine(
        &self,
        records: Vec<Json>,
        slice: &StreamSlice,
        next_page_token: Option<&Json>,
        page: &mut PageRecords,
    ) -> Result<(), ReadError>;

    /// What it extracts records with.
    fn extractor(&self) -> &dyn RecordExtractor;

    /// Whether it leaves what it extracts as it is.
    fn is_plain(&self) -> bool {
        false
    }
}

/// The records of a page so far.
#[derive(Debug, Default)]
pub struct PageRecords {
    /// Those to give out, in order.
    pub records: Vec<Json>,
    /// How many there were before the filter.
    pub n_extracted: usize,
}

/// Says which records are kept.
pub trait RecordFilter: Send + Sync {
    /// Whether to keep the record.
    fn keeps(
        &self,
        record: &Json,
        slice: &StreamSlice,
        next_page_token: Option<&Json>,
    ) -> Result<bool, ReadError>;
}

/// Changes a record in place.
pub trait Transformation: Send + Sync {
    /// Changes `record`.
    fn transform(&self, record: &mut Map, slice: &StreamSlice) -> Result<(), ReadError>;
}

/// Makes records fit the stream's JSON schema.
pub trait SchemaNormalization: Send + Sync {
    /// Changes `record`.
    fn normalize(&self, record: &mut Json, schema: &Json) -> Result<(), ReadError>;
}

/// Knows a stream's JSON schema.
pub trait SchemaLoader: Send + Sync {
    /// The schema; some ask the API for it.
    fn load(&self) -> BoxFuture<'_, Result<Arc<Json>, ReadError>>;

    /// The schema when it is known without asking.
    fn known(&self) -> Option<Arc<Json>> {
        None
    }
}

/// Changes the config before it is used.
pub trait ConfigTransformation: Send + Sync {
    /// Changes `config`.
    fn transform(&self, config: &mut Map, run: &RunContext) -> Result<(), BuildError>;
}

/// Says what is wrong with a config.
pub trait ConfigValidator: Send + Sync {
    /// The first fault of `config`, if it has one.
    fn validate(&self, config: &Map, run: &RunContext) -> Result<(), BuildError>;
}

/// Says what is wrong with a value.
pub trait ValidationStrategy: Send + Sync {
    /// The first fault of `value`, if it has one.
    fn validate(&self, value: &Json) -> Result<(), BuildError>;
}

/// Makes streams out of a template.
pub trait ComponentsResolver: Send + Sync {
    /// The streams, each as it would be written in the manifest.
    fn resolve<'a>(&'a self, template: &'a Node) -> BoxFuture<'a, Result<Vec<Node>, ReadError>>;

    /// Whether the user's config decides how many streams there are and what they are called.
    fn follows_config(&self) -> bool {
        false
    }
}

/// How a connection is checked.
#[derive(Clone, Debug)]
pub struct Check {
    /// The streams to read from.
    pub streams: CheckedStreams,
    /// Laid over the config while the connection is checked.
    pub config_overrides: Map,
}

/// The streams that a check reads from.
#[derive(Clone, Debug)]
pub enum CheckedStreams {
    /// Streams by name.
    Named {
        /// Names of static streams.
        names: Vec<String>,
        /// Streams made of templates.
        generated: Vec<CheckedGeneration>,
    },
    /// The first streams of the source.
    First {
        /// How many.
        count: i64,
        /// Whether they are read at all, or only built.
        reads: bool,
    },
}

/// The streams made of one template, as far as they are checked.
#[derive(Clone, Debug)]
pub struct CheckedGeneration {
    /// The name of the template.
    pub template: String,
    /// How many of its streams are read; all when unset.
    pub count: Option<i64>,
}

/// Turns an older state into today's form.
pub trait StateMigration: Send + Sync {
    /// Whether `state` is in the older form.
    fn should_migrate(&self, state: &Map) -> bool;

    /// The state in today's form.
    fn migrate(&self, state: Map) -> Result<Map, ReadError>;
}

slot::accepts!(
    /// Ordinary streams only.
    OrdinaryStream = "DeclarativeStream",
);

slot::accepts!(
    /// Retrievers that read page by page.
    PagewiseRetriever = "SimpleRetriever",
    "CustomRetriever",
);

slot::accepts!(
    /// Extractors that find records in elements.
    ElementExtractor = "DpathExtractor",
    "CombinedExtractor",
    "CustomRecordExtractor",
);

macro_rules! families {
    ($($name:literal: $family:ty => $built:ty;)*) => {
        $(impl Family for $family {
            const NAME: &'static str = $name;
            type Built = $built;
        })*
    };
}

families! {
    "stream": Stream => Stream;
    "retriever": dyn Retriever => Arc<dyn Retriever>;
    "incremental sync": dyn IncrementalSync => Arc<dyn IncrementalSync>;
    "partition router": dyn PartitionRouter => Arc<dyn PartitionRouter>;
    "requester": dyn Requester => Arc<dyn Requester>;
    "authenticator": dyn Authenticator => Arc<dyn Authenticator>;
    "error handler": dyn ErrorHandler => Arc<dyn ErrorHandler>;
    "backoff strategy": dyn BackoffStrategy => Arc<dyn BackoffStrategy>;
    "paginator": dyn Paginator => Arc<dyn Paginator>;
    "pagination strategy": dyn PaginationStrategy => Arc<dyn PaginationStrategy>;
    "decoder": dyn Decoder => Arc<dyn Decoder>;
    "record extractor": dyn RecordExtractor => Arc<dyn RecordExtractor>;
    "record selector": dyn RecordSelector => Arc<dyn RecordSelector>;
    "record filter": dyn RecordFilter => Arc<dyn RecordFilter>;
    "transformation": dyn Transformation => Arc<dyn Transformation>;
    "schema normalization": dyn SchemaNormalization => Arc<dyn SchemaNormalization>;
    "schema loader": dyn SchemaLoader => Arc<dyn SchemaLoader>;
    "state migration": dyn StateMigration => Arc<dyn StateMigration>;
    "config transformation": dyn ConfigTransformation => Arc<dyn ConfigTransformation>;
    "config validator": dyn ConfigValidator => Arc<dyn ConfigValidator>;
    "validation strategy": dyn ValidationStrategy => Arc<dyn ValidationStrategy>;
    "components resolver": dyn ComponentsResolver => Arc<dyn ComponentsResolver>;
    "check": Check => Check;
    "API budget": dyn Permit => Arc<dyn Permit>;
}
