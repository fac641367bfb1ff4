//! One page: from the bytes of a response to its records.

use std::ops::ControlFlow;

use crate::components::{
    Cursor, Decoder, Extraction, PageRecords, ReadError, RecordSelector, RecordSink, ResponseNeeds,
};
use crate::http::{Body, Headers};
use crate::value::{Json, Map, StreamSlice};

/// Why the reading of a page does not just go on.
#[derive(Debug)]
pub(super) enum Interruption {
    /// It failed.
    Failed(ReadError),
    /// Nobody wants more records.
    Stopped,
    /// The slice has to be read from its first page again.
    Reset,
    /// The page has to be asked for with fewer records; with the API's reason.
    Reduce(String),
    /// The window has to be split; with the API's reason.
    Split(String),
}

impl From<ReadError> for Interruption {
    fn from(err: ReadError) -> Self {
        Self::Failed(err)
    }
}

/// Where records go.
pub(super) struct Output<'a> {
    /// Who takes them.
    pub(super) sink: &'a mut dyn RecordSink,
    /// Drops those of a data feed that were read earlier.
    pub(super) feed_cursor: Option<&'a dyn Cursor>,
    /// The slice they belong to.
    pub(super) slice: &'a StreamSlice,
    /// How many have been given out.
    pub(super) n_given: usize,
}

impl Output<'_> {
    /// Gives records out.
    pub(super) async fn give(&mut self, mut records: Vec<Json>) -> Result<(), Interruption> {
        if let Some(cursor) = self.feed_cursor {
            let mut failure = None;
            records.retain(|record| {
                cursor.should_be_synced(self.slice, record).unwrap_or_else(|err| {
                    failure.get_or_insert(err);
                    false
                })
            });
            if let Some(err) = failure {
                return Err(err.into());
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        self.n_given += records.len();
        match self.sink.records(records).await? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Interruption::Stopped),
        }
    }
}

/// A page that was read.
#[derive(Debug, Default)]
pub(super) struct ReadPage {
    /// The status; an error counts as no page.
    pub(super) status: u16,
    /// The headers.
    pub(super) headers: Headers,
    /// The first element of the body.
    pub(super) body: Json,
    /// The records that were not given out yet: all of them, or at least the last.
    pub(super) records: Vec<Json>,
    /// How many were given out already.
    pub(super) n_given: usize,
    /// How many there were before the filter.
    pub(super) n_extracted: usize,
    /// What ended the page before its end.
    pub(super) failure: Option<ReadError>,
}

/// What makes records of bytes.
#[derive(Clone, Copy)]
pub(super) struct PageParser<'a> {
    /// Makes elements of bytes.
    pub(super) decoder: &'a dyn Decoder,
    /// Makes records of elements.
    pub(super) selector: &'a dyn RecordSelector,
    /// Whether elements are looked at afterwards.
    pub(super) extraction: Extraction,
    /// The slice the page belongs to.
    pub(super) slice: &'a StreamSlice,
    /// The token of the page.
    pub(super) token: Option<&'a Json>,
}

impl PageParser<'_> {
    /// Reads a body. What was found before a failure is part of the page.
    pub(super) async fn parse(
        &self,
        mut body: Body,
        page: &mut ReadPage,
        output: &mut Output<'_>,
    ) -> Result<(), Interruption> {
        let is_streamed = self.decoder.is_streamed() && matches!(body, Body::Stream(_));
        let mut decode = self.decoder.begin(&page.headers);
        let mut elements = Vec::new();
        let mut found = PageRecords::default();
        while let Some(bytes) = body.next().await {
            let fed = match bytes {
                Ok(bytes) => decode.feed(&bytes, &mut elements),
                Err(err) => Err(err.into()),
            };
            if is_streamed {
                let selected = self.select(&mut elements, Extraction::Take, &mut found).await;
                elements.clear();
                // The last record stays: paginators look at it.
                if let Some(last) = found.records.pop() {
                    let records = std::mem::replace(&mut found.records, vec![last]);
                    page.n_given += records.len();
                    output.give(records).await?;
                }
                page.failure = selected.err();
            }
            if let Err(err) = fed {
                page.failure.get_or_insert(err);
            }
            if page.failure.is_some() {
                break;
            }
        }
        if page.failure.is_none() {
            page.failure = decode.finish(&mut elements).err();
        }
        let kept = match self.extraction {
            // Of several elements paginators see the first one only.
            Extraction::Copy if elements.len() > 1 => Some(elements[0].clone()),
            _ => None,
        };
        let mode = if kept.is_some() { Extraction::Take } else { self.extraction };
        if let Err(err) = self.select(&mut elements, mode, &mut found).await {
            page.failure.get_or_insert(err);
        }
        page.n_extracted = found.n_extracted;
        page.records = found.records;
        let first = kept.or_else(|| elements.into_iter().next()).filter(|_| !is_streamed);
        page.body = first.unwrap_or_else(|| Map::new().into());
        Ok(())
    }

    async fn select(
        &self,
        elements: &mut [Json],
        mode: Extraction,
        page: &mut PageRecords,
    ) -> Result<(), ReadError> {
        if elements.is_empty() {
            return Ok(());
        }
        self.selector.select(elements, mode, self.slice, self.token, page).await
    }
}

/// Whether records may be moved out of a body that is looked at afterwards, as `needs` says,
/// when they lie under `path`.
pub(super) fn extraction(needs: &ResponseNeeds, path: Option<&[String]>) -> Extraction {
    let touches = |needed: &Vec<String>| match path {
        Some(path) => needed.iter().zip(path).all(|(needed, key)| needed == key),
        None => true,
    };
    match needs {
        ResponseNeeds::Nothing => Extraction::Take,
        ResponseNeeds::Paths(paths) if !paths.iter().any(touches) => Extraction::Take,
        ResponseNeeds::Paths(_) | ResponseNeeds::Everything => Extraction::Copy,
    }
}

/// Merges `part` into `whole`, mapping by mapping; what is in both is the part's.
pub(super) fn merge_deep(whole: &mut Map, part: Map) {
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(Json::Object(whole)), Json::Object(part)) => merge_deep(whole, part),
            (_, value) => _ = whole.insert(key, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_moved_unless_the_rest_is_looked_at() {
        #[track_caller]
        fn check(needed: &[&str], path: Option<&[&str]>, expect: Extraction) {
            let owned = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect::<Vec<_>>();
            let needs = ResponseNeeds::Paths(vec![owned(needed)]);
            assert_eq!(extraction(&needs, path.map(owned).as_deref()), expect);
        }
        check(&["meta", "next"], Some(&["data"]), Extraction::Take);
        check(&["data", "next"], Some(&["data", "items"]), Extraction::Take);
        check(&["data"], Some(&["data", "items"]), Extraction::Copy);
        check(&["data", "items", "0"], Some(&["data", "items"]), Extraction::Copy);
        check(&["meta"], Some(&[]), Extraction::Copy);
        check(&["meta"], None, Extraction::Copy);
        assert_eq!(extraction(&ResponseNeeds::Nothing, None), Extraction::Take);
        assert_eq!(extraction(&ResponseNeeds::Everything, Some(&[])), Extraction::Copy);
    }

    #[test]
    fn parts_are_merged_mapping_by_mapping() {
        let mut whole = json!({"a": {"b": 1, "c": [1]}, "d": 1});
        let part = json!({"a": {"c": [2], "e": 3}, "d": {"f": 4}});
        merge_deep(whole.as_object_mut().unwrap(), part.as_object().unwrap().clone());
        assert_eq!(whole, json!({"a": {"b": 1, "c": [2], "e": 3}, "d": {"f": 4}}));
    }
}
