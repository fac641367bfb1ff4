//! `ResponseToFileExtractor`: the rows of a CSV body of any size, as the library `pandas` of the
//! reference reads them.
//!
//! The reference keeps the body in a file; here rows come out while it still
//! arrives. It may be compressed. All values are text, and those that stand
//! for a missing value are null.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{self, BoxFuture};
use indexmap::IndexSet;
use tracing::info;

use crate::components::shape::shape;
use crate::components::transport::{Gunzipped, as_sent};
use crate::components::{
    BuildContext, BuildError, Component, Decode, Decoder, Extraction, ReadError, RecordExtractor,
};
use crate::http::{Headers, Limits};
use crate::value::body::{CharsetError, CsvRows, TextDecoder};
use crate::value::{Json, Map};

/// Texts that `pandas` takes for a missing value, besides the empty one.
const MISSING: [&str; 18] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Reads the rows of a large CSV body, which may be compressed.
        pub struct ResponseToFileExtractor {
            /// Whether texts such as `NA`, `null` and `NaN` are kept; else they are null, as empty
            /// cells always are.
            preserve_na_values: bool = false,
        }
    }
}

impl Component for yaml::ResponseToFileExtractor {
    type Family = dyn RecordExtractor;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn RecordExtractor>, BuildError> {
        let is_streamed = !cx.environment.is_test_read();
        Ok(Arc::new(ResponseToFileExtractor { keeps_na: self.preserve_na_values, is_streamed }))
    }
}

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
struct ResponseToFileExtractor {
    keeps_na: bool,
    is_streamed: bool,
}

impl RecordExtractor for ResponseToFileExtractor {
    fn extract<'a>(
        &'a self,
        elements: &'a mut [Json],
        mode: Extraction,
        records: &'a mut Vec<Json>,
    ) -> BoxFuture<'a, Result<usize, ReadError>> {
        match mode {
            Extraction::Take => records.extend(elements.iter_mut().map(Json::take)),
            Extraction::Copy => records.extend_from_slice(elements),
        }
        future::ready(Ok(elements.len())).boxed()
    }

    fn decoder(&self) -> Option<Arc<dyn Decoder>> {
        Some(Arc::new(*self))
    }
}

impl Decoder for ResponseToFileExtractor {
    fn begin(&self, headers: &Headers) -> Box<dyn Decode> {
        as_sent(headers, self.begin_unpacked())
    }

    fn begin_unpacked(&self) -> Box<dyn Decode> {
        Box::new(Gunzipped::new(Box::new(Table {
            text: TextDecoder::new("utf-8-sig"),
            rows: CsvRows::new(','),
            limits: Limits::default(),
            frame: Frame {
                names: None,
                n_index: None,
                n_rows: 0,
                n_missing: 0,
                keeps_na: self.keeps_na,
            },
        })))
    }

    fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    fn supports_pagination(&self) -> bool {
        false
    }
}

struct Table {
    text: Result<TextDecoder, CharsetError>,
    rows: CsvRows,
    limits: Limits,
    frame: Frame,
}

/// Turns rows into records.
struct Frame {
    /// The first row, once it came.
    names: Option<Vec<String>>,
    /// Cells at the start of each row that have no name: as many as the first row has too many.
    n_index: Option<usize>,
    n_rows: usize,
    /// Cells that the rows of this piece of the body lack.
    n_missing: usize,
    keeps_na: bool,
}

impl Decode for Table {
    fn feed(&mut self, bytes: &[u8], elements: &mut Vec<Json>) -> Result<(), ReadError> {
        let text = self.text.as_mut().map_err(|err| err.clone())?.feed(bytes)?;
        // Zeros have no place in a table; files have come with them.
        let text = if text.contains('\0') { text.replace('\0', "").into() } else { text };
        let mut result = Ok(());
        self.frame.n_missing = 0;
        self.rows.feed(&text, &mut |row| {
            if result.is_ok() {
                result = self.frame.add(row, elements);
            }
        });
        result.and_then(|()| Ok(self.limits.check_record(self.rows.n_held())?))
    }

    fn keep_within(&mut self, limits: &Limits) {
        self.limits = *limits;
    }

    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        self.text.as_mut().map_err(|err| err.clone())?.finish()?;
        if self.rows.is_in_quotes() {
            let row = self.frame.n_rows;
            return Err(tokenizing(&format!("EOF inside string starting at row {row}")));
        }
        let mut result = Ok(());
        self.rows.finish(&mut |row| result = self.frame.add(row, elements));
        if self.frame.names.is_none() {
            info!(target: "airbyte", "Empty data received. No columns to parse from file");
        }
        result
    }
}

fn tokenizing(problem: &str) -> ReadError {
    ReadError::unexpected("ParserError", format!("Error tokenizing data. C error: {problem}"))
}

impl Frame {
    fn add(&mut self, row: &mut Vec<String>, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        self.n_rows += 1;
        let is_blank = match row.as_slice() {
            [] => true,
            [only] => !only.is_empty() && only.trim().is_empty(),
            _ => false,
        };
        if is_blank {
            return Ok(());
        }
        let Some(names) = &self.names else {
            self.names = Some(unique_names(row));
            return Ok(());
        };
        let n_index = *self.n_index.get_or_insert(row.len().saturating_sub(names.len()));
        let n_expected = names.len() + n_index;
        if row.len() > n_expected {
            let (line, n_cells) = (self.n_rows, row.len());
            let problem = format!("Expected {n_expected} fields in line {line}, saw {n_cells}\n");
            return Err(tokenizing(&problem));
        }
        self.n_missing += n_expected - row.len();
        Limits::check_table(names.len(), self.n_missing)?;
        let is_missing =
            |cell: &String| cell.is_empty() || (!self.keeps_na && MISSING.contains(&cell.as_str()));
        let mut cells = row.drain(..).skip(n_index);
        let mut record = Map::with_capacity(names.len());
        for name in names {
            let cell = cells.next().filter(|cell| !is_missing(cell));
            record.insert(name.clone(), cell.map_or(Json::Null, Json::String));
        }
        elements.push(Json::Object(record));
        Ok(())
    }
}

/// Names for all columns: those without get one, and those that repeat a number.
fn unique_names(row: &mut Vec<String>) -> Vec<String> {
    for (column, name) in row.iter_mut().enumerate() {
        if name.is_empty() {
            *name = format!("Unnamed: {column}");
        }
    }
    let written: HashSet<&String> = row.iter().collect();
    let mut names: IndexSet<String> = IndexSet::with_capacity(row.len());
    // How often each name came, so that equal ones need not be counted anew.
    let mut n_equal: HashMap<&String, usize> = HashMap::new();
    for name in &*row {
        let mut unique = name.clone();
        let number = n_equal.entry(name).or_default();
        while names.contains(&unique) || (*number > 0 && written.contains(&unique)) {
            *number += 1;
            unique = format!("{name}.{number}");
        }
        names.insert(unique);
    }
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(keeps_na: bool, text: &str, piece_len: usize) -> Result<Vec<Json>, String> {
        let extractor = ResponseToFileExtractor { keeps_na, is_streamed: true };
        let mut decode = extractor.begin(&Headers::default());
        let mut elements = Vec::new();
        for piece in text.as_bytes().chunks(piece_len) {
            decode.feed(piece, &mut elements).map_err(|err| err.to_string())?;
        }
        decode.finish(&mut elements).map_err(|err| err.to_string())?;
        Ok(elements)
    }

    #[track_caller]
    fn check(keeps_na: bool, text: &str, expect: Json) {
        let Json::Array(expect) = expect else { panic!("records are a list") };
        for piece_len in [1, 3, 1000] {
            assert_eq!(read(keeps_na, text, piece_len), Ok(expect.clone()), "by {piece_len}");
        }
    }

    #[test]
    fn rows_are_records_of_text() {
        check(
            false,
            "\u{feff}a,b\n1,\"x, \"\"y\"\"\"\n2\n",
            json!([{"a": "1", "b": "x, \"y\""}, {"a": "2", "b": null}]),
        );
        check(false, "\n\na\n  \n\n1\n\0x", json!([{"a": "1"}, {"a": "x"}]));
        check(false, "a,b\n", json!([]));
        check(false, "", json!([]));
    }

    #[test]
    fn missing_values_are_null() {
        check(
            false,
            "a,b,c\nNA,null,\"\"\nna,N/A,NaN",
            json!([{"a": null, "b": null, "c": null}, {"a": "na", "b": null, "c": null}]),
        );
        check(true, "a,b,c\nNA,null,\"\"", json!([{"a": "NA", "b": "null", "c": null}]));
    }

    #[test]
    fn columns_get_unique_names() {
        check(
            false,
            "a,a,,a\n1,2,3,4",
            json!([{"a": "1", "a.1": "2", "Unnamed: 2": "3", "a.2": "4"}]),
        );
        check(false, "a,a.1,a\n1,2,3", json!([{"a": "1", "a.1": "2", "a.2": "3"}]));
    }

    #[test]
    fn cells_before_the_named_ones_are_left_out() {
        check(false, "a,b\n1,2,3\n4,5,6", json!([{"a": "2", "b": "3"}, {"a": "5", "b": "6"}]));
        check(false, "a,b\n1,2,\n", json!([{"a": "2", "b": null}]));
    }

    #[test]
    fn a_table_may_be_too_much() {
        let error = |limits: Limits, text: &str| {
            let extractor = ResponseToFileExtractor { keeps_na: false, is_streamed: true };
            let mut decode = extractor.begin(&Headers::default());
            decode.keep_within(&limits);
            let mut pieces = text.as_bytes().chunks(1 << 20);
            let result = pieces.try_for_each(|piece| decode.feed(piece, &mut Vec::new()));
            result.unwrap_err().to_string()
        };
        let narrow = Limits { max_record: 1000, ..Limits::default() };
        let expect = "a record is larger than 1000 bytes (--max-record)";
        assert_eq!(error(narrow, &format!("a,b\n1,\"{}", "x".repeat(2000))), expect);
        assert_eq!(error(narrow, &",".repeat(2000)), expect);
        let columns = format!("{}\n1\n", ",".repeat(1 << 16));
        let expect = "the table has more than 65536 columns";
        assert_eq!(error(Limits::default(), &columns), expect);
        let short = format!("{}\n{}", ",".repeat(10_000), "1\n".repeat(1000));
        let expect = "rows that follow one another lack more than 4194304 of their cells";
        assert_eq!(error(Limits::default(), &short), expect);
    }

    #[test]
    fn damaged_tables_are_errors() {
        let error = |text| read(false, text, 1000).unwrap_err();
        let tokenizing = "Error tokenizing data. C error:";
        assert_eq!(
            error("a\n1\n2,3"),
            format!("{tokenizing} Expected 1 fields in line 3, saw 2\n")
        );
        assert_eq!(error("a\n\"x"), format!("{tokenizing} EOF inside string starting at row 1"));
    }
}
