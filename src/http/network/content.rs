//! Undoes the compression that a response's `Content-Encoding` names.

use bytes::Bytes;
use flate2::{Decompress, DecompressError, FlushDecompress, Status};

/// Decompresses a body piece by piece, as leniently as `urllib3`: a body that
/// ends early is simply short, and what follows the end is ignored.
#[derive(Debug, Default)]
pub(super) struct ContentDecoder {
    /// The name of the encoding, for error messages.
    encoding: String,
    /// In the order in which they are undone.
    codings: Vec<Coding>,
}

#[derive(Debug)]
enum Coding {
    /// One member after another; what is no member ends those after the first.
    Gzip { stream: Decompress, is_first: bool },
    /// With a header or without one.
    Deflate(Decompress),
    /// Deflated, its first byte still waiting for the second: together they tell of the header.
    Undecided(Option<u8>),
    /// All that comes is ignored.
    Ended,
}

/// Encodings that one body may have; each can make a thousand bytes of one.
const MAX_CODINGS: usize = 2;

impl ContentDecoder {
    /// A decoder for the value of a `Content-Encoding` header.
    ///
    /// Encodings that were not asked for are left as they are.
    pub(super) fn new(encoding: &str) -> Self {
        let coding = |name: &str| match name.trim() {
            "gzip" | "x-gzip" => Some(Coding::gzip(true)),
            "deflate" => Some(Coding::Undecided(None)),
            _ => None,
        };
        let encoding = encoding.to_ascii_lowercase();
        let codings = encoding.split(',').rev().filter_map(coding).collect();
        Self { encoding, codings }
    }

    /// Whether bytes go through as they are.
    pub(super) fn is_identity(&self) -> bool {
        self.codings.is_empty()
    }

    /// How many bytes may be given at once, so that what comes of them finds room.
    pub(super) fn piece_len(&self) -> usize {
        if self.codings.len() > 1 { 16 } else { 8 << 10 }
    }

    /// The next decompressed bytes.
    pub(super) fn decode(&mut self, bytes: Bytes) -> Result<Bytes, String> {
        let n_codings = self.codings.len();
        if n_codings > MAX_CODINGS {
            return Err(format!(
                "Too many content encodings in the chain: {n_codings} > {MAX_CODINGS}"
            ));
        }
        self.codings.iter_mut().try_fold(bytes, |bytes, coding| {
            let mut decoded = Vec::with_capacity(4 * bytes.len());
            coding.decode(&bytes, &mut decoded).map_err(|error| {
                format!(
                    "('Received response with content-encoding: {}, but failed to decode it.', \
                     error('Error -3 while decompressing data: {}'))",
                    self.encoding,
                    error.message().unwrap_or("invalid data")
                )
            })?;
            Ok(decoded.into())
        })
    }
}

impl Coding {
    fn gzip(is_first: bool) -> Self {
        Self::Gzip { stream: Decompress::new_gzip(15), is_first }
    }

    fn decode(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecompressError> {
        while !bytes.is_empty() {
            match self {
                Self::Gzip { stream, is_first } => match inflate(stream, &mut bytes, out) {
                    Ok(true) => *self = Self::gzip(false),
                    Ok(false) => {}
                    Err(error) if *is_first => return Err(error),
                    Err(_) => *self = Self::Ended,
                },
                Self::Deflate(stream) => {
                    if inflate(stream, &mut bytes, out)? {
                        *self = Self::Ended;
                    }
                }
                Self::Undecided(None) => {
                    *self = Self::Undecided(Some(bytes[0]));
                    bytes = &bytes[1..];
                }
                Self::Undecided(Some(first)) => {
                    let start = [*first, bytes[0]];
                    let has_header =
                        start[0] & 0x0f == 8 && u16::from_be_bytes(start).is_multiple_of(31);
                    *self = Self::Deflate(Decompress::new(has_header));
                    self.decode(&start[..1], out)?;
                }
                Self::Ended => break,
            }
        }
        Ok(())
    }
}

/// Decompresses as much of `bytes` as there is, and says whether the stream has ended.
fn inflate(
    stream: &mut Decompress,
    bytes: &mut &[u8],
    out: &mut Vec<u8>,
) -> Result<bool, DecompressError> {
    loop {
        out.reserve(1024);
        let n_before = stream.total_in();
        let status = stream.decompress_vec(bytes, out, FlushDecompress::None)?;
        let n_taken = usize::try_from(stream.total_in() - n_before).unwrap_or(bytes.len());
        *bytes = &bytes[n_taken..];
        if status == Status::StreamEnd {
            return Ok(true);
        }
        // With room left, there is nothing more to come out.
        if out.len() < out.capacity() {
            *bytes = &[];
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(encoding: &str, body: &[u8], chunk_len: usize) -> Result<Vec<u8>, String> {
        let mut decoder = ContentDecoder::new(encoding);
        let chunks = body.chunks(chunk_len.max(1));
        let decoded: Result<Vec<_>, _> =
            chunks.map(|chunk| decoder.decode(Bytes::copy_from_slice(chunk))).collect();
        Ok(decoded?.concat())
    }

    #[track_caller]
    fn check(encoding: &str, body: &[u8], expect: &[u8]) {
        for chunk_len in [1, 2, 7, body.len()] {
            assert_eq!(decode(encoding, body, chunk_len).as_deref(), Ok(expect), "{chunk_len}");
        }
    }

    #[test]
    fn encodings_are_undone() {
        check("gzip", &gzip(b"hello"), b"hello");
        check("X-GZIP", &gzip(b"hello"), b"hello");
        check("deflate", &zlib(b"hello"), b"hello");
        check("deflate", &deflate(b"hello"), b"hello");
        check("deflate, gzip", &gzip(&zlib(b"hello")), b"hello");
        check("gzip", b"", b"");
    }

    #[test]
    fn what_was_not_asked_for_is_left_alone() {
        check("br", b"hello", b"hello");
        check("identity", b"hello", b"hello");
        check("br, gzip", &gzip(b"hello"), b"hello");
        assert!(ContentDecoder::new("br").is_identity());
    }

    #[test]
    fn a_chain_of_encodings_is_undone_piece_by_piece() {
        let mut decoder = ContentDecoder::new("gzip, gzip");
        let bomb = gzip(&gzip(&vec![0; 64 << 20]));
        let piece = Bytes::copy_from_slice(&bomb[..decoder.piece_len().min(bomb.len())]);
        assert!(decoder.decode(piece).unwrap().len() <= 32 << 20);
        let error = decode("gzip, gzip, gzip", &bomb, 1000).unwrap_err();
        assert_eq!(error, "Too many content encodings in the chain: 3 > 2");
    }

    #[test]
    fn members_are_joined_and_garbage_is_ignored() {
        check("gzip", &[gzip(b"hello "), gzip(b"world")].concat(), b"hello world");
        check("gzip", &[gzip(b"hello"), b"garbage".to_vec()].concat(), b"hello");
        check("deflate", &[zlib(b"hello"), b"garbage".to_vec()].concat(), b"hello");
    }

    #[test]
    fn a_body_that_ends_early_is_short() {
        let body = gzip(&[b'a'; 100]);
        let decoded = decode("gzip", &body[..body.len() - 8], 1000).unwrap();
        assert!(decoded.iter().all(|&byte| byte == b'a'));
    }

    #[test]
    fn what_is_not_compressed_is_an_error() {
        let error = decode("gzip", b"plain text, not compressed", 1000).unwrap_err();
        let expect = "('Received response with content-encoding: gzip, but failed to decode it.', \
                      error('Error -3 while decompressing data: incorrect header check'))";
        assert_eq!(error, expect);
    }

    proptest! {
        #[test]
        fn chunking_changes_nothing(text in prop::collection::vec(any::<u8>(), 0..2000), chunk_len in 1_usize..500) {
            prop_assert_eq!(decode("gzip", &gzip(&text), chunk_len), Ok(text.clone()));
            prop_assert_eq!(decode("deflate", &zlib(&text), chunk_len), Ok(text));
        }
    }
}
