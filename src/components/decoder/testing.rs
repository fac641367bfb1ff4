//! How the tests of all decoders decode.

use crate::components::{Decode, Decoder, ReadError};
use crate::http::Headers;
use crate::value::Json;

/// Checks the elements of a body that comes in pieces of several sizes.
#[track_caller]
pub(super) fn check(decoder: &dyn Decoder, body: &[u8], expect: Json) {
    check_with(decoder, &[], body, expect);
}

/// Checks the elements of a body that was sent with `headers`.
#[track_caller]
pub(super) fn check_with(
    decoder: &dyn Decoder,
    headers: &[(&str, &str)],
    body: &[u8],
    expect: Json,
) {
    let headers: Headers = headers.iter().copied().collect();
    check_pieces(|| decoder.begin(&headers), body, expect);
}

/// Checks the elements of a body that comes out of an archive.
#[track_caller]
pub(super) fn check_unpacked(decoder: &dyn Decoder, body: &[u8], expect: Json) {
    check_pieces(|| decoder.begin_unpacked(), body, expect);
}

/// Checks the text of the error that a body ends with.
#[track_caller]
pub(super) fn check_error(decode: Box<dyn Decode>, body: &[u8], expect: &str) {
    let (_, result) = decode_in_pieces(decode, body, 1000);
    assert_eq!(result.unwrap_err().to_string(), expect);
}

/// The elements of a body, and how its decoding ended.
pub(super) fn decode_in_pieces(
    mut decode: Box<dyn Decode>,
    body: &[u8],
    piece_len: usize,
) -> (Vec<Json>, Result<(), ReadError>) {
    let mut elements = Vec::new();
    let mut result = Ok(());
    for piece in body.chunks(piece_len) {
        result = result.and_then(|()| decode.feed(piece, &mut elements));
    }
    result = result.and_then(|()| decode.finish(&mut elements));
    (elements, result)
}

#[track_caller]
fn check_pieces(begin: impl Fn() -> Box<dyn Decode>, body: &[u8], expect: Json) {
    let Json::Array(expect) = expect else { panic!("elements are a list") };
    for piece_len in [1, 2, 3, 7, 1000] {
        let (elements, result) = decode_in_pieces(begin(), body, piece_len);
        result.unwrap();
        assert_eq!(elements, expect, "in pieces of {piece_len}");
    }
}
