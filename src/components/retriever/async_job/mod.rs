//! `AsyncRetriever`: has the API prepare the records of each slice as a job, and downloads them.
//!
//! Jobs are started and followed in [`schedule`], where slices are made: a
//! slice is given out when its job is complete. Then its records are
//! downloaded from the places that the job names, each page by page, by a
//! retriever of its own. [`api`] has the requests about jobs.

mod api;
mod download;
mod schedule;
pub mod status;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use serde_json::json;

use self::api::{JobApi, PreparedJob};
use self::download::Refining;
use self::schedule::{Limits, Schedule};
use super::restrictions::check_decoder;
use super::simple::SimpleRetriever;
use crate::components::generate::generate;
use crate::components::response_actions::refuse_paging_actions;
use crate::components::shape::{AtLeast, IntOrTemplate, Text, either, shape};
use crate::components::slot::OneOrMore;
use crate::components::{
    BuildContext, BuildError, Component, Cursor, Decoder, ElementExtractor, Paginator,
    PartitionRouter, Purpose, ReadError, RecordExtractor, RecordSelector, RecordSink, Requester,
    Retriever, Slot, StreamScope,
};
use crate::manifest::{Key, Node, NodeValue};
use crate::protocol::TracedError;
use crate::template::InterpolatedString;
use crate::value::{Json, StreamSlice, python_int};

/// The extra field of a slice that names its jobs.
const JOBS: &str = "jobs";

either! {
    /// Seconds to wait, at least one, or a template that gives them.
    pub enum WaitSeconds { Template(Text) if |node| node.as_str().is_some(), Int(AtLeast<1>) }
}

impl From<WaitSeconds> for IntOrTemplate {
    fn from(seconds: WaitSeconds) -> Self {
        match seconds {
            WaitSeconds::Template(text) => Self::Template(text),
            WaitSeconds::Int(AtLeast(seconds)) => Self::Int(seconds),
        }
    }
}

/// The YAML shape.
pub mod yaml {
    use super::status::yaml::AsyncJobStatusMap;
    use super::{
        Decoder, ElementExtractor, IntOrTemplate, OneOrMore, Paginator, PartitionRouter,
        RecordExtractor, RecordSelector, Requester, Slot, WaitSeconds, shape,
    };

    shape! {
        /// Has the API prepare the records of each slice as a job, and downloads them.
        pub struct AsyncRetriever {
            /// Filters and transforms what was downloaded.
            record_selector: Slot<dyn RecordSelector>,
            /// What the API's words for the states of a job mean.
            status_mapping: AsyncJobStatusMap,
            /// Finds the state of a job in the response to `polling_requester`.
            status_extractor: Slot<dyn RecordExtractor, ElementExtractor>,
            /// Finds the places of the records in that response, or in that to
            /// `download_target_requester`.
            download_target_extractor: Option<Slot<dyn RecordExtractor, ElementExtractor>>,
            /// Finds the records in a download.
            download_extractor: Option<Slot<dyn RecordExtractor>>,
            /// Starts a job.
            creation_requester: Slot<dyn Requester>,
            /// Asks for the state of a job.
            polling_requester: Slot<dyn Requester>,
            /// Minutes after which a job is given up and started anew; 60 when unset.
            polling_job_timeout: Option<IntOrTemplate>,
            /// Seconds to wait before a job that failed is started anew.
            failed_retry_wait_time_in_seconds: Option<WaitSeconds>,
            /// Asks for the places of the records of a job that is complete.
            download_target_requester: Option<Slot<dyn Requester>>,
            /// Downloads records.
            download_requester: Slot<dyn Requester>,
            /// Finds the way from page to page of a download.
            download_paginator: Option<Slot<dyn Paginator>>,
            /// Stops a job that is given up.
            abort_requester: Option<Slot<dyn Requester>>,
            /// Removes a job whose records were downloaded.
            delete_requester: Option<Slot<dyn Requester>>,
            /// Splits the stream into partitions.
            partition_router: Option<Slot<dyn PartitionRouter, OneOrMore>>,
            /// Reads the responses about jobs; as JSON when unset.
            decoder: Option<Slot<dyn Decoder>>,
            /// Reads downloads; as JSON when unset.
            download_decoder: Option<Slot<dyn Decoder>>,
        }
    }
}

impl Component for yaml::AsyncRetriever {
    type Family = dyn Retriever;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Retriever>, BuildError> {
        let stream = &cx.stream;
        if self.download_target_requester.is_some() && self.download_target_extractor.is_none() {
            let message =
                "`download_target_extractor` required if using a `download_target_requester`";
            return Err(BuildError::in_span(self.span, message));
        }
        let requesters = [
            ("creation_requester", Some(&self.creation_requester)),
            ("polling_requester", Some(&self.polling_requester)),
            ("download_requester", Some(&self.download_requester)),
            ("download_target_requester", self.download_target_requester.as_ref()),
            ("abort_requester", self.abort_requester.as_ref()),
            ("delete_requester", self.delete_requester.as_ref()),
        ];
        for (field, slot) in requesters {
            let what = format!("`{field}` of the AsyncRetriever of stream {}", stream.name);
            slot.map_or(Ok(()), |slot| refuse_paging_actions(slot.node(), &what))?;
        }
        let scope = |name: String, purpose| {
            let is_parent = stream.is_parent;
            cx.for_stream(StreamScope { name, is_parent, purpose, ..StreamScope::default() })
        };
        let own_scope = || scope(stream.name.clone(), stream.purpose);
        let requester = |role: &str, purpose, slot: &Slot<dyn Requester>| {
            slot.build(&scope(format!("job {role} - {}", stream.name), purpose))
        };
        let optional = |role: &str, purpose, slot: &Option<Slot<dyn Requester>>| {
            slot.as_ref().map(|slot| requester(role, purpose, slot)).transpose()
        };
        let extractor =
            |slot: &Slot<dyn RecordExtractor, ElementExtractor>| slot.build(&own_scope());
        let decoder = |slot: Option<Slot<dyn Decoder>>| {
            slot.unwrap_or_else(|| Slot::of_type("JsonDecoder")).build(cx)
        };
        let number = |written: Option<IntOrTemplate>| {
            written.map(|written| whole_number(&written, cx)).transpose()
        };
        let timeout = number(self.polling_job_timeout)?.filter(|minutes| *minutes != 0);
        let is_test_read = cx.environment.is_test_read();
        let limits = Limits {
            timeout_minutes: timeout.unwrap_or(if is_test_read { 15 } else { 60 }),
            max_attempts: if is_test_read { 1 } else { 3 },
            retry_wait_seconds: number(self.failed_retry_wait_time_in_seconds.map(Into::into))?,
        };
        let download_extractor = self.download_extractor.unwrap_or_else(whole_elements);
        let download = SimpleRetriever::plain(
            requester("download", stream.purpose, &self.download_requester)?,
            download_extractor.build(&own_scope())?,
            decoder(self.download_decoder)?,
            self.download_paginator,
            &own_scope(),
        )?;
        let creation = Purpose::JobCreation { timeout: limits.timeout_minutes };
        let api = JobApi {
            stream: stream.name.clone(),
            creation: requester("creation", creation, &self.creation_requester)?,
            polling: requester("polling", Purpose::JobPoll, &self.polling_requester)?,
            targets: optional("extract_url", Purpose::Other, &self.download_target_requester)?,
            abort: optional("abort", Purpose::JobAbort, &self.abort_requester)?,
            delete: optional("delete", Purpose::JobRemoval, &self.delete_requester)?,
            decoder: decoder(self.decoder)?,
            status: extractor(&self.status_extractor)?,
            statuses: self.status_mapping.statuses()?,
            target: self.download_target_extractor.as_ref().map(extractor).transpose()?,
        };
        let selector = self.record_selector.build(cx)?;
        let extractors = [Some(&api.status), api.target.as_ref()].into_iter().flatten();
        for extractor in extractors.map(|it| &**it).chain([selector.extractor()]) {
            check_decoder(extractor, &*api.decoder)?;
        }
        Ok(Arc::new(AsyncRetriever {
            selector,
            schedule: Schedule::new(api, limits, cx),
            download,
            max_slices: cx.environment.test_limits.map_or(usize::MAX, |limits| limits.slices),
            prepared: Mutex::default(),
        }))
    }
}

/// A `DpathExtractor` of the empty path.
fn whole_elements() -> Slot<dyn RecordExtractor> {
    let field = |key: &str, value: NodeValue| (Key::new(key, None), Node::from(value));
    let fields = [
        field("type", NodeValue::Str("DpathExtractor".into())),
        field("field_path", NodeValue::Seq(Arc::default())),
    ];
    Slot::new(NodeValue::Map(fields.into_iter().collect()).into())
}

fn whole_number(written: &IntOrTemplate, cx: &BuildContext<'_>) -> Result<i64, BuildError> {
    let text = match written {
        IntOrTemplate::Int(number) => return Ok(*number),
        IntOrTemplate::Template(text) => text,
    };
    let value = InterpolatedString::new(text, Arc::default())
        .eval_json(&cx.scope(&cx.config.snapshot()))?;
    python_int(&value)
        .ok_or_else(|| BuildError::in_span(text.span, format!("`{}` is not a number", text.source)))
}

/// See the module documentation.
struct AsyncRetriever {
    selector: Arc<dyn RecordSelector>,
    schedule: Schedule,
    download: SimpleRetriever,
    /// How many slices become jobs at most.
    max_slices: usize,
    /// Complete jobs by the name that their slices have for them.
    prepared: Mutex<HashMap<String, PreparedJob>>,
}

impl Retriever for AsyncRetriever {
    fn slices<'a>(
        &'a self,
        cursor: &'a dyn Cursor,
    ) -> BoxStream<'a, Result<StreamSlice, ReadError>> {
        generate(|yielder| async move {
            let slices = cursor.slices().take(self.max_slices).boxed();
            let mut jobs = self.schedule.run(slices);
            while let Some(job) = jobs.next_complete().await? {
                let slice = StreamSlice {
                    extra_fields: [(JOBS.to_owned(), json!([job.name]))].into_iter().collect(),
                    ..job.slice.clone()
                };
                self.prepared().insert(job.name.clone(), job);
                yielder.give(slice).await;
            }
            Ok(())
        })
    }

    fn descriptor(&self, slice: &StreamSlice) -> Json {
        Json::Object(slice.cursor_slice.clone())
    }

    fn read<'a>(
        &'a self,
        slice: &'a StreamSlice,
        sink: &'a mut dyn RecordSink,
    ) -> BoxFuture<'a, Result<(), ReadError>> {
        async move {
            self.selector.prepare().await?;
            let job = self.job_of(slice)?;
            let api = self.schedule.api();
            let mut sink = Refining::new(&*self.selector, slice, sink);
            for target in api.download_targets(&job).await? {
                let slice = job.download_slice(target);
                self.download.read(&slice, &mut sink).await?;
                if sink.is_stopped() {
                    return Ok(());
                }
            }
            api.delete(&job).await
        }
        .boxed()
    }
}

impl AsyncRetriever {
    fn job_of(&self, slice: &StreamSlice) -> Result<PreparedJob, ReadError> {
        let name = slice.extra_fields.get(JOBS).and_then(|jobs| jobs.get(0)).and_then(Json::as_str);
        name.and_then(|name| self.prepared().remove(name)).ok_or_else(|| {
            let message = "Invalid state within AsyncJobRetriever. Please contact Airbyte Support";
            let internal = "a slice without a job";
            ReadError::traced(TracedError::system(message).with_internal(internal))
        })
    }

    fn prepared(&self) -> std::sync::MutexGuard<'_, HashMap<String, PreparedJob>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::TryStreamExt;

    use super::*;
    use crate::components::full_refresh::FullRefresh;
    use crate::components::testing::{Collected, World};

    fn retriever() -> Json {
        let requester = |url: &str| json!({"type": "HttpRequester", "url": url});
        let extractor = |key: &str| json!({"type": "DpathExtractor", "field_path": [key]});
        json!({
            "type": "AsyncRetriever",
            "record_selector": {"type": "RecordSelector", "extractor": extractor(""),
                "record_filter": {"type": "RecordFilter", "condition": "{{ record.id != 2 }}"}},
            "status_mapping": {"type": "AsyncJobStatusMap", "running": ["run"], "completed": ["done"],
                "failed": ["bad"], "timeout": [], "skipped": ["none"]},
            "status_extractor": extractor("state"),
            "download_target_extractor": extractor("urls"),
            "creation_requester": requester("http://h/create"),
            "polling_requester": requester("http://h/poll/{{ creation_response.id }}"),
            "download_requester": requester("{{ download_target }}"),
            "delete_requester": requester("http://h/delete/{{ creation_response.id }}"),
        })
    }

    /// Reads with an API whose job has these states, one after the other.
    async fn read(states: &'static [&'static str]) -> (Vec<Json>, Result<(), String>) {
        let n_polls = AtomicU32::new(0);
        let world = World::with_api(&json!({}), move |url| match url {
            "http://h/create" => (200, json!({"id": 7})),
            "http://h/poll/7" => {
                let poll = n_polls.fetch_add(1, Ordering::Relaxed) as usize;
                let urls = json!(["http://h/a", "http://h/b"]);
                (200, json!({"state": states[poll.min(states.len() - 1)], "urls": urls}))
            }
            "http://h/a" => (200, json!([{"id": 1}, {"id": 2}])),
            "http://h/b" => (200, json!([{"id": 3}])),
            "http://h/delete/7" => (200, json!({})),
            other => panic!("{other} is asked for"),
        });
        let retriever = world.build::<dyn Retriever>(&retriever()).unwrap();
        let cursor = FullRefresh::new(None, world.cx().environment.run.clone());
        let mut collected = Collected::new();
        let mut slices = retriever.slices(&cursor);
        let read = async {
            while let Some(slice) = slices.try_next().await? {
                retriever.read(&slice, &mut collected).await?;
            }
            Ok::<_, ReadError>(())
        };
        let ended = read.await.map_err(|err| err.to_string());
        (collected.records, ended)
    }

    #[tokio::test]
    async fn records_are_downloaded_when_their_job_is_complete() {
        let (records, ended) = read(&["run", "run", "done"]).await;
        assert_eq!((records, ended), (vec![json!({"id": 1}), json!({"id": 3})], Ok(())));
    }

    #[tokio::test]
    async fn a_job_that_fails_is_started_anew() {
        assert_eq!(read(&["bad", "bad", "done"]).await.0.len(), 2);
    }

    #[tokio::test]
    async fn a_job_that_fails_too_often_fails_the_stream() {
        let (records, ended) = read(&["bad"]).await;
        let message = "One or more async jobs failed after exhausting all retry attempts.";
        assert_eq!((records, ended), (Vec::new(), Err(message.to_owned())));
    }

    #[tokio::test]
    async fn a_job_may_have_no_records() {
        assert_eq!(read(&["none"]).await, (Vec::new(), Ok(())));
    }
}
