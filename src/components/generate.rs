//! Streams whose items a coroutine gives, each only when it is asked for.
//!
//! Nothing is made ahead, so what the coroutine's owner says of itself (the
//! state of a parent stream) is as of the item that was given last.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures::StreamExt;
use futures::stream::{self, BoxStream};

/// Takes the items of a coroutine.
#[derive(Debug)]
pub struct Yielder<T>(Arc<Mutex<Option<T>>>);

impl<T> Yielder<T> {
    /// Gives an item; returns when the next one is asked for.
    pub async fn give(&self, item: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(item);
        // Who takes the item polls the coroutine again for the next one, so nobody has to be woken.
        poll_fn(|_| if self.take_is_pending() { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    fn take_is_pending(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The items that `coroutine` gives; an error of it is the last one.
pub fn generate<'a, T, E, F>(coroutine: impl FnOnce(Yielder<T>) -> F) -> BoxStream<'a, Result<T, E>>
where
    T: Send + 'a,
    E: 'a,
    F: Future<Output = Result<(), E>> + Send + 'a,
{
    let slot = Yielder(Arc::default());
    let mut coroutine = Some(Box::pin(coroutine(Yielder(Arc::clone(&slot.0)))));
    let next = move |cx: &mut std::task::Context<'_>| {
        let Some(running) = &mut coroutine else { return Poll::Ready(None) };
        match running.as_mut().poll(cx) {
            Poll::Ready(ended) => {
                coroutine = None;
                Poll::Ready(ended.err().map(Err))
            }
            Poll::Pending => slot.take().map_or(Poll::Pending, |item| Poll::Ready(Some(Ok(item)))),
        }
    };
    stream::poll_fn(next).boxed()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn items_are_made_when_they_are_asked_for() {
        let n_made = AtomicU32::new(0);
        let mut items = generate::<_, (), _>(|yielder| {
            let n_made = &n_made;
            async move {
                for item in 0..3 {
                    n_made.fetch_add(1, Ordering::Relaxed);
                    yielder.give(item).await;
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
        });
        for item in 0..3 {
            assert_eq!(items.next().await, Some(Ok(item)));
            assert_eq!(n_made.load(Ordering::Relaxed), item + 1);
        }
        assert_eq!(items.next().await, None);
        assert_eq!(items.next().await, None);
    }

    #[tokio::test]
    async fn an_error_is_the_last_item() {
        let items = generate(|yielder| async move {
            yielder.give(1).await;
            Err("lost")
        });
        assert_eq!(items.collect::<Vec<_>>().await, [Ok(1), Err("lost")]);
    }
}
