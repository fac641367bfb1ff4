//! What takes a while is told of while it goes on, as server-sent events.

use std::convert::Infallible;

use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::value::Json;

/// How many events may wait for a page that is slow.
const QUEUED_EVENTS: usize = 64;

/// Tells a page what happens.
#[derive(Clone, Debug)]
pub(super) struct Teller(mpsc::Sender<Event>);

impl Teller {
    /// Tells one thing; whether anybody still listens.
    pub(super) async fn tell(&self, name: &str, data: Json) -> bool {
        let event = Event::default().event(name).data(data.to_string());
        self.0.send(event).await.is_ok()
    }
}

/// Ends the work when nobody listens any more.
struct Listener {
    task: JoinHandle<()>,
    events: mpsc::Receiver<Event>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins `work`, and answers with all that it tells; it ends when the connection is closed.
pub(super) fn told<W>(work: impl FnOnce(Teller) -> W) -> impl IntoResponse
where
    W: Future<Output = ()> + Send + 'static,
{
    let (sender, events) = mpsc::channel(QUEUED_EVENTS);
    let listener = Listener { task: tokio::spawn(work(Teller(sender))), events };
    let events = stream::unfold(listener, async |mut listener| {
        let event = listener.events.recv().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
