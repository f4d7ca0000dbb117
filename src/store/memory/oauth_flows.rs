//! Sign-ins at providers that are under way.

use async_trait::async_trait;

use super::MemoryStore;
use super::state::{FlowRow, State};
use crate::domain::clock::Timestamp;
use crate::domain::oauth_flow::{FlowAnswer, FlowReturn, NewFlow, RedeemedFlow, Redemption};
use crate::domain::one_time_token::TokenHash;
use crate::domain::ports::StoreResult;
use crate::domain::ports::oauth_flows::OAuthFlows;

#[async_trait]
impl OAuthFlows for MemoryStore {
    async fn begin(&self, flow: &NewFlow) -> StoreResult<()> {
        self.open()?.flows.insert(flow.state, FlowRow { flow: flow.clone(), answer: None });
        Ok(())
    }

    async fn come_back(&self, back: &FlowReturn, answer: &FlowAnswer, now: Timestamp) -> StoreResult<Option<String>> {
        let mut state = self.open()?;
        let Some(redirect) = state.waiting_flow(back, now) else { return Ok(None) };
        if let Some(row) = state.flows.get_mut(&back.state) {
            row.answer = Some(answer.clone());
        }
        Ok(Some(redirect))
    }

    async fn give_up(&self, back: &FlowReturn, now: Timestamp) -> StoreResult<Option<String>> {
        let mut state = self.open()?;
        let redirect = state.waiting_flow(back, now);
        if redirect.is_some() {
            state.flows.remove(&back.state);
        }
        Ok(redirect)
    }

    async fn redeem(&self, redemption: &Redemption, now: Timestamp) -> StoreResult<Option<RedeemedFlow>> {
        let mut state = self.open()?;
        let is_theirs = state.flows.get(&redemption.state).is_some_and(|row| is_answered(row, redemption, now));
        let gone = if is_theirs { state.flows.remove(&redemption.state) } else { None };
        Ok(gone.and_then(|FlowRow { flow, answer }| {
            let (provider, sealed_secrets) = (flow.provider, flow.sealed_secrets);
            Some(RedeemedFlow { provider, sealed_secrets, sealed_answer: answer?.sealed_answer })
        }))
    }
}

impl State {
    /// Where a flow goes on to that has not come back yet, and does so where it should.
    fn waiting_flow(&self, back: &FlowReturn, now: Timestamp) -> Option<String> {
        let FlowRow { flow, answer } = self.flows.get(&back.state)?;
        let is_its_browser = |kept: TokenHash| back.browser == Some(kept);
        let waits = answer.is_none()
            && now < flow.expires_at
            && flow.provider == back.provider
            && flow.browser.is_none_or(is_its_browser);
        waits.then(|| flow.redirect_uri.clone())
    }
}

fn is_answered(row: &FlowRow, redemption: &Redemption, now: Timestamp) -> bool {
    let is_right = |answer: &FlowAnswer| answer.code == redemption.code && now < answer.code_expires_at;
    row.answer.as_ref().is_some_and(is_right)
        && now < row.flow.expires_at
        && row.flow.challenge == redemption.challenge
        && row.flow.linking == redemption.linking
}
