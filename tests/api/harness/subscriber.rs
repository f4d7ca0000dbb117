//! Everything that is logged at any level during the run, kept for the canary test.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

use tracing_subscriber::fmt::MakeWriter;

static LINES: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();

/// Starts the capture, once a process.
pub fn install() {
    LINES.get_or_init(|| {
        let lines = Arc::<Mutex<Vec<u8>>>::default();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_writer(Capture(lines.clone()))
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
        lines
    });
}

/// Everything logged so far by every test of the process.
pub fn logged() -> String {
    let lines = LINES.get().expect("a started capture").lock().expect("no poison");
    String::from_utf8_lossy(&lines).into_owned()
}

#[derive(Clone)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no poison").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Capture {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
