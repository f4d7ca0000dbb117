//! Prometheus's text exposition format (version 0.0.4), written.

use std::fmt::Write as _;
use std::time::Duration;

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from 0 at the start of the process.
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Names and values that tell samples of one metric apart.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// Metrics, in text.
#[derive(Debug, Default)]
pub struct Page(String);

/// One metric of the page: its samples follow one another.
#[derive(Debug)]
pub struct Family<'p> {
    page: &'p mut Page,
    name: &'static str,
}

impl Page {
    /// Begins a metric. `help` is one line.
    pub fn family(&mut self, kind: Kind, name: &'static str, help: &str) -> Family<'_> {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {}", kind.name()));
        Family { page: self, name }
    }

    /// A metric of one sample.
    pub fn gauge(&mut self, name: &'static str, help: &str, value: f64) {
        self.family(Kind::Gauge, name, help).sample(&[], value);
    }

    /// A metric of one sample.
    pub fn counter(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(Kind::Counter, name, help).sample(&[], number(value));
    }

    pub fn into_text(self) -> String {
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        writeln!(self.0, "{line}").unwrap_or_default();
    }
}

impl Family<'_> {
    pub fn sample(&mut self, labels: Labels<'_>, value: f64) {
        self.write("", labels, value);
    }

    /// The samples of a histogram: each bound with how many were no longer, then all, then their sum.
    pub fn histogram(&mut self, labels: Labels<'_>, buckets: &[(Duration, u64)], count: u64, sum: Duration) {
        for (bound, up_to) in buckets {
            let bound = bound.as_secs_f64().to_string();
            self.write("_bucket", &[labels, &[("le", bound.as_str())]].concat(), number(*up_to));
        }
        self.write("_bucket", &[labels, &[("le", "+Inf")]].concat(), number(count));
        self.write("_sum", labels, sum.as_secs_f64());
        self.write("_count", labels, number(count));
    }

    fn write(&mut self, suffix: &str, labels: Labels<'_>, value: f64) {
        let labels = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels = labels.collect::<Vec<_>>().join(",");
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let name = self.name;
        self.page.line(format_args!("{name}{suffix}{labels} {value}"));
    }
}

/// A count as Prometheus has it.
#[expect(clippy::cast_precision_loss, reason = "Prometheus knows no other numbers; exact up to 2^53")]
pub fn number(count: u64) -> f64 {
    count as f64
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_the_text_that_prometheus_reads() {
        let mut page = Page::default();
        page.gauge("a_seconds", "How old.", 0.25);
        let mut family = page.family(Kind::Counter, "b_total", "How many.");
        family.sample(&[("method", "say \"x\\y\"\n"), ("code", "OK")], 3.0);
        family.sample(&[("method", "other"), ("code", "OK")], 0.0);
        let buckets = [(Duration::from_micros(50), 1), (Duration::from_secs(5), 2)];
        let mut family = page.family(Kind::Histogram, "c_seconds", "How long.");
        family.histogram(&[("path", "/x")], &buckets, 3, Duration::from_millis(7_500));
        let expected = "# HELP a_seconds How old.\n\
            # TYPE a_seconds gauge\n\
            a_seconds 0.25\n\
            # HELP b_total How many.\n\
            # TYPE b_total counter\n\
            b_total{method=\"say \\\"x\\\\y\\\"\\n\",code=\"OK\"} 3\n\
            b_total{method=\"other\",code=\"OK\"} 0\n\
            # HELP c_seconds How long.\n\
            # TYPE c_seconds histogram\n\
            c_seconds_bucket{path=\"/x\",le=\"0.00005\"} 1\n\
            c_seconds_bucket{path=\"/x\",le=\"5\"} 2\n\
            c_seconds_bucket{path=\"/x\",le=\"+Inf\"} 3\n\
            c_seconds_sum{path=\"/x\"} 7.5\n\
            c_seconds_count{path=\"/x\"} 3\n";
        assert_eq!(page.into_text(), expected);
    }
}
