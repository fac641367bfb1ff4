//! Turns what the program says of itself (`tracing` events) into LOG messages.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::message::{Level, Message};
use super::writer::Writer;
use crate::value::{Json, Map, PythonJson, Secrets};

/// What is done with a line.
type Tell = Box<dyn Fn(Level, &str) + Send + Sync>;

/// Tells of the events of this program, and not of those of its dependencies, with
/// all secrets masked.
pub struct LogLayer {
    tell: Tell,
    secrets: Secrets,
    most_detailed: LevelFilter,
}

impl LogLayer {
    /// A layer that prints events up to `most_detailed`.
    pub fn new(writer: Writer, secrets: Secrets, most_detailed: LevelFilter) -> Self {
        let print = move |level, text: &str| {
            writer.write_message_now(&Message::log(level, text));
        };
        Self::telling(print, secrets, most_detailed)
    }

    /// A layer that calls `tell` for each event up to `most_detailed`.
    pub fn telling(
        tell: impl Fn(Level, &str) + Send + Sync + 'static,
        secrets: Secrets,
        most_detailed: LevelFilter,
    ) -> Self {
        Self { tell: Box::new(tell), secrets, most_detailed }
    }

    fn is_printed(&self, metadata: &Metadata<'_>) -> bool {
        let (ours, _) = module_path!().split_once("::").unwrap_or_default();
        let target = metadata.target().split("::").next();
        *metadata.level() <= self.most_detailed && target == Some(ours)
    }
}

/// The detail that `LOG_LEVEL` asks for, in either case; what it does not know is INFO.
pub fn most_detailed(log_level: Option<&str>) -> LevelFilter {
    match log_level.unwrap_or_default().to_ascii_lowercase().as_str() {
        "trace" => LevelFilter::TRACE,
        "debug" => LevelFilter::DEBUG,
        "warn" | "warning" => LevelFilter::WARN,
        "error" => LevelFilter::ERROR,
        "fatal" | "off" => LevelFilter::OFF,
        _ => LevelFilter::INFO,
    }
}

impl fmt::Debug for LogLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLayer")
            .field("most_detailed", &self.most_detailed)
            .finish_non_exhaustive()
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.is_printed(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most_detailed)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut parts = Parts::default();
        event.record(&mut parts);
        let level = level(*event.metadata().level());
        let text = parts.into_text(level);
        (self.tell)(level, &self.secrets.mask(&text));
    }
}

fn level(level: tracing::Level) -> Level {
    match level {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::TRACE => Level::Trace,
    }
}

/// An event's sentence and its other fields.
#[derive(Default)]
struct Parts {
    sentence: String,
    fields: Map,
}

impl Parts {
    /// The reference shows fields at its debug level, and in this form.
    fn into_text(self, level: Level) -> String {
        let Self { sentence: mut text, fields } = self;
        if fields.is_empty() {
            return text;
        }
        if matches!(level, Level::Debug | Level::Trace) {
            text.push_str(" ///\nExtra logs: ");
            PythonJson::DEFAULT.write_object(&fields, &mut text);
        } else {
            for (name, value) in fields {
                let value = value.as_str().unwrap_or_default();
                // Writing to a string cannot fail.
                let _ = write!(text, " {name}={value}");
            }
        }
        text
    }
}

impl Visit for Parts {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.sentence),
            name => _ = self.fields.insert(name.to_owned(), Json::from(value)),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc;

    use tracing::{debug, error, info, trace, warn};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    struct Lines(mpsc::Sender<Vec<u8>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// `expect` are level and message of each line.
    #[track_caller]
    fn check(log_level: &str, events: impl FnOnce(), expect: &[(&str, &str)]) {
        let (sender, written) = mpsc::channel();
        let (writer, thread) = Writer::spawn(Lines(sender)).unwrap();
        let secrets = Secrets::new();
        secrets.add("k3y");
        let layer = LogLayer::new(writer, secrets, most_detailed(Some(log_level)));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, events);
        thread.finish().unwrap();
        let text = String::from_utf8(written.iter().flatten().collect()).unwrap();
        let logs: Vec<Json> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let logs: Vec<_> = logs
            .iter()
            .map(|line| (&line["log"]["level"], &line["log"]["message"]))
            .map(|(level, message)| (level.as_str().unwrap(), message.as_str().unwrap()))
            .collect();
        assert_eq!(logs, expect);
    }

    fn all_levels() {
        error!("e");
        warn!("w");
        info!("i {}", 1);
        debug!("d");
        trace!("t");
    }

    #[test]
    fn levels_are_those_of_the_protocol() {
        let all = [("ERROR", "e"), ("WARN", "w"), ("INFO", "i 1"), ("DEBUG", "d"), ("TRACE", "t")];
        check("TRACE", all_levels, &all);
        check("Debug", all_levels, &all[..4]);
        check("info", all_levels, &all[..3]);
        check("nonsense", all_levels, &all[..3]);
        check("WARNING", all_levels, &all[..2]);
        check("fatal", all_levels, &[]);
    }

    #[test]
    fn fields_follow_the_sentence() {
        check("info", || info!(n = 1, name = "x", "Done."), &[("INFO", "Done. n=1 name=x")]);
        check(
            "debug",
            || debug!(n = 1, name = "x\"", "Done."),
            &[("DEBUG", "Done. ///\nExtra logs: {\"n\": \"1\", \"name\": \"x\\\"\"}")],
        );
    }

    #[test]
    fn secrets_are_masked_in_sentences_and_fields() {
        check(
            "debug",
            || {
                info!("with k3y");
                debug!(header = "k3y", "");
            },
            &[("INFO", "with ****"), ("DEBUG", " ///\nExtra logs: {\"header\": \"****\"}")],
        );
    }

    #[test]
    fn dependencies_are_not_heard() {
        check("trace", || info!(target: "hyper::client", "connected"), &[]);
    }
}
