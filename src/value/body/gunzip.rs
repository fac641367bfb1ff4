//! Decompression of bodies that may be compressed with gzip, or may not.

use flate2::{Decompress, DecompressError, FlushDecompress, Status};

/// Handed on at a time: a small piece may become a huge text, and each time the last 32 KiB are
/// copied for what refers to them.
const OUT_LEN: usize = 128 * 1024;

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Decompresses a body that comes in pieces; one that does not begin as gzip
/// does is passed on as it is.
#[derive(Debug)]
pub struct Gunzip {
    state: State,
    /// What was decompressed, to be handed on.
    out: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// Fewer bytes than tell what it is.
    Start(Vec<u8>),
    Plain,
    Member(Decompress),
    /// Behind a member: another one, or zeros to fill a block.
    BetweenMembers,
}

/// Why a body cannot be decompressed.
#[derive(Debug, thiserror::Error)]
pub enum GunzipError {
    /// It breaks off.
    #[error("Compressed file ended before the end-of-stream marker was reached")]
    Incomplete,
    /// Something follows that is not gzip.
    #[error("Not a gzipped file")]
    NotGzip,
    /// It is damaged.
    #[error("Error while decompressing data: {0}")]
    Damaged(#[from] DecompressError),
}

impl GunzipError {
    /// The Python exception that the reference raises here.
    pub fn class_name(&self) -> &'static str {
        match self {
            Self::Incomplete => "EOFError",
            Self::NotGzip => "BadGzipFile",
            Self::Damaged(_) => "error",
        }
    }
}

impl Default for Gunzip {
    fn default() -> Self {
        Self { state: State::Start(Vec::new()), out: Vec::new() }
    }
}

impl Gunzip {
    /// Takes the next bytes, and gives what they decompress to in pieces to `on_bytes`.
    pub fn feed<E: From<GunzipError>>(
        &mut self,
        bytes: &[u8],
        on_bytes: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if let State::Start(start) = &mut self.state {
            start.extend_from_slice(bytes);
            if start.len() < MAGIC.len() {
                return Ok(());
            }
            let start = std::mem::take(start);
            self.state = if start.starts_with(&MAGIC) { State::member() } else { State::Plain };
            return self.feed(&start, on_bytes);
        }
        if let State::Plain = self.state {
            return on_bytes(bytes);
        }
        self.decompress(bytes, on_bytes)
    }

    /// Ends the body.
    pub fn finish<E: From<GunzipError>>(
        &mut self,
        on_bytes: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        match std::mem::replace(&mut self.state, State::Plain) {
            State::Start(start) if !start.is_empty() => on_bytes(&start),
            State::Member(_) => Err(GunzipError::Incomplete.into()),
            State::Start(_) | State::Plain | State::BetweenMembers => Ok(()),
        }
    }

    fn decompress<E: From<GunzipError>>(
        &mut self,
        bytes: &[u8],
        on_bytes: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.out.reserve_exact(OUT_LEN);
        let mut rest = bytes;
        // There may be more to come out when nothing is left to go in.
        let mut is_full = false;
        while let Some(&byte) = rest.first().or(is_full.then_some(&0)) {
            let State::Member(member) = &mut self.state else {
                match byte {
                    0 => rest = &rest[1..],
                    _ if byte == MAGIC[0] => self.state = State::member(),
                    _ => return Err(GunzipError::NotGzip.into()),
                }
                continue;
            };
            let n_before = member.total_in();
            let status = member.decompress_vec(rest, &mut self.out, FlushDecompress::None);
            let n_taken = usize::try_from(member.total_in() - n_before).unwrap_or(rest.len());
            rest = &rest[n_taken..];
            let is_end = matches!(status, Ok(Status::StreamEnd));
            is_full = !is_end && self.out.len() == self.out.capacity();
            // What came out before the damage is good.
            on_bytes(&self.out)?;
            self.out.clear();
            status.map_err(GunzipError::from)?;
            if is_end {
                self.state = State::BetweenMembers;
            }
        }
        Ok(())
    }
}

impl State {
    fn member() -> Self {
        Self::Member(Decompress::new_gzip(15))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn gunzip(bytes: &[u8], piece_len: usize) -> Result<Vec<u8>, GunzipError> {
        let mut out = Vec::new();
        let mut on_bytes = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok::<_, GunzipError>(())
        };
        let mut gunzip = Gunzip::default();
        for piece in bytes.chunks(piece_len) {
            gunzip.feed(piece, &mut on_bytes)?;
        }
        gunzip.finish(&mut on_bytes)?;
        Ok(out)
    }

    #[track_caller]
    fn check(bytes: &[u8], expect: Result<&[u8], &str>) {
        for piece_len in [1, 7, 1000] {
            let result = gunzip(bytes, piece_len).map_err(|err| err.to_string());
            assert_eq!(result.as_deref().map_err(String::as_str), expect, "pieces of {piece_len}");
        }
    }

    #[test]
    fn members_follow_one_another() {
        let text = b"some text, some text, some text".repeat(100);
        check(&gzip(&text), Ok(&text));
        check(&[gzip(b"a"), gzip(b""), gzip(b"b")].concat(), Ok(b"ab"));
        check(&[gzip(b"a"), vec![0; 5], gzip(b"b"), vec![0; 3]].concat(), Ok(b"ab"));
    }

    #[test]
    fn what_is_not_compressed_passes() {
        check(b"plain", Ok(b"plain"));
        check(b"\x1f", Ok(b"\x1f"));
        check(b"", Ok(b""));
    }

    #[test]
    fn damage_is_an_error() {
        let text = gzip(b"some text");
        let cut = &text[..text.len() - 3];
        check(cut, Err("Compressed file ended before the end-of-stream marker was reached"));
        check(&[&text[..], b"x"].concat(), Err("Not a gzipped file"));
        let mut damaged = text.clone();
        damaged[text.len() - 8] ^= 1;
        let message = "deflate decompression error: incorrect data check";
        check(&damaged, Err(&format!("Error while decompressing data: {message}")));
    }

    #[test]
    fn a_bomb_comes_in_pieces() {
        let bomb = gzip(&vec![0; 64 << 20]);
        let mut largest = 0;
        let mut on_bytes = |piece: &[u8]| {
            largest = largest.max(piece.len());
            Ok::<_, GunzipError>(())
        };
        Gunzip::default().feed(&bomb, &mut on_bytes).unwrap();
        assert!(largest <= 16 << 20, "{largest}");
    }
}
