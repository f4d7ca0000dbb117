//! Logging.

use crate::config::form::Form;
use crate::config::reader::Reader;
use crate::telemetry::{Format, Level, Settings, TraceSettings};

impl Form for Format {
    const EXPECTED: &'static str = "auto, json or text";

    fn parse(text: &str) -> Option<Self> {
        [Self::Auto, Self::Json, Self::Text].into_iter().find(|format| format.show() == text)
    }

    fn show(&self) -> String {
        match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Text => "text",
        }
        .to_owned()
    }
}

impl Form for Level {
    const EXPECTED: &'static str = "error, warn, info, debug or trace";

    fn parse(text: &str) -> Option<Self> {
        [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace].into_iter().find(|level| level.name() == text)
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

pub fn read(reader: &mut Reader, traces: Option<TraceSettings>) -> Settings {
    let default = Settings::default();
    Settings {
        format: reader.value(
            "log.format",
            default.format,
            "`json` is one object a line; `auto` is `text` on a terminal and `json` elsewhere. Logs go to standard \
             error.",
        ),
        level: reader.value("log.level", default.level, "The least that is told."),
        traces,
    }
}
