//! Lists that an API cuts off inside of records, and the rest of them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use tracing::warn;

use crate::components::{
    BuildContext, BuildError, Environment, PagewiseRetriever, PathTemplate, Purpose, ReadError,
    RecordSink, Retriever, Slot, StreamScope,
};
use crate::manifest::Node;
use crate::value::{Json, Map, Path, StreamSlice, is_truthy, python_repr};

/// The name of the stream that a whole list is read as.
const STREAM: &str = "record_expander_truncated_list";

/// Knows that a list was cut off, and perhaps how to get all of it.
pub(super) struct Truncation {
    /// Where the flag is that says so.
    indicator: PathTemplate,
    retriever: Option<Arc<dyn Retriever>>,
    /// Whether a list may come out too short because pages are limited.
    expects_shortfall: bool,
    has_warned: AtomicBool,
    environment: Arc<Environment>,
}

impl std::fmt::Debug for Truncation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Truncation").field("indicator", &self.indicator).finish_non_exhaustive()
    }
}

impl Truncation {
    pub(super) fn build(
        indicator: PathTemplate,
        retriever: Option<Slot<dyn Retriever, PagewiseRetriever>>,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let mut expects_shortfall = false;
        let retriever = retriever.map(|slot| {
            for option in ["partition_router", "pagination_reset"] {
                if slot.node().get(option).is_some_and(Node::is_truthy) {
                    let message =
                        format!("`{option}` is not supported on `truncated_list_retriever`.");
                    return Err(BuildError::at(slot.node(), message));
                }
            }
            let paginator = slot.node().get("paginator").and_then(|it| it.type_name());
            expects_shortfall =
                cx.environment.is_test_read() && paginator == Some("DefaultPaginator");
            slot.build(&cx.for_stream(StreamScope {
                name: STREAM.to_owned(),
                purpose: Purpose::NestedList,
                is_parent: cx.stream.is_parent,
                ..StreamScope::default()
            }))
        });
        Ok(Self {
            indicator,
            retriever: retriever.transpose()?,
            expects_shortfall,
            has_warned: AtomicBool::new(false),
            environment: Arc::clone(cx.environment),
        })
    }

    /// Whether the record says that its list was cut off.
    pub(super) fn is_truncated(&self, parent: &Map) -> Result<bool, ReadError> {
        Ok(self.indicator.path()?.get_in(parent)?.is_some_and(is_truthy))
    }

    /// The whole list of a record of which `n_embedded` items are there; empty when there is no
    /// way to get it.
    pub(super) async fn fetch(
        &self,
        path: &Path,
        parent: &Map,
        n_embedded: usize,
    ) -> Result<Vec<Json>, ReadError> {
        let Some(retriever) = &self.retriever else {
            self.warn_once(|indicator| {
                let total = match self.total_count(parent)? {
                    Some(total_count) => format!(" of {total_count} total"),
                    None => String::new(),
                };
                Ok(format!(
                    "The nested list at {path} is marked as truncated (the field at {indicator} is truthy) but no \
                     `truncated_list_retriever` is configured, so only the {n_embedded} embedded item(s){total} were \
                     expanded and the remaining items are not emitted. Configure `truncated_list_retriever` to fetch \
                     the complete list if the API provides an endpoint for it. This warning is emitted once per \
                     stream; other records may be truncated as well."
                ))
            })?;
            return Ok(Vec::new());
        };
        let parent_record = Json::Object(parent.clone());
        let partition = Map::from_iter([("parent_record".to_owned(), parent_record)]);
        let mut items = Items(Vec::new());
        retriever.read(&StreamSlice::of_partition(partition), &mut items).await?;
        let Items(items) = items;
        if let Some(total_count) = self.total_count(parent)?
            && !self.expects_shortfall
            && i64::try_from(items.len()).is_ok_and(|n_fetched| n_fetched < total_count)
        {
            let n_fetched = items.len();
            let fallback = match n_fetched {
                0 => " The embedded items were expanded as a fallback.",
                _ => "",
            };
            self.warn_once(|indicator| {
                Ok(format!(
                    "The `truncated_list_retriever` for the nested list at {path} returned {n_fetched} record(s) but \
                     the `total_count` field next to {indicator} reports {total_count}, so the fetched list is still \
                     incomplete.{fallback} Check that the retriever has a `paginator` configured and that its request \
                     matches the complete-list endpoint. This warning is emitted once per stream; other records may \
                     be affected as well."
                ))
            })?;
        }
        Ok(items)
    }

    fn warn_once(
        &self,
        message: impl FnOnce(&str) -> Result<String, ReadError>,
    ) -> Result<(), ReadError> {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            let indicator = python_repr(&Json::Array(self.indicator.segments()?));
            let message = message(&indicator)?;
            warn!(target: "airbyte", "{message}");
            self.environment.observer.warned(&message);
        }
        Ok(())
    }

    /// How long the whole list is, if the record says so beside the flag.
    fn total_count(&self, parent: &Map) -> Result<Option<i64>, ReadError> {
        let mut segments = self.indicator.segments()?;
        segments.pop();
        segments.push(Json::from("total_count"));
        Ok(Path::new(segments)?.get_in(parent)?.and_then(Json::as_i64))
    }
}

/// Collects the items that are fetched.
struct Items(Vec<Json>);

impl RecordSink for Items {
    fn records(&mut self, records: Vec<Json>) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        self.0.extend(records);
        async { Ok(ControlFlow::Continue(())) }.boxed()
    }
}
