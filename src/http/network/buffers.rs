//! The buffer that a body was in, kept for the next body.
//!
//! Pages are mostly of one size, and one follows the other: a fresh buffer for each would have the
//! system hand out and clear the same memory again and again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// How large a buffer is that is worth keeping, in bytes. The allocator itself is quick with
/// smaller ones, and what is larger than most pages should not stay.
const WORTH_KEEPING: std::ops::RangeInclusive<usize> = 64 << 10..=1 << 20;

/// The last buffer that no body is in any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers(Arc<Mutex<Vec<u8>>>);

impl Buffers {
    /// An empty buffer for about `n_bytes`.
    ///
    /// The one that is kept is given only if it is not much too large, as a body may be kept too.
    pub(super) fn take(&self, n_bytes: usize) -> Vec<u8> {
        let mut spare = self.spare();
        if (n_bytes..=n_bytes.saturating_mul(2)).contains(&spare.capacity()) {
            std::mem::take(&mut spare)
        } else {
            Vec::with_capacity(n_bytes)
        }
    }

    /// A body in a buffer that comes back when nothing of the body is used any more.
    pub(super) fn lend(&self, buffer: Vec<u8>) -> Bytes {
        if WORTH_KEEPING.contains(&buffer.capacity()) {
            Bytes::from_owner(Lent { buffer, home: self.clone() })
        } else {
            buffer.into()
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<u8>> {
        // A panic while the lock is held leaves a buffer, whichever it is.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer with a body in it.
struct Lent {
    buffer: Vec<u8>,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        // Pages grow, or shrink: the last one tells what fits.
        let last = std::mem::replace(&mut *self.home.spare(), buffer);
        drop(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bodies of these lengths come and go; `expect` is the capacity of what is kept.
    #[track_caller]
    fn check(bodies: &[usize], expect: usize) {
        let buffers = Buffers::default();
        for &n_bytes in bodies {
            drop(buffers.lend(buffers.take(n_bytes)));
        }
        assert_eq!(buffers.spare().capacity(), expect);
    }

    #[test]
    fn the_last_buffer_is_kept() {
        check(&[], 0);
        check(&[100_000], 100_000);
        // Taken again, as it is large enough, and not too large.
        check(&[100_000, 90_000, 50_000], 100_000);
        check(&[100_000, 200_000], 200_000);
        check(&[400_000, 300_000, 90_000], 90_000);
        // Too small or too large to be kept.
        check(&[10, 60_000, 2_000_000], 0);
    }

    #[test]
    fn a_buffer_comes_back_with_the_last_part_of_its_body() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take(100_000);
        buffer.extend_from_slice(b"body");
        let body = buffers.lend(buffer);
        let part = body.slice(1..3);
        drop(body);
        assert_eq!((part.as_ref(), buffers.spare().capacity()), (&b"od"[..], 0));
        drop(part);
        assert_eq!(buffers.spare().capacity(), 100_000);
        assert!(buffers.take(100_000).is_empty());
    }
}
