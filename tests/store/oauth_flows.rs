//! Sign-ins at providers that are under way.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::identity::ProviderName;
use keystead::domain::oauth_flow::{FlowAnswer, FlowReturn, LinkingSession, NewFlow, PkceChallenge, Redemption};
use keystead::domain::one_time_token::TokenHash;

use crate::backend::Backend;
use crate::fixture::at_once;
use crate::identities::provider;

const REDIRECT: &str = "https://app.example.com/signed-in";

fn challenge(letter: &str) -> PkceChallenge {
    PkceChallenge::parse(&format!("{}A", letter.repeat(42))).expect("a challenge")
}

fn hash(byte: u8) -> TokenHash {
    TokenHash([byte; 32])
}

fn new_flow(backend: &Backend) -> NewFlow {
    NewFlow {
        state: hash(1),
        provider: provider(),
        redirect_uri: REDIRECT.to_owned(),
        challenge: challenge("a"),
        browser: None,
        linking: None,
        sealed_secrets: vec![1, 2],
        expires_at: backend.now().after(Duration::from_mins(10)),
    }
}

impl Backend {
    /// Begins a flow that nobody ends.
    pub async fn begin_flow(&self) {
        begin(self, new_flow(self)).await;
    }
}

fn back() -> FlowReturn {
    FlowReturn { state: hash(1), provider: provider(), browser: None }
}

fn redemption() -> Redemption {
    Redemption { state: hash(1), code: hash(2), challenge: challenge("a"), linking: None }
}

async fn begin(backend: &Backend, flow: NewFlow) {
    backend.flows.begin(&flow).await.expect("the store answers");
}

async fn come_back(backend: &Backend, back: &FlowReturn) -> Option<String> {
    let code_expires_at = backend.now().after(Duration::from_mins(1));
    let answer = FlowAnswer { code: hash(2), code_expires_at, sealed_answer: vec![3, 4] };
    backend.flows.come_back(back, &answer, backend.now()).await.expect("the store answers")
}

async fn is_redeemed(backend: &Backend, redemption: &Redemption) -> bool {
    backend.flows.redeem(redemption, backend.now()).await.expect("the store answers").is_some()
}

pub async fn a_flow_gives_back_what_it_was_given_once(backend: Arc<Backend>) {
    // promise O1
    begin(&backend, new_flow(&backend)).await;
    assert!(!is_redeemed(&backend, &redemption()).await, "not before it has come back");
    assert_eq!(come_back(&backend, &back()).await.as_deref(), Some(REDIRECT));
    assert_eq!(come_back(&backend, &back()).await, None);
    let redeemed = backend.flows.redeem(&redemption(), backend.now()).await.unwrap().expect("a flow");
    assert_eq!(
        (redeemed.provider, redeemed.sealed_secrets, redeemed.sealed_answer),
        (provider(), vec![1, 2], vec![3, 4])
    );
    assert!(!is_redeemed(&backend, &redemption()).await);
}

pub async fn of_parallel_redemptions_and_returns_one_works(backend: Arc<Backend>) {
    // promise O1
    begin(&backend, new_flow(&backend)).await;
    let returns = at_once(32, |_| {
        let backend = backend.clone();
        async move { come_back(&backend, &back()).await.is_some() }
    });
    assert_eq!(returns.await.into_iter().filter(|done| *done).count(), 1);
    let redemptions = at_once(32, |_| {
        let backend = backend.clone();
        async move { is_redeemed(&backend, &redemption()).await }
    });
    assert_eq!(redemptions.await.into_iter().filter(|done| *done).count(), 1);
}

pub async fn a_flow_comes_back_in_time_to_its_provider_and_in_its_browser_alone(backend: Arc<Backend>) {
    // promises O1, O4
    begin(&backend, NewFlow { browser: Some(hash(9)), ..new_flow(&backend) }).await;
    let right = FlowReturn { browser: Some(hash(9)), ..back() };
    let other = ProviderName::parse("other").expect("a name");
    for wrong in [
        back(),
        FlowReturn { browser: Some(hash(8)), ..back() },
        FlowReturn { provider: other, ..right.clone() },
        FlowReturn { state: hash(7), ..right.clone() },
    ] {
        assert_eq!(come_back(&backend, &wrong).await, None);
        assert_eq!(backend.flows.give_up(&wrong, backend.now()).await, Ok(None));
    }
    backend.clock.advance(Duration::from_mins(10));
    assert_eq!(come_back(&backend, &right).await, None, "too late");
}

pub async fn a_flow_that_is_given_up_has_ended(backend: Arc<Backend>) {
    begin(&backend, new_flow(&backend)).await;
    assert_eq!(backend.flows.give_up(&back(), backend.now()).await, Ok(Some(REDIRECT.to_owned())));
    assert_eq!(backend.flows.give_up(&back(), backend.now()).await, Ok(None));
    assert_eq!(come_back(&backend, &back()).await, None);
}

pub async fn a_flow_is_redeemed_by_who_began_it_and_in_time(backend: Arc<Backend>) {
    // promise O1
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    let (of_ada, again, of_bob) =
        (backend.session(&ada).await.id, backend.session(&ada).await.id, backend.session(&bob).await.id);
    let linking = |user_id, session_id| Some(LinkingSession { user_id, session_id });
    begin(&backend, NewFlow { linking: linking(ada.id, of_ada), ..new_flow(&backend) }).await;
    come_back(&backend, &back()).await.expect("a redirect");
    let right = Redemption { linking: linking(ada.id, of_ada), ..redemption() };
    for wrong in [
        redemption(),
        Redemption { linking: linking(ada.id, again), ..right.clone() },
        Redemption { linking: linking(bob.id, of_bob), ..right.clone() },
        Redemption { challenge: challenge("b"), ..right.clone() },
        Redemption { code: hash(3), ..right.clone() },
        Redemption { state: hash(3), ..right.clone() },
    ] {
        assert!(!is_redeemed(&backend, &wrong).await);
    }
    assert!(is_redeemed(&backend, &right).await);
    begin(&backend, new_flow(&backend)).await;
    come_back(&backend, &back()).await.expect("a redirect");
    assert!(!is_redeemed(&backend, &right).await, "nobody was signed in");
    backend.clock.advance(Duration::from_mins(1));
    assert!(!is_redeemed(&backend, &redemption()).await, "too late");
    let expires_at = backend.now().after(Duration::from_secs(30));
    begin(&backend, NewFlow { state: hash(4), expires_at, ..new_flow(&backend) }).await;
    come_back(&backend, &FlowReturn { state: hash(4), ..back() }).await.expect("a redirect");
    backend.clock.advance(Duration::from_secs(30));
    let late = Redemption { state: hash(4), ..redemption() };
    assert!(!is_redeemed(&backend, &late).await, "the code lives, the flow does not");
}
