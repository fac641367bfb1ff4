//! Finding the bytes of a text that JSON treats specially, eight at a time.

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The number of bytes before the first quote, backslash or control character.
pub(super) fn plain_prefix_len(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    for (word_idx, word) in words.iter().enumerate() {
        let marks = special_bytes(u64::from_le_bytes(*word));
        if marks != 0 {
            return word_idx * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let plain_tail = tail.iter().take_while(|&&byte| is_plain(byte)).count();
    words.len() * 8 + plain_tail
}

/// Sets the high bit of the first special byte; bytes behind it may be marked by mistake.
fn special_bytes(word: u64) -> u64 {
    // A byte below `n` borrows into its high bit, which `!word` keeps to ASCII bytes.
    let below = |word: u64, n: u64| word.wrapping_sub(LOW_BITS * n) & !word;
    let equal = |byte: u8| below(word ^ (LOW_BITS * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGH_BITS
}

fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_are_searched_as_single_bytes_are(
            bytes in prop::collection::vec(prop_oneof![9 => 0x20_u8..=255, 1 => 0_u8..=255], 0..40),
        ) {
            let expect = bytes.iter().position(|&b| !is_plain(b)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_prefix_len(&bytes), expect);
        }
    }
}
