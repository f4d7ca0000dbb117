//! Who passes, and why others do not.

use std::time::Duration;

use keystead_verifier::Expectations;

use super::*;
use crate::service::testing::World;

struct Scene {
    world: World,
    token: String,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let user = world.user("ada@example.org").await;
        let token = world.sign_in(&user).await.access_token;
        world.reader().run_once().await.unwrap();
        Self { world, token }
    }

    fn decide(&self, authorization: Option<&str>, route: Route) -> Decision {
        AuthorizeRequest { verify_token: Arc::new(self.world.verify()) }.run(authorization, Ok(route))
    }

    fn decide_of(&self, audience: Option<&str>, roles: &[&str]) -> Decision {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let expectations = Expectations { audience: audience.map(str::to_owned), roles };
        self.decide(Some(&format!("Bearer {}", self.token)), Route::Bearer(expectations))
    }
}

fn any() -> Route {
    Route::Bearer(Expectations::default())
}

#[tokio::test]
async fn a_good_bearer_passes_with_its_identity() {
    let scene = Scene::new().await;
    let Decision::Pass(caller) = scene.decide_of(Some("keystead"), &["user"]) else { panic!("denied") };
    let [subject, session, roles] = caller.headers();
    assert_eq!(subject, ("x-auth-subject", caller.claims.sub.to_string()));
    assert_eq!(session, ("x-auth-session", caller.claims.sid.to_string()));
    assert_eq!(roles, ("x-auth-roles", "user".to_owned()));
}

#[tokio::test]
async fn what_the_route_asks_for_is_asked_for() {
    let scene = Scene::new().await;
    assert_eq!(scene.decide_of(Some("shop"), &[]), Decision::Deny(Denial::BearerRefused));
    assert_eq!(scene.decide_of(None, &["user", "admin"]), Decision::Deny(Denial::RoleMissing));
}

// promise A1
#[tokio::test]
async fn what_is_no_bearer_or_no_good_one_is_denied() {
    let scene = Scene::new().await;
    let two = format!("Bearer {0},Bearer {0}", scene.token);
    let (basic, bare) = (format!("Basic {}", scene.token), scene.token.clone());
    for (authorization, denial) in [
        (None, Denial::BearerMissing),
        (Some(""), Denial::BearerMissing),
        (Some(basic.as_str()), Denial::BearerMissing),
        (Some(bare.as_str()), Denial::BearerMissing),
        (Some("Bearer "), Denial::BearerRefused),
        (Some("Bearer x"), Denial::BearerRefused),
        (Some(two.as_str()), Denial::BearerRefused),
    ] {
        assert_eq!(scene.decide(authorization, any()), Decision::Deny(denial), "{authorization:?}");
    }
}

#[tokio::test]
async fn a_public_route_asks_nobody_and_one_at_fault_lets_nobody_pass() {
    let scene = Scene::new().await;
    assert_eq!(scene.decide(None, Route::Public), Decision::PassUnknown);
    assert_eq!(scene.decide(Some(&format!("Bearer {}", scene.token)), Route::Public), Decision::PassUnknown);
    let authorize = AuthorizeRequest { verify_token: Arc::new(scene.world.verify()) };
    let bearer = format!("Bearer {}", scene.token);
    assert_eq!(authorize.run(Some(&bearer), Err(RouteFault)), Decision::Deny(Denial::RouteAtFault));
}

// promise T8
#[tokio::test]
async fn nobody_passes_while_revocations_are_not_known() {
    let scene = Scene::new().await;
    scene.world.advance(scene.world.settings.revocation.max_staleness + Duration::from_millis(1));
    assert_eq!(scene.decide_of(None, &[]), Decision::Deny(Denial::Unknown));
}

// RFC 6750, sections 3 and 3.1
#[test]
fn a_denial_challenges_where_a_bearer_would_help_and_says_what_is_wrong_with_the_one_shown() {
    let challenges = [
        (Denial::BearerMissing, Some("Bearer")),
        (Denial::BearerRefused, Some("Bearer error=\"invalid_token\"")),
        (Denial::RoleMissing, Some("Bearer error=\"insufficient_scope\"")),
        (Denial::Unknown, None),
        (Denial::RouteAtFault, None),
    ];
    for (denial, challenge) in challenges {
        assert_eq!(denial.challenge(), challenge, "{denial:?}");
    }
}
