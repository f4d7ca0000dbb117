//! What a gateway is answered, by the query that its configuration writes and the header that its caller sent.

use std::time::Duration;

use super::*;
use crate::service::testing::World;

struct Scene {
    world: World,
    bearer: String,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let user = world.user("ada@example.org").await;
        let bearer = format!("Bearer {}", world.sign_in(&user).await.access_token);
        world.reader().run_once().await.unwrap();
        Self { world, bearer }
    }

    async fn ask(&self, query: Option<&str>, authorizations: &[&str]) -> Response {
        let authorize_request = Arc::new(AuthorizeRequest { verify_token: Arc::new(self.world.verify()) });
        let mut headers = HeaderMap::new();
        for value in authorizations {
            headers.append(header::AUTHORIZATION, HeaderValue::try_from(*value).unwrap());
        }
        forward_auth(State(authorize_request), RawQuery(query.map(str::to_owned)), headers).await
    }
}

fn text<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn who_passes_is_told_and_nothing_of_it_is_kept() {
    let scene = Scene::new().await;
    let response = scene.ask(Some("audience=keystead&roles=user"), &[&scene.bearer]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(text(&response, "x-auth-subject").is_some() && text(&response, "x-auth-session").is_some());
    assert_eq!(text(&response, "x-auth-roles"), Some("user"));
    assert_eq!(text(&response, "cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_public_route_passes_with_nobody_s_identity() {
    let scene = Scene::new().await;
    for authorizations in [&[][..], &[scene.bearer.as_str()]] {
        let response = scene.ask(Some("public=true"), authorizations).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers().keys().all(|name| !name.as_str().starts_with("x-auth")), "{response:?}");
    }
}

#[tokio::test]
async fn each_refusal_has_its_status_and_its_challenge() {
    let scene = Scene::new().await;
    let bearer = scene.bearer.as_str();
    let any = Some("audience=*");
    for (query, authorizations, status, challenge) in [
        (any, &[][..], 401, Some("Bearer")),
        (any, &["Basic YTpi"], 401, Some("Bearer")),
        (any, &[bearer, bearer], 401, Some("Bearer")),
        (any, &["Bearer x"], 401, Some("Bearer error=\"invalid_token\"")),
        (Some("audience=shop"), &[bearer], 401, Some("Bearer error=\"invalid_token\"")),
        (Some("audience=keystead&roles=admin"), &[bearer], 403, Some("Bearer error=\"insufficient_scope\"")),
        (None, &[bearer], 500, None),
        (Some("roles=user"), &[bearer], 500, None),
        (Some("audience=keystead&role=admin"), &[bearer], 500, None),
        (Some("audience=keystead&roles=user&roles=admin"), &[bearer], 500, None),
        (Some("public=yes"), &[bearer], 500, None),
        (Some("public=true&audience=keystead"), &[bearer], 500, None),
    ] {
        let response = scene.ask(query, authorizations).await;
        assert_eq!(response.status().as_u16(), status, "{query:?}");
        assert_eq!(text(&response, "www-authenticate"), challenge, "{query:?}");
        assert_eq!(text(&response, "cache-control"), Some("no-store"), "{query:?}");
    }
}

// promise T8
#[tokio::test]
async fn nobody_passes_while_revocations_are_not_known() {
    let scene = Scene::new().await;
    scene.world.advance(scene.world.settings.revocation.max_staleness + Duration::from_millis(1));
    let response = scene.ask(Some("audience=keystead"), &[&scene.bearer]).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
}
