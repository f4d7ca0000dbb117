//! Logs, traces and the form of metrics: starts them, and ends them last.
//!
//! May import nothing of ours. What is told is decided where it happens; here is decided only how, and to whom.

pub mod exposition;
mod outlet;
mod traces;

use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::time::Duration;

use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::trace::SdkTracerProvider;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::TryInitError;
use tracing_subscriber::{Layer, Registry};

pub use traces::TraceSettings;
use traces::{STATEMENTS, TRACED, TraceLayer};

/// How long the last traces may take on their way to the collector.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// [`Format::Text`] on a terminal, [`Format::Json`] elsewhere.
    #[default]
    Auto,
    /// One JSON object a line, whatever the input.
    Json,
    /// For human eyes.
    Text,
}

/// The least that is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

/// What logging and tracing are set to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub format: Format,
    pub level: Level,
    /// `None`: nobody collects traces.
    pub traces: Option<TraceSettings>,
}

impl Settings {
    /// The same, but nothing is told that is neither a warning nor an error.
    #[must_use]
    pub fn quiet(self) -> Self {
        let level = if self.level == Level::Error { Level::Error } else { Level::Warn };
        Self { level, traces: None, ..self }
    }

    /// The same, but nothing is told that is no error.
    #[must_use]
    pub fn silent(self) -> Self {
        Self { level: Level::Error, ..self }
    }

    /// Whether logs are written for human eyes.
    pub fn is_for_humans(&self) -> bool {
        match self.format {
            Format::Auto => std::io::stderr().is_terminal(),
            Format::Json => false,
            Format::Text => true,
        }
    }
}

/// Logging or tracing could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("logging has been started before")]
    Started(#[from] TryInitError),
    #[error("traces cannot be told to the collector")]
    Exporter(#[from] ExporterBuildError),
}

/// Writes what is left of the logs when dropped: hold it until everything else has ended.
#[must_use]
pub struct Guard(Option<SdkTracerProvider>);

impl Guard {
    /// Hands the last traces over, as long as the runtime still runs. Blocks for a moment, never for long.
    pub fn flush(&self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown_with_timeout(FLUSH_TIMEOUT)
        {
            tracing::warn!(%error, "the last traces were not collected");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Nobody is left to be told.
        std::io::stderr().flush().unwrap_or_default();
    }
}

/// Starts logging to standard error, panics included, and tracing in the runtime that it is called in.
pub fn start(settings: &Settings) -> Result<Guard, TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let provider = settings.traces.as_ref().map(traces::provider).transpose()?;
    let logs = subscriber(settings, std::io::stderr);
    match &provider {
        None => logs.try_init()?,
        Some(provider) => logs.with(TraceLayer::new(provider)).try_init()?,
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(Guard(provider))
}

fn subscriber<W>(
    settings: &Settings,
    writer: W,
) -> impl tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    // Where a line cannot be written (a full disk, a broken pipe), the layer would tell standard error, which is what
    // failed, and panic: a service must not die of its log.
    let format = tracing_subscriber::fmt::layer().with_writer(writer).log_internal_errors(false);
    let layer: Box<dyn Layer<Filtered> + Send + Sync> = if settings.is_for_humans() {
        format.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed()
    } else {
        format.json().flatten_event(false).with_span_list(false).boxed()
    };
    // The filter stands before the layer, not on it: a filter on a layer keeps the refusal that a mere question
    // got, as sqlx asks one (by `log`) for each notice of PostgreSQL, and then swallows the thread's next event.
    tracing_subscriber::registry().with(filter(settings)).with(layer)
}

type Filtered = Layered<Targets, Registry>;

/// Libraries below us are heard from `warn` on: their `debug` and `trace` print what passes through them, secrets
/// included.
///
/// Where traces are collected, the spans that they are made of are there at every level.
fn filter(settings: &Settings) -> Targets {
    let own = settings.level.filter();
    let others = own.min(LevelFilter::WARN);
    let traced = settings.traces.iter().flat_map(|_| [TRACED, STATEMENTS]);
    // The verifier's name begins with ours.
    let told = Targets::new().with_default(others).with_target("keystead", own);
    told.with_targets(traced.map(|target| (target, LevelFilter::INFO)))
}

/// Tells where a panic was, and its text if that is a literal: a formatted one could hold anything.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let text = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("a formatted text, not shown");
    tracing::error!(location, text, "a thread panicked");
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(level: Level, speak: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = subscriber(&Settings { format: Format::Json, level, traces: None }, move || writer.clone());
        tracing::subscriber::with_default(subscriber, speak);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    // promise S2
    #[test]
    fn a_line_is_one_json_object_whatever_the_input() {
        let nasty = "a\"b\\\n{\"level\":\"forged\"}\r\n\u{1b}[31m\u{0}\u{2028}\u{feff}";
        let text = written(Level::Info, || {
            let span = tracing::info_span!("call", method = nasty, late = tracing::field::Empty);
            span.record("late", nasty);
            span.in_scope(|| tracing::info!(input = nasty, other = %nasty, debug = ?nasty, "{nasty}"));
        });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(line["fields"]["input"], nasty);
        assert_eq!(line["span"]["late"], nasty);
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn a_question_whether_something_is_logged_swallows_no_line() {
        let text = written(Level::Info, || {
            let speak = |number: u32| tracing::info!(target: "keystead::tests", number, "told");
            speak(1);
            // As the bridge from `log` asks: past what is remembered of each place.
            let foreign = tracing::info_span!(target: "sqlx::postgres::notice", "notice");
            let metadata = foreign.metadata().unwrap();
            let _answer = tracing::dispatcher::get_default(|subscriber| subscriber.enabled(metadata));
            speak(2);
        });
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    // promise S1
    #[test]
    fn libraries_are_never_heard_below_warn() {
        let text = written(Level::Trace, || {
            tracing::trace!(target: "keystead::grpc", "ours");
            tracing::info!(target: "h2::codec", "a header");
            tracing::debug!(target: "sqlx::query", "a parameter");
            tracing::warn!(target: "rustls", "a warning");
        });
        assert!(text.contains("ours") && text.contains("a warning"), "{text}");
        assert!(!text.contains("a header") && !text.contains("a parameter"), "{text}");
    }
}
