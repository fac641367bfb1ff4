//! Tells the platform what happens inside of components.

use futures::future::BoxFuture;

use crate::components::Observer;
use crate::protocol::message::{StreamStatus, StreamStatusReason};
use crate::protocol::{Message, TracedError};
use crate::value::Map;

use super::Output;

/// Prints what the protocol has messages for.
#[derive(Debug)]
pub(super) struct ProtocolObserver {
    output: Output,
}

impl ProtocolObserver {
    pub(super) fn new(output: Output) -> Self {
        Self { output }
    }
}

impl Observer for ProtocolObserver {
    fn rate_limited(&self, stream: &str) {
        let reasons = Some(vec![StreamStatusReason::RateLimited { rate_limited: None }]);
        let now = self.output.run.now();
        let message = Message::stream_status(stream, StreamStatus::Running, reasons, now);
        self.output.writer.write_message_now(&message);
    }

    fn failed_for_now(&self, error: &TracedError) {
        let message = error.to_message(&self.output.secrets, self.output.run.now());
        self.output.writer.write_message_now(&message);
    }

    fn config_changed<'a>(&'a self, config: &Map) -> BoxFuture<'a, ()> {
        let message = Message::connector_config(config.clone(), self.output.run.now());
        let writer = &self.output.writer;
        writer.write_message_now(&message);
        Box::pin(async {
            // A run that nobody reads any more is about to end.
            let _ = writer.flush().await;
        })
    }
}
