//! Bytes to text, in the character sets that Python knows by name.

use std::borrow::Cow;

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// Decodes a text that comes in pieces; a byte that is no text is an error.
#[derive(Debug)]
pub struct TextDecoder {
    name: String,
    charset: Charset,
    /// Whether a byte order mark at the start has to go.
    drops_mark: bool,
    /// The beginning of a character of which the rest has not come.
    carry: Vec<u8>,
    n_read: usize,
}

enum Charset {
    Utf8,
    Latin1,
    Ascii,
    Other(Decoder),
}

/// Why there is no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CharsetError {
    /// Nobody knows the character set.
    #[error("unknown encoding: {name}")]
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// The bytes are not of this character set.
    #[error("'{name}' codec can't decode the bytes at position {byte_idx}")]
    Malformed {
        /// The character set.
        name: String,
        /// About where, from 0.
        byte_idx: usize,
    },
}

impl CharsetError {
    /// The Python exception that the reference raises here.
    pub fn class_name(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "LookupError",
            Self::Malformed { .. } => "UnicodeDecodeError",
        }
    }
}

impl TextDecoder {
    /// A decoder for the character set that Python calls `name`.
    pub fn new(name: &str) -> Result<Self, CharsetError> {
        let label = name.trim().to_ascii_lowercase().replace('_', "-");
        let charset = match label.as_str() {
            "utf-8" | "utf8" | "utf-8-sig" | "u8" => Charset::Utf8,
            // Web browsers take these two for Windows-1252; Python does not.
            "iso-8859-1" | "iso8859-1" | "latin-1" | "latin1" | "l1" | "8859" => Charset::Latin1,
            "ascii" | "us-ascii" | "646" => Charset::Ascii,
            _ => {
                let encoding = Encoding::for_label(web_label(&label).as_bytes())
                    .ok_or_else(|| CharsetError::Unknown { name: name.to_owned() })?;
                Charset::Other(match label.as_str() {
                    "utf-16" => encoding.new_decoder(),
                    _ => encoding.new_decoder_without_bom_handling(),
                })
            }
        };
        let drops_mark = label == "utf-8-sig";
        Ok(Self { name: name.to_owned(), charset, drops_mark, carry: Vec::new(), n_read: 0 })
    }

    /// The text of the next bytes.
    pub fn feed<'b>(&mut self, bytes: &'b [u8]) -> Result<Cow<'b, str>, CharsetError> {
        let n_read = self.n_read;
        self.n_read += bytes.len();
        let text = match &mut self.charset {
            Charset::Utf8 => utf8(&mut self.carry, bytes),
            Charset::Latin1 => Some(bytes.iter().map(|&byte| char::from(byte)).collect()),
            Charset::Ascii if bytes.is_ascii() => {
                std::str::from_utf8(bytes).ok().map(Cow::Borrowed)
            }
            Charset::Ascii => None,
            Charset::Other(decoder) => other(decoder, bytes, false),
        };
        let mut text = text.ok_or_else(|| self.malformed(n_read))?;
        if self.drops_mark && !text.is_empty() {
            self.drops_mark = false;
            if text.starts_with('\u{feff}') {
                text = Cow::Owned(text['\u{feff}'.len_utf8()..].to_owned());
            }
        }
        Ok(text)
    }

    /// The text of what is left at the end.
    pub fn finish(&mut self) -> Result<String, CharsetError> {
        let text = match &mut self.charset {
            Charset::Other(decoder) => other(decoder, &[], true).map(Cow::into_owned),
            _ => self.carry.is_empty().then(String::new),
        };
        text.ok_or_else(|| self.malformed(self.n_read))
    }

    fn malformed(&self, byte_idx: usize) -> CharsetError {
        CharsetError::Malformed { name: self.name.clone(), byte_idx }
    }
}

/// The name that the Web gives to a character set of Python's.
fn web_label(label: &str) -> Cow<'_, str> {
    match label {
        "utf-16-le" => "utf-16le".into(),
        "utf-16-be" => "utf-16be".into(),
        "cp932" => "shift-jis".into(),
        "cp936" => "gbk".into(),
        "cp949" => "euc-kr".into(),
        "mac-roman" => "macintosh".into(),
        _ => match label.strip_prefix("cp125") {
            Some(digit) => format!("windows-125{digit}").into(),
            None => label.into(),
        },
    }
}

fn utf8<'b>(carry: &mut Vec<u8>, bytes: &'b [u8]) -> Option<Cow<'b, str>> {
    if !carry.is_empty() {
        carry.extend_from_slice(bytes);
        let joined = std::mem::take(carry);
        return utf8(carry, &joined).map(|text| Cow::Owned(text.into_owned()));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(Cow::Borrowed(text)),
        Err(err) if err.error_len().is_some() => None,
        Err(err) => {
            let (valid, rest) = bytes.split_at(err.valid_up_to());
            carry.extend_from_slice(rest);
            std::str::from_utf8(valid).ok().map(Cow::Borrowed)
        }
    }
}

fn other(decoder: &mut Decoder, bytes: &[u8], is_last: bool) -> Option<Cow<'static, str>> {
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len())?);
    let (result, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, is_last);
    matches!(result, DecoderResult::InputEmpty).then_some(Cow::Owned(text))
}

impl std::fmt::Debug for Charset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "Utf8",
            Self::Latin1 => "Latin1",
            Self::Ascii => "Ascii",
            Self::Other(decoder) => decoder.encoding().name(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes bytes that come whole and one by one.
    #[track_caller]
    fn check(name: &str, bytes: &[u8], expect: &str) {
        for piece_len in [1, 2, 3, 100] {
            let mut decoder = TextDecoder::new(name).unwrap();
            let mut text = String::new();
            for piece in bytes.chunks(piece_len) {
                text.push_str(&decoder.feed(piece).unwrap());
            }
            text.push_str(&decoder.finish().unwrap());
            assert_eq!(text, expect, "in pieces of {piece_len}");
        }
    }

    #[track_caller]
    fn check_error(name: &str, bytes: &[u8], class_name: &str, expect: &str) {
        let decode = || {
            let mut decoder = TextDecoder::new(name)?;
            decoder.feed(bytes)?;
            decoder.finish()
        };
        let error = decode().unwrap_err();
        assert_eq!((error.class_name(), error.to_string().as_str()), (class_name, expect));
    }

    #[test]
    fn text_is_decoded_in_pieces() {
        check("utf-8", "aé日😀".as_bytes(), "aé日😀");
        check("UTF_8", "\u{feff}a".as_bytes(), "\u{feff}a");
        check("utf-8-sig", "\u{feff}aé".as_bytes(), "aé");
        check("iso-8859-1", b"a\xe9\x80", "aé\u{80}");
        check("cp1252", b"\x80\xe9", "€é");
        check("ascii", b"abc", "abc");
        check("utf-16", b"\xff\xfea\x00\xe9\x00", "aé");
        check("utf-16-le", b"a\x00=\xd8\x00\xde", "a😀");
        check("shift_jis", b"\x93\xfa", "日");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let malformed = "UnicodeDecodeError";
        check_error(
            "utf-8",
            b"a\xff",
            malformed,
            "'utf-8' codec can't decode the bytes at position 0",
        );
        check_error(
            "utf-8",
            b"a\xc3",
            malformed,
            "'utf-8' codec can't decode the bytes at position 2",
        );
        check_error(
            "ascii",
            b"\xe9",
            malformed,
            "'ascii' codec can't decode the bytes at position 0",
        );
        check_error(
            "utf-16-le",
            b"a",
            malformed,
            "'utf-16-le' codec can't decode the bytes at position 1",
        );
        check_error("nonsense", b"", "LookupError", "unknown encoding: nonsense");
    }
}
