//! Asks the service about tokens, while the client itself does not know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use keystead_verifier::{Claims, Expectations};
use tokio::sync::Semaphore;
use tonic::Request;
use tonic::transport::Channel;

use crate::clock::Clock;
use crate::outcome::{Ignorance, Outcome};
use crate::pb::auth_service_client::AuthServiceClient;
use crate::pb::{AccessTokenClaims, TokenStatus, VerifyTokenRequest, VerifyTokenResponse};
use crate::statuses;

mod flights;

use flights::Flights;

/// How long an answer may take, the wait for one's turn included.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How many questions are out at once: the service may be the one that struggles.
const AT_ONCE: usize = 64;
/// How many of them, besides, about tokens of unknown keys: anybody can make such tokens, as many as they like.
const AT_ONCE_OF_UNKNOWN_KEYS: usize = 4;
/// How many verdicts are kept.
const KEPT: usize = 4_096;
/// The contract allows no longer.
const LONGEST_KEPT: Duration = Duration::from_secs(1);

/// The SHA-256 of a token and of what is expected of it.
type Question = [u8; 32];

/// What is known of the key that a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedKey {
    /// It is one of the service's, or no keys are there yet to tell.
    Known,
    /// No key that the client knows has its name.
    Unknown,
}

/// Asks the service about tokens.
pub(crate) struct Fallback {
    client: AuthServiceClient<Channel>,
    clock: Arc<dyn Clock>,
    turns: Semaphore,
    turns_of_unknown_keys: Semaphore,
    flights: Flights,
    kept: Mutex<HashMap<Question, Kept>>,
}

struct Kept {
    outcome: Outcome,
    /// By the monotonic clock.
    until: Duration,
}

impl Fallback {
    pub(crate) fn new(channel: Channel, clock: Arc<dyn Clock>) -> Self {
        let client = AuthServiceClient::new(channel);
        Self {
            client,
            clock,
            turns: Semaphore::new(AT_ONCE),
            turns_of_unknown_keys: Semaphore::new(AT_ONCE_OF_UNKNOWN_KEYS),
            flights: Flights::default(),
            kept: Mutex::default(),
        }
    }

    pub(crate) async fn ask(&self, token: &str, expectations: &Expectations, key: NamedKey) -> Outcome {
        let question = question(token, expectations);
        if let Some(outcome) = self.kept(&question) {
            return outcome;
        }
        let asking = self.ask_anew(question, token, expectations, key);
        let joined = self.flights.join(question, self.clock.monotonic(), asking);
        let asked = tokio::time::timeout(TIMEOUT, joined).await;
        asked.ok().flatten().unwrap_or(Outcome::Unknown(Ignorance::NoAnswer))
    }

    async fn ask_anew(
        &self,
        question: Question,
        token: &str,
        expectations: &Expectations,
        key: NamedKey,
    ) -> Option<Outcome> {
        let turns = match key {
            NamedKey::Known => &self.turns,
            NamedKey::Unknown => &self.turns_of_unknown_keys,
        };
        let _turn = turns.acquire().await.ok()?;
        // The verdict counts from before it was made.
        let asked_at = self.clock.monotonic();
        let mut request = Request::new(VerifyTokenRequest {
            access_token: token.to_owned(),
            expected_audience: expectations.audience.clone().unwrap_or_default(),
            required_roles: expectations.roles.clone(),
        });
        request.set_timeout(TIMEOUT);
        let answer = self.client.clone().verify_token(request).await.ok()?.into_inner();
        let cacheable = answer.cacheable_for.and_then(|span| Duration::try_from(span).ok()).unwrap_or_default();
        let outcome = outcome(answer)?;
        self.keep(question, &outcome, asked_at + cacheable.min(LONGEST_KEPT));
        Some(outcome)
    }

    fn kept(&self, question: &Question) -> Option<Outcome> {
        let now = self.clock.monotonic();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(question).filter(|kept| now < kept.until).map(|kept| kept.outcome.clone())
    }

    /// Keeps a verdict if there is room once the old ones are gone.
    fn keep(&self, question: Question, outcome: &Outcome, until: Duration) {
        let now = self.clock.monotonic();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.retain(|_, kept| now < kept.until);
        }
        if kept.len() < KEPT && now < until {
            kept.insert(question, Kept { outcome: outcome.clone(), until });
        }
    }
}

fn question(token: &str, expectations: &Expectations) -> Question {
    let mut context = Context::new(&SHA256);
    let audience = expectations.audience.as_deref().unwrap_or_default();
    for part in [token, audience].into_iter().chain(expectations.roles.iter().map(String::as_str)) {
        // Each part with its length, so that no two lists of parts read the same.
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut question = Question::default();
    question.copy_from_slice(context.finish().as_ref());
    question
}

/// `None` for an answer that this version cannot read.
fn outcome(answer: VerifyTokenResponse) -> Option<Outcome> {
    let status = TokenStatus::try_from(answer.status).ok()?;
    if status == TokenStatus::Active {
        return Some(Outcome::Active(Arc::new(claims(answer.claims?)?)));
    }
    statuses::refusal(status).map(Outcome::Refused)
}

fn claims(claims: AccessTokenClaims) -> Option<Claims> {
    Some(Claims {
        iss: claims.issuer,
        sub: claims.subject.parse().ok()?,
        aud: claims.audiences,
        client_id: claims.client_id,
        exp: claims.expire_time?.seconds,
        iat: claims.issue_time?.seconds,
        nbf: claims.not_before_time?.seconds,
        jti: claims.token_id.parse().ok()?,
        sid: claims.session_id.parse().ok()?,
        epoch: claims.epoch,
        auth_time: claims.authentication_time?.seconds,
        amr: claims.authentication_methods,
        roles: claims.roles,
        scope: claims.scopes,
    })
}

#[cfg(test)]
mod tests {
    use keystead_verifier::Refusal;
    use tonic::transport::Endpoint;

    use super::*;
    use crate::testing::ManualClock;

    fn numbered(number: usize) -> Question {
        question(&number.to_string(), &Expectations::default())
    }

    #[tokio::test]
    async fn verdicts_are_kept_up_to_a_number_and_room_is_made_by_time() {
        let clock = Arc::new(ManualClock::default());
        let fallback = Fallback::new(Endpoint::from_static("http://127.0.0.1:1").connect_lazy(), clock.clone());
        let until = clock.monotonic() + LONGEST_KEPT;
        let refused = Outcome::Refused(Refusal::Revoked);
        for number in 0..=KEPT {
            fallback.keep(numbered(number), &refused, until);
        }
        assert_eq!(fallback.kept(&numbered(KEPT - 1)), Some(refused.clone()));
        assert_eq!(fallback.kept(&numbered(KEPT)), None);
        clock.advance(LONGEST_KEPT);
        assert_eq!(fallback.kept(&numbered(0)), None, "a verdict is kept for a second");
        fallback.keep(numbered(KEPT), &refused, clock.monotonic() + LONGEST_KEPT);
        assert_eq!(fallback.kept(&numbered(KEPT)), Some(refused));
    }

    #[test]
    fn what_is_expected_is_part_of_the_question() {
        let expecting = |audience: &str, roles: &[&str]| {
            let roles = roles.iter().map(|role| (*role).to_owned()).collect();
            question("token", &Expectations { audience: Some(audience.to_owned()), roles })
        };
        let questions = [expecting("a", &[]), expecting("a", &["b"]), expecting("ab", &[]), expecting("a", &["b", ""])];
        let distinct: std::collections::HashSet<_> = questions.iter().collect();
        assert_eq!(distinct.len(), questions.len());
    }
}
