//! Random manifests: the streams of `crash/manifest.yaml`, each read in another way.

use std::fmt;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use crate::crash::run::MANIFEST;
use crate::crash::world::{PAGE_SIZE, STREAMS};

/// How the way from page to page is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pages {
    /// All comes at once.
    One,
    Number,
    Offset,
    /// A token in the body.
    Token,
    /// A token in a header.
    Header,
    /// The URL of the next page.
    Url,
    /// The last record of the page before.
    Last,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    /// JSON with something around its records.
    Wrapped,
    /// JSON that is read while it comes.
    Streamed,
    Lines,
    Csv,
    Xml,
    GzipJson,
    GzipLines,
    GzipCsv,
    ZipLines,
}

const PAGES: [Pages; 7] = [
    Pages::One,
    Pages::Number,
    Pages::Offset,
    Pages::Token,
    Pages::Header,
    Pages::Url,
    Pages::Last,
];
const FORMATS: [Format; 10] = [
    Format::Json,
    Format::Wrapped,
    Format::Xml,
    Format::GzipJson,
    Format::Streamed,
    Format::Lines,
    Format::Csv,
    Format::GzipLines,
    Format::GzipCsv,
    Format::ZipLines,
];

/// So many of them can come in pages.
const N_PAGED: usize = 4;

/// How one list is asked for, and answered: the first part of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) pages: Pages,
    pub(super) format: Format,
    /// Whether bodies are compressed on their way.
    pub(super) is_packed: bool,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}.{:?}.{}", self.pages, self.format, self.is_packed)
    }
}

impl Way {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (pages, format) = (parts.next()?, parts.next()?);
        Some(Self {
            pages: PAGES.into_iter().find(|it| format!("{it:?}") == pages)?,
            format: FORMATS.into_iter().find(|it| format!("{it:?}") == format)?,
            is_packed: parts.next()? == "true",
        })
    }

    fn choose(random: &mut StdRng, has_numbers: bool) -> Self {
        let texts = [Format::Csv, Format::Xml, Format::GzipCsv];
        let formats = |n: usize| {
            let formats = FORMATS.into_iter().take(n);
            formats.filter(move |format| !(has_numbers && texts.contains(format)))
        };
        let pages = *PAGES.choose(random).unwrap();
        let format = match pages {
            Pages::Token | Pages::Url => Format::Wrapped,
            Pages::One => formats(FORMATS.len()).choose(random).unwrap(),
            _ => formats(N_PAGED).choose(random).unwrap(),
        };
        Self { pages, format, is_packed: random.random() }
    }

    fn decoder(self) -> Value {
        let lines = json!({"type": "JsonlDecoder"});
        let csv = json!({"type": "CsvDecoder"});
        match self.format {
            Format::Json | Format::Wrapped => json!({"type": "JsonDecoder"}),
            Format::Streamed => json!({"type": "JsonItemsDecoder", "items_path": "items"}),
            Format::Lines => lines,
            Format::Csv => csv,
            Format::Xml => json!({"type": "XmlDecoder"}),
            Format::GzipJson => json!({"type": "GzipDecoder", "decoder": {"type": "JsonDecoder"}}),
            Format::GzipLines => json!({"type": "GzipDecoder", "decoder": lines}),
            Format::GzipCsv => json!({"type": "GzipDecoder", "decoder": csv}),
            Format::ZipLines => json!({"type": "ZipfileDecoder", "decoder": lines}),
        }
    }

    fn selector(self) -> Value {
        let field_path = match self.format {
            Format::Wrapped => json!(["items"]),
            Format::Xml => json!(["r", "item"]),
            _ => json!([]),
        };
        json!({
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": field_path},
        })
    }

    fn paginator(self) -> Value {
        let strategy = match self.pages {
            Pages::One => return json!({"type": "NoPagination"}),
            Pages::Number => {
                json!({"type": "PageIncrement", "page_size": PAGE_SIZE, "start_from_page": 0})
            }
            Pages::Offset => json!({"type": "OffsetIncrement", "page_size": PAGE_SIZE}),
            Pages::Token | Pages::Url => cursor("response.next", "response.next == 'end'"),
            Pages::Header => cursor("headers['X-Next']", "headers['X-Next'] == 'end'"),
            Pages::Last => cursor("last_record['key']", &format!("last_page_size < {PAGE_SIZE}")),
        };
        let option = match self.pages {
            Pages::Url => json!({"type": "RequestPath"}),
            _ => json!({
                "type": "RequestOption",
                "inject_into": "request_parameter",
                "field_name": format!("{:?}", self.pages).to_lowercase(),
            }),
        };
        json!({
            "type": "DefaultPaginator",
            "pagination_strategy": strategy,
            "page_token_option": option,
        })
    }
}

fn cursor(value: &str, stop: &str) -> Value {
    let [cursor_value, stop_condition] = [value, stop].map(|it| format!("{{{{ {it} }}}}"));
    json!({
        "type": "CursorPagination",
        "cursor_value": cursor_value,
        "stop_condition": stop_condition,
    })
}

/// One way to read the API.
pub(super) struct Case {
    pub(super) manifest: String,
    /// The streams that are read.
    pub(super) streams: Vec<&'static str>,
    pub(super) n_chars: usize,
    /// Whether waits take no time.
    pub(super) is_timeless: bool,
    /// Of how many answers one is a fault.
    pub(super) n_per_fault: u64,
}

/// How long the texts in records are.
const N_CHARS: [usize; 4] = [10, 100, 1_000, 8_000];

impl Case {
    /// The same for the same seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed ^ 0x50a6);
        let random = &mut random;
        let is_timeless = random.random_ratio(3, 4);
        let mut manifest: Value = serde_yaml::from_str(MANIFEST).unwrap();
        for place in ["parents", "grown"] {
            vary_stream(&mut manifest["definitions"][place], random);
        }
        let cursor = manifest["definitions"]["cursor"].clone();
        for stream in manifest["streams"].as_array_mut().unwrap() {
            // A reference to what was varied already.
            if stream.is_string() {
                continue;
            }
            vary_stream(stream, random);
            if is_timeless && stream["name"] != "counters" && random.random_ratio(1, 4) {
                make_asynchronous(stream, &cursor, random);
            }
        }
        manifest["max_concurrent_async_job_count"] = random.random_range(1..=4).into();
        if is_timeless {
            vary_waits(&mut manifest, random);
        }
        let n_streams = random.random_range(1..=STREAMS.len());
        let mut streams = STREAMS.iter().copied().sample(random, n_streams);
        streams.sort_unstable();
        Self {
            manifest: manifest.to_string(),
            streams,
            n_chars: *N_CHARS.choose(random).unwrap(),
            is_timeless,
            n_per_fault: *[u64::MAX, 40, 15, 8].choose(random).unwrap(),
        }
    }
}

/// Gives a stream its way.
fn vary_stream(stream: &mut Value, random: &mut StdRng) {
    let way = Way::choose(random, stream["name"] == "counters");
    let retriever = &mut stream["retriever"];
    let path = retriever["requester"]["path"].as_str().unwrap();
    retriever["requester"]["path"] = format!("/{way}{path}").into();
    retriever["paginator"] = way.paginator();
    retriever["decoder"] = way.decoder();
    retriever["record_selector"] = way.selector();
    if let Some(cursor) = stream.get_mut("incremental_sync").and_then(Value::as_object_mut)
        && cursor.contains_key("step")
    {
        // Smaller ones make ten thousands of requests of nested partitions.
        let hours: u32 = random.random_range(6..=24);
        cursor.insert("step".to_owned(), format!("PT{hours}H").into());
    }
}

/// Has the records of a stream made by jobs, and downloaded.
fn make_asynchronous(stream: &mut Value, cursor: &Value, random: &mut StdRng) {
    let formats = [Format::Json, Format::Lines, Format::Csv, Format::GzipLines];
    let format = *formats.choose(random).unwrap();
    let way = Way { pages: Pages::One, format, is_packed: random.random() };
    let retriever = &stream["retriever"];
    let path = retriever["requester"]["path"].as_str().unwrap();
    let (_, list) = path[1..].split_once('/').unwrap();
    let list = list.to_owned();
    let mut asked = Map::new();
    let requester = |path: String| {
        let mut requester = Map::new();
        requester.insert("$ref".to_owned(), "#/definitions/requester".into());
        requester.insert("path".to_owned(), path.into());
        requester
    };
    let router = retriever.get("partition_router").cloned();
    if let Some(own) = stream.get_mut("incremental_sync").and_then(Value::as_object_mut) {
        let mut plain = cursor.as_object().unwrap().clone();
        plain.retain(|name, _| !name.ends_with("_option"));
        plain.extend(std::mem::take(own).into_iter().filter(|(name, _)| name != "$ref"));
        *own = plain;
        asked.insert("from".to_owned(), "{{ stream_interval['start_time'] }}".into());
        asked.insert("to".to_owned(), "{{ stream_interval['end_time'] }}".into());
    }
    let mut creation = requester(format!("/{way}/jobs/{list}"));
    creation.insert("http_method".to_owned(), "POST".into());
    creation.insert("request_parameters".to_owned(), asked.into());
    let polling = requester(format!("/{way}/polls/{{{{ creation_response['id'] }}}}"));
    let mut download = requester(String::new());
    download.remove("path");
    download.insert("url_base".to_owned(), "{{ download_target }}".into());
    let mut retriever = json!({
        "type": "AsyncRetriever",
        "record_selector": way.selector(),
        "status_mapping": {
            "type": "AsyncJobStatusMap",
            "running": ["run"], "completed": ["done"], "failed": ["bad"], "timeout": ["late"],
        },
        "status_extractor": {"type": "DpathExtractor", "field_path": ["status"]},
        "download_target_extractor": {"type": "DpathExtractor", "field_path": ["urls"]},
        "creation_requester": creation,
        "polling_requester": polling,
        "download_requester": download,
        "download_decoder": way.decoder(),
    });
    if let Some(router) = router {
        retriever["partition_router"] = router;
    }
    stream["retriever"] = retriever;
}

/// Error handlers and budgets that take their time.
fn vary_waits(manifest: &mut Value, random: &mut StdRng) {
    let handler = |strategy: Value| json!({"type": "DefaultErrorHandler", "max_retries": 4, "backoff_strategies": [strategy]});
    let patient = handler(json!({"type": "WaitTimeFromHeader", "header": "Retry-After"}));
    let exponential = handler(json!({"type": "ExponentialBackoffStrategy", "factor": 2}));
    let constant =
        handler(json!({"type": "ConstantBackoffStrategy", "backoff_time_in_seconds": 3}));
    let retry = json!({
        "type": "DefaultErrorHandler",
        "max_retries": 4,
        "response_filters": [
            {"type": "HttpResponseFilter", "http_codes": [429], "action": "RATE_LIMITED"},
            {"type": "HttpResponseFilter", "http_codes": [500, 502, 503, 504], "action": "RETRY",
                "error_message": "It rains: {{ response.get('error') }}"},
        ],
    });
    let composite = json!({"type": "CompositeErrorHandler", "error_handlers": [retry, patient]});
    let handlers =
        [None, Some(patient), Some(exponential), Some(constant), Some(retry), Some(composite)];
    if let Some(handler) = handlers.choose(random).unwrap() {
        manifest["definitions"]["requester"]["error_handler"] = handler.clone();
    }
    let rates = json!([{"type": "Rate", "limit": random.random_range(5..50), "interval": "PT10S"}]);
    let policies = [
        None,
        Some(json!({"type": "MovingWindowCallRatePolicy", "rates": rates, "matchers": []})),
        Some(json!({"type": "FixedWindowCallRatePolicy", "period": "PT10S",
            "call_limit": random.random_range(5..50), "matchers": []})),
    ];
    if let Some(policy) = policies.choose(random).unwrap() {
        manifest["api_budget"] = json!({"type": "HTTPAPIBudget", "policies": [policy]});
    }
}
