//! `CsvDecoder`: rows of cells, of which the first row gives the names.
//!
//! Every value is text, or null where a row has too few cells. What a row has
//! too many is a list under the name `null`, which is how the reference prints
//! Python's `None`.

use std::collections::HashSet;
use std::sync::Arc;

use crate::components::shape::shape;
use crate::components::transport::as_sent;
use crate::components::{
    BuildContext, BuildError, Component, Decode, DecodeTexts, Decoder, ElementTexts, ReadError,
};
use crate::http::{Headers, LimitError, Limits};
use crate::value::body::{CharsetError, CsvRows, TextDecoder};
use crate::value::{Json, Map, write_record_data, write_string};

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Reads comma-separated values; the first row gives the fields their names.
        pub struct CsvDecoder {
            /// The character set of the body.
            encoding: String = "utf-8".to_owned(),
            /// The character between two values; an escape such as `\t` is understood.
            delimiter: String = ",".to_owned(),
            /// Texts that stand for null.
            set_values_to_none: Option<Vec<String>>,
        }
    }
}

impl Component for yaml::CsvDecoder {
    type Family = dyn Decoder;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Decoder>, BuildError> {
        Ok(Arc::new(CsvDecoder {
            encoding: self.encoding,
            delimiter: delimiter(&self.delimiter),
            nulls: self.set_values_to_none.unwrap_or_default().into(),
            is_streamed: !cx.environment.is_test_read(),
        }))
    }
}

/// The character that is written, perhaps as an escape; `None` when there are several.
fn delimiter(written: &str) -> Option<char> {
    let hex = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    let mut characters = written.chars();
    match (characters.next(), characters.next()) {
        (None, _) => Some(','),
        (Some(only), None) => Some(only),
        (Some('\\'), Some(kind)) => match (kind, characters.as_str()) {
            ('x' | 'u' | 'U', digits) => hex(digits),
            ('t', "") => Some('\t'),
            ('n', "") => Some('\n'),
            ('r', "") => Some('\r'),
            ('a', "") => Some('\u{7}'),
            ('b', "") => Some('\u{8}'),
            ('v', "") => Some('\u{b}'),
            ('f', "") => Some('\u{c}'),
            ('0'..='7', _) => u32::from_str_radix(&written[1..], 8).ok().and_then(char::from_u32),
            ('\\' | '\'' | '"', "") => Some(kind),
            _ => None,
        },
        _ => None,
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct CsvDecoder {
    encoding: String,
    /// `None` when it is more than one character, which fails as late as in the reference.
    delimiter: Option<char>,
    nulls: Arc<[String]>,
    is_streamed: bool,
}

impl Default for CsvDecoder {
    /// As a manifest has it that names nothing.
    fn default() -> Self {
        Self {
            encoding: "utf-8".to_owned(),
            delimiter: Some(','),
            nulls: Arc::default(),
            is_streamed: true,
        }
    }
}

impl Decoder for CsvDecoder {
    fn begin(&self, headers: &Headers) -> Box<dyn Decode> {
        as_sent(headers, self.begin_unpacked())
    }

    fn begin_unpacked(&self) -> Box<dyn Decode> {
        Box::new(CsvBody {
            text: TextDecoder::new(&self.encoding),
            rows: self.delimiter.map(CsvRows::new),
            records: Records {
                names: None,
                printed_names: None,
                nulls: self.nulls.clone(),
                n_missing: 0,
                text: Vec::new(),
            },
            limits: Limits::default(),
        })
    }

    fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    fn supports_pagination(&self) -> bool {
        false
    }
}

struct CsvBody {
    text: Result<TextDecoder, CharsetError>,
    rows: Option<CsvRows>,
    records: Records,
    limits: Limits,
}

/// Turns rows into records.
struct Records {
    /// The first row, once it came.
    names: Option<Vec<String>>,
    /// The names as keys of an object, unless two are equal.
    printed_names: Option<Vec<Vec<u8>>>,
    nulls: Arc<[String]>,
    /// Cells that the rows of this piece of the body lack.
    n_missing: usize,
    /// The text of the last record that was printed.
    text: Vec<u8>,
}

impl Decode for CsvBody {
    fn feed(&mut self, bytes: &[u8], elements: &mut Vec<Json>) -> Result<(), ReadError> {
        let text = self.text.as_mut().map_err(|err| err.clone())?.feed(bytes)?;
        let rows = self.rows.as_mut().ok_or_else(no_delimiter)?;
        self.records.n_missing = 0;
        rows.feed(&text, &mut |row| self.records.add(row, elements));
        self.records.check()?;
        Ok(self.limits.check_record(rows.n_held())?)
    }

    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        let rest = self.text.as_mut().map_err(|err| err.clone())?.finish()?;
        let rows = self.rows.as_mut().ok_or_else(no_delimiter)?;
        rows.feed(&rest, &mut |row| self.records.add(row, elements));
        rows.finish(&mut |row| self.records.add(row, elements));
        Ok(())
    }

    fn keep_within(&mut self, limits: &Limits) {
        self.limits = *limits;
    }

    fn as_texts(&mut self) -> Option<&mut dyn DecodeTexts> {
        Some(self)
    }
}

impl DecodeTexts for CsvBody {
    fn feed(&mut self, bytes: &[u8], texts: &mut dyn ElementTexts) -> Result<(), ReadError> {
        let text = self.text.as_mut().map_err(|err| err.clone())?.feed(bytes)?;
        let rows = self.rows.as_mut().ok_or_else(no_delimiter)?;
        self.records.n_missing = 0;
        rows.feed(&text, &mut |row| self.records.print(row, texts));
        self.records.check()?;
        Ok(self.limits.check_record(rows.n_held())?)
    }

    fn finish(&mut self, texts: &mut dyn ElementTexts) -> Result<(), ReadError> {
        let rest = self.text.as_mut().map_err(|err| err.clone())?.finish()?;
        let rows = self.rows.as_mut().ok_or_else(no_delimiter)?;
        rows.feed(&rest, &mut |row| self.records.print(row, texts));
        rows.finish(&mut |row| self.records.print(row, texts));
        Ok(())
    }
}

fn no_delimiter() -> ReadError {
    ReadError::unexpected("TypeError", "\"delimiter\" must be a 1-character string")
}

impl Records {
    /// Whether the table is one that records should be made of.
    fn check(&self) -> Result<(), LimitError> {
        Limits::check_table(self.names.as_ref().map_or(0, Vec::len), self.n_missing)
    }

    fn add(&mut self, row: &mut Vec<String>, elements: &mut Vec<Json>) {
        let Some(names) = &self.names else {
            self.printed_names = printed(row);
            self.names = Some(std::mem::take(row));
            return;
        };
        self.n_missing += names.len().saturating_sub(row.len());
        if row.is_empty() || self.check().is_err() {
            return;
        }
        let is_null = |cell: &String| self.nulls.contains(cell);
        let mut cells = row.drain(..);
        let mut record = Map::with_capacity(names.len());
        for name in names {
            let cell = cells.next().filter(|cell| !is_null(cell));
            record.insert(name.clone(), cell.map_or(Json::Null, Json::String));
        }
        let surplus: Vec<Json> = cells.map(Json::String).collect();
        if !surplus.is_empty() {
            record.insert("null".to_owned(), Json::Array(surplus));
        }
        elements.push(Json::Object(record));
    }

    /// As [`Self::add`], without a value in between where each cell has one name.
    fn print(&mut self, row: &mut Vec<String>, texts: &mut dyn ElementTexts) {
        let names = self.printed_names.as_ref().filter(|names| names.len() >= row.len());
        let Some(names) = names.filter(|_| !row.is_empty()) else {
            let mut elements = Vec::new();
            self.add(row, &mut elements);
            for element in elements.iter().filter_map(Json::as_object) {
                self.text.clear();
                write_record_data(element, &mut self.text);
                texts.object(&self.text);
            }
            return;
        };
        self.text.clear();
        self.text.push(b'{');
        for (name, cell) in names.iter().zip(&*row) {
            if self.nulls.is_empty() || !self.nulls.contains(cell) {
                if self.text.len() > 1 {
                    self.text.push(b',');
                }
                self.text.extend_from_slice(name);
                write_string(cell, &mut self.text);
            }
        }
        self.text.push(b'}');
        texts.object(&self.text);
    }
}

/// The names with quotes and colons, if each is another.
fn printed(names: &[String]) -> Option<Vec<Vec<u8>>> {
    let are_different = names.iter().collect::<HashSet<_>>().len() == names.len();
    are_different.then(|| {
        let print = |name: &String| {
            let mut printed = Vec::new();
            write_string(name, &mut printed);
            printed.push(b':');
            printed
        };
        names.iter().map(print).collect()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_error, check_with, decode_in_pieces};
    use super::*;

    fn decoder(encoding: &str, written_delimiter: &str, nulls: &[&str]) -> CsvDecoder {
        CsvDecoder {
            encoding: encoding.to_owned(),
            delimiter: delimiter(written_delimiter),
            nulls: nulls.iter().map(|&null| null.to_owned()).collect(),
            is_streamed: true,
        }
    }

    #[track_caller]
    fn check_text(text: &str, expect: Json) {
        check(&decoder("utf-8", ",", &[]), text.as_bytes(), expect);
    }

    #[test]
    fn the_first_row_names_the_fields() {
        check_text(
            "id,name\n1,é\n\n2,\"a,\r\nb\"",
            json!([{"id": "1", "name": "é"}, {"id": "2", "name": "a,\nb"}]),
        );
        check_text("id,name\n", json!([]));
        check_text("", json!([]));
        check_text("\u{feff}id\n1", json!([{"\u{feff}id": "1"}]));
        check_text("a,b,a\n1,2,3", json!([{"a": "3", "b": "2"}]));
    }

    #[test]
    fn a_table_may_be_too_much() {
        let decode = || {
            let mut decode = CsvDecoder::default().begin(&Headers::default());
            decode.keep_within(&Limits { max_record: 1000, ..Limits::default() });
            decode
        };
        let cell = format!("a,b\n1,\"{}", "x".repeat(2000));
        check_error(decode(), cell.as_bytes(), "a record is larger than 1000 bytes (--max-record)");
        check_error(
            decode(),
            ",".repeat(2000).as_bytes(),
            "a record is larger than 1000 bytes (--max-record)",
        );
        let decode = || CsvDecoder::default().begin(&Headers::default());
        let columns = format!("{}\n", ",".repeat(1 << 16));
        let (_, result) = decode_in_pieces(decode(), columns.as_bytes(), 1 << 20);
        assert_eq!(result.unwrap_err().to_string(), "the table has more than 65536 columns");
        let short = format!("{}\n{}", ",".repeat(10_000), "1\n".repeat(1000));
        let (elements, result) = decode_in_pieces(decode(), short.as_bytes(), 1 << 20);
        let expect = "rows that follow one another lack more than 4194304 of their cells";
        assert_eq!(result.unwrap_err().to_string(), expect);
        assert!(elements.len() < 500);
    }

    #[test]
    fn rows_may_be_too_short_or_too_long() {
        check_text(
            "a,b\n1\n1,2,3,4",
            json!([{"a": "1", "b": null}, {"a": "1", "b": "2", "null": ["3", "4"]}]),
        );
        check_text("\na,b\n", json!([{"null": ["a", "b"]}]));
        check_text("a,b,a\n1,2", json!([{"a": null, "b": "2"}]));
    }

    #[test]
    fn texts_can_stand_for_null() {
        check(
            &decoder("utf-8", ",", &["", "NA"]),
            b"a,b,c\n,NA,na",
            json!([{"a": null, "b": null, "c": "na"}]),
        );
    }

    #[test]
    fn delimiters_may_be_escapes() {
        for (written, body) in
            [("\\t", "a\tb\n1\t2"), ("\\u00a7", "a§b\n1§2"), (";", "a;b\n1;2"), ("", "a,b\n1,2")]
        {
            check(&decoder("utf-8", written, &[]), body.as_bytes(), json!([{"a": "1", "b": "2"}]));
        }
    }

    #[test]
    fn other_character_sets_and_compressed_bodies_are_read() {
        check(&decoder("latin-1", ",", &[]), b"a\n\xe9", json!([{"a": "é"}]));
        let gzip = [("content-encoding", "gzip")];
        check_with(&decoder("utf-8", ",", &[]), &gzip, b"a\n1", json!([{"a": "1"}]));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let begin =
            |encoding, delimiter| decoder(encoding, delimiter, &[]).begin(&Headers::default());
        check_error(
            begin("utf-8", ","),
            b"a\n\xff",
            "'utf-8' codec can't decode the bytes at position 0",
        );
        check_error(begin("utf-8", "||"), b"a", "\"delimiter\" must be a 1-character string");
        check_error(begin("x", ","), b"a", "unknown encoding: x");
    }
}
