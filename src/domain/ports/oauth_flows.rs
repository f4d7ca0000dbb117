//! Sign-ins at providers that are under way.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::clock::Timestamp;
use crate::domain::oauth_flow::{FlowAnswer, FlowReturn, NewFlow, RedeemedFlow, Redemption};

/// Sign-ins at providers that are under way. Each step works once, and of many who take it at once for one.
#[async_trait]
pub trait OAuthFlows: Send + Sync {
    async fn begin(&self, flow: &NewFlow) -> StoreResult<()>;

    /// Keeps the provider's answer; where the browser goes on to. `None` where no flow waits for this: unknown, expired,
    /// come back before, begun at another provider or in another browser.
    async fn come_back(&self, back: &FlowReturn, answer: &FlowAnswer, now: Timestamp) -> StoreResult<Option<String>>;

    /// Ends a flow that the provider has refused; where the browser goes on to. `None` as above.
    async fn give_up(&self, back: &FlowReturn, now: Timestamp) -> StoreResult<Option<String>>;

    /// Ends the flow and gives what it kept; nothing of it stays. `None` where state, code, challenge and linking session
    /// do not belong together, or it is too late.
    async fn redeem(&self, redemption: &Redemption, now: Timestamp) -> StoreResult<Option<RedeemedFlow>>;
}
