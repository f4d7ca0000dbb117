//! SIGTERM and SIGINT: the first asks to stop, the second not to wait any longer.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What signals have been received.
pub struct Signals {
    pub stop: CancellationToken,
    pub abort: CancellationToken,
}

impl Signals {
    /// From here on signals do not end the process by themselves.
    pub fn listen() -> std::io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let signals = Self { stop: CancellationToken::new(), abort: CancellationToken::new() };
        let (stop, abort) = (signals.stop.clone(), signals.abort.clone());
        tokio::spawn(async move {
            for token in [stop, abort] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                token.cancel();
            }
        });
        Ok(signals)
    }
}
