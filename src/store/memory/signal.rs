//! Word from other replicas where there are none.

use async_trait::async_trait;

use crate::domain::ports::RevocationSignal;

/// The signal of a lone replica: nobody to tell, nobody to hear.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalSignal;

#[async_trait]
impl RevocationSignal for LocalSignal {
    async fn announce(&self) {}

    async fn heard(&self) {
        std::future::pending::<()>().await;
    }
}
