//! Rows of CSV text, as Python's `csv` module reads them.
//!
//! A line may end in any way, also within quotes, where it becomes `\n`. A
//! quote within a bare cell is text, and so is what follows a closing quote.

/// Finds the rows of a text that comes in pieces.
#[derive(Debug)]
pub struct CsvRows {
    delimiter: char,
    state: State,
    /// Whether the last character was a carriage return, which a line feed may complete.
    after_return: bool,
    cell: String,
    /// The complete cells of the row.
    row: Vec<String>,
    /// Bytes of the complete cells, with what each takes besides.
    row_len: usize,
    /// Cells of earlier rows that nobody took, to be filled again.
    spare: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    StartOfRow,
    StartOfCell,
    InCell,
    InQuotes,
    /// Behind a quote within quotes: the end of them, or the first of two.
    AfterQuote,
}

impl CsvRows {
    /// Rows of cells that `delimiter` parts.
    pub fn new(delimiter: char) -> Self {
        Self {
            delimiter,
            state: State::StartOfRow,
            after_return: false,
            cell: String::new(),
            row: Vec::new(),
            row_len: 0,
            spare: Vec::new(),
        }
    }

    /// Takes the next text, and gives the rows it completes to `on_row`; a
    /// blank line is a row without cells.
    pub fn feed(&mut self, text: &str, on_row: &mut dyn FnMut(&mut Vec<String>)) {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if std::mem::take(&mut self.after_return) && character == '\n' {
                rest = &rest[1..];
                continue;
            }
            let plain_len = self.plain_len(rest);
            if plain_len > 0 {
                let (plain, behind) = rest.split_at(plain_len);
                self.cell.push_str(plain);
                if self.state != State::InQuotes {
                    self.state = State::InCell;
                }
                rest = behind;
                continue;
            }
            rest = &rest[character.len_utf8()..];
            match (character, self.state) {
                ('\r' | '\n', state) => {
                    self.after_return = character == '\r';
                    match state {
                        State::InQuotes => self.cell.push('\n'),
                        _ => self.end_row(on_row),
                    }
                }
                ('"', State::StartOfRow | State::StartOfCell) => self.state = State::InQuotes,
                ('"', State::InQuotes) => self.state = State::AfterQuote,
                ('"', State::AfterQuote) => {
                    self.cell.push('"');
                    self.state = State::InQuotes;
                }
                (_, State::InQuotes) | ('"', State::InCell) => self.cell.push(character),
                _ => {
                    self.end_cell();
                    self.state = State::StartOfCell;
                }
            }
        }
    }

    /// Whether the text so far ends within quotes.
    pub fn is_in_quotes(&self) -> bool {
        self.state == State::InQuotes
    }

    /// Bytes of the row of which the end has not come.
    pub fn n_held(&self) -> usize {
        self.row_len + self.cell.len()
    }

    /// Ends the text, also within quotes.
    pub fn finish(&mut self, on_row: &mut dyn FnMut(&mut Vec<String>)) {
        if self.state != State::StartOfRow {
            self.end_row(on_row);
        }
    }

    /// The length of the text before the next character that may mean something.
    fn plain_len(&self, text: &str) -> usize {
        let mut delimiter = [0; 4];
        let delimiter = self.delimiter.encode_utf8(&mut delimiter).as_bytes();
        let mut from = 0;
        loop {
            let is_special =
                |&byte: &u8| matches!(byte, b'"' | b'\n' | b'\r') || byte == delimiter[0];
            let rest = &text.as_bytes()[from..];
            let Some(offset) = rest.iter().position(is_special) else { return text.len() };
            // Other characters may begin with the same byte as a delimiter beyond ASCII.
            if rest[offset].is_ascii() || rest[offset..].starts_with(delimiter) {
                return from + offset;
            }
            from += offset + 1;
        }
    }

    fn end_row(&mut self, on_row: &mut dyn FnMut(&mut Vec<String>)) {
        if self.state != State::StartOfRow {
            self.end_cell();
        }
        on_row(&mut self.row);
        self.row_len = 0;
        self.spare.extend(self.row.drain(..).map(|mut cell| {
            cell.clear();
            cell
        }));
        self.state = State::StartOfRow;
    }

    fn end_cell(&mut self) {
        self.row_len += self.cell.len() + size_of::<String>();
        let next = self.spare.pop().unwrap_or_default();
        self.row.push(std::mem::replace(&mut self.cell, next));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(delimiter: char, pieces: &[&str]) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        let mut on_row = |row: &mut Vec<String>| rows.push(std::mem::take(row));
        let mut csv = CsvRows::new(delimiter);
        for piece in pieces {
            csv.feed(piece, &mut on_row);
        }
        csv.finish(&mut on_row);
        rows
    }

    #[track_caller]
    fn check(text: &str, expect: &[&[&str]]) {
        assert_eq!(rows(',', &[text]), expect);
    }

    #[test]
    fn lines_end_in_any_way() {
        check("a,b\nc\r\nd\re", &[&["a", "b"], &["c"], &["d"], &["e"]]);
        check("a\n\n\r\nb\n", &[&["a"], &[], &[], &["b"]]);
        check("", &[]);
    }

    #[test]
    fn cells_may_be_empty() {
        check("a,,\n,\n", &[&["a", "", ""], &["", ""]]);
        check("a,", &[&["a", ""]]);
        check("\"\"\n", &[&[""]]);
    }

    #[test]
    fn quotes_hold_everything() {
        check("\"a,b\",\"c\nd\",\"e\r\nf\rg\"\n", &[&["a,b", "c\nd", "e\nf\ng"]]);
        check("\"say \"\"hi\"\"\"", &[&["say \"hi\""]]);
        check("\"open\nend", &[&["open\nend"]]);
    }

    #[test]
    fn stray_quotes_are_text() {
        check("a\"b\",c", &[&["a\"b\"", "c"]]);
        check("\"a\"b\"c\",d", &[&["ab\"c\"", "d"]]);
        check("\"a\" \n", &[&["a "]]);
    }

    #[test]
    fn delimiters_can_be_any_character() {
        assert_eq!(rows('§', &["a§¨§\"b§\"\n"]), [["a", "¨", "b§"]]);
        assert_eq!(rows('\t', &["a\tb,c"]), [["a", "b,c"]]);
    }

    proptest! {
        #[test]
        fn pieces_give_the_rows_of_the_whole(text in "[a,\"\r\n§]{0,30}", cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
            for delimiter in [',', '§'] {
                let mut cuts: Vec<_> =
                    cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
                cuts.sort_unstable();
                let starts = [0].iter().chain(&cuts);
                let ends = cuts.iter().chain(std::iter::once(&text.len())).copied().collect::<Vec<_>>();
                let pieces: Vec<_> = starts.zip(&ends).map(|(&start, &end)| &text[start..end]).collect();
                prop_assert_eq!(rows(delimiter, &pieces), rows(delimiter, &[&text]));
            }
        }
    }
}
