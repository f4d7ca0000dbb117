//! The audit trail, read by administrators: in pages, and as it is written.

use keystead::grpc::pb::{
    AuditEvent, AuditEventFilter, AuditOutcome, CreateServiceAccountRequest, DeleteServiceAccountRequest,
    ListAuditEventsRequest, LogoutScope, RevokeRoleRequest, RevokeSigningKeyRequest, RotateServiceAccountSecretRequest,
    RotateSigningKeyRequest,
};
use tonic::{Code, Request};

use crate::harness::watch::Watch;
use crate::harness::{Backend, Client, Keystead, Person, Setup, WRONG_PASSWORD, on_each_backend};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn list(admin: &Client, filter: AuditEventFilter) -> Vec<AuditEvent> {
    let (mut events, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListAuditEventsRequest { filter: Some(filter.clone()), page_size: 3, page_token };
        let page = admin.list_audit_events(request).await.expect("a page");
        events.extend(page.audit_events);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return events;
        }
    }
}

fn of_kind(kind: &str) -> AuditEventFilter {
    AuditEventFilter { kinds: vec![kind.to_owned()], ..AuditEventFilter::default() }
}

// promises G1, G2
async fn what_was_done_and_what_was_refused_is_listed(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (admin, administrator) = Person::new("admin").register_as_administrator(&keystead, &client).await;
    let ada = Person::new("ada");
    let registered = ada.register(&client).await;
    client.log_in(&ada.email, WRONG_PASSWORD).await.expect_err("a wrong password");
    let successor = client.use_refresh_token(&registered.set.refresh_token).await.expect("a successor");
    let last = client.use_refresh_token(&successor.refresh_token).await.expect("a successor");
    client.use_refresh_token(&registered.set.refresh_token).await.expect_err("a replay");
    client.log_out(&last.refresh_token, LogoutScope::AllSessions).await.expect("gone already");
    let user = client.bearing(&ada.log_in(&client).await.expect("tokens").access_token);
    let mut request: Request<_> = user.shown(ListAuditEventsRequest::default());
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    request.metadata_mut().insert("traceparent", parent.parse().expect("a header's value"));
    let mut stub = keystead::grpc::pb::admin_service_client::AdminServiceClient::new(client.channel.clone());
    stub.list_audit_events(request).await.expect_err("no administrator");

    let of_ada = AuditEventFilter { subject_id: registered.user.id.clone(), ..AuditEventFilter::default() };
    let told = list(&admin, of_ada).await;
    assert!(told.is_sorted_by_key(|event| std::cmp::Reverse(event.time.as_ref().map(|at| (at.seconds, at.nanos)))));
    for (kind, outcome) in [
        ("user_created", AuditOutcome::Success),
        ("authn_login_success", AuditOutcome::Success),
        ("session_created", AuditOutcome::Success),
        ("authn_login_fail", AuditOutcome::Failure),
        ("authn_token_reuse", AuditOutcome::Failure),
        ("session_expired", AuditOutcome::Success),
    ] {
        let found = told.iter().find(|event| event.kind == kind).unwrap_or_else(|| panic!("{kind}: {told:?}"));
        assert_eq!((found.outcome(), found.source.as_str()), (outcome, "127.0.0.1"), "{kind}");
        assert_eq!((found.trace_id.len(), found.id.len()), (32, 36));
    }
    let denied = list(&admin, of_kind("authz_fail")).await;
    let [denied] = denied.as_slice() else { panic!("one denial: {denied:?}") };
    assert_eq!((denied.actor_id.as_str(), denied.trace_id.as_str()), (registered.user.id.as_str(), TRACE));
    assert_eq!((denied.outcome(), denied.detail.as_str()), (AuditOutcome::Failure, "ListAuditEvents"));
    let session = told.iter().find(|event| event.kind == "session_created").expect("a session");
    assert_eq!(denied.session_id, session.session_id);
    assert!(!list(&admin, of_kind("crypto_key_created")).await.is_empty());
    let by_admin = AuditEventFilter { actor_id: administrator.id.clone(), ..of_kind("user_created") };
    assert_eq!(list(&admin, by_admin).await.len(), 1);
}

// promise A6
async fn a_changed_token_or_cursor_is_refused(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (admin, _) = Person::new("admin").register_as_administrator(&keystead, &client).await;
    let first = ListAuditEventsRequest { page_size: 1, ..ListAuditEventsRequest::default() };
    let page_token = admin.list_audit_events(first.clone()).await.expect("a page").next_page_token;
    let mut watch = Watch::begin(&admin, &[], "").await.expect("a stream");
    watch.message().await.expect("a first message");
    for (token, cursor) in [(&watch.cursor, &page_token), (&flipped(&page_token), &flipped(&watch.cursor))] {
        let asked = ListAuditEventsRequest { page_token: token.clone(), ..first.clone() };
        let failure = admin.list_audit_events(asked).await.expect_err("no token");
        failure.is(Code::InvalidArgument, "INVALID_FIELDS");
        let failure = Watch::begin(&admin, &[], cursor).await.err().expect("no cursor");
        failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    }
}

/// The same with one character changed.
fn flipped(token: &str) -> String {
    let other = if token.starts_with('A') { "B" } else { "A" };
    format!("{other}{}", &token[1..])
}

// promises G2, N7
async fn a_watch_goes_on_over_a_restart_without_a_gap(backend: Backend) {
    let mut keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let client = keystead.client().await;
    let (admin, administrator) = Person::new("admin").register_as_administrator(&keystead, &client).await;
    let mut watch = Watch::begin(&admin, &["user_created"], "").await.expect("a stream");
    // What came just before may be told too, where a transaction of somebody else on the same server is still open.
    watch.ignore(&administrator.id);
    assert!(watch.message().await.expect("at once").is_empty());
    let mut expected = vec![Person::new("before").register(&client).await.user.id];
    let mut told = watch.events(1).await;
    expected.push(Person::new("unseen").register(&client).await.user.id);
    let (ended, ()) = tokio::join!(watch.end(), keystead.restart());
    told.extend(std::mem::take(&mut watch.late));
    ended.is(Code::Unavailable, "DRAINING");
    let client = keystead.client_of(backend.replicas() - 1).await;
    expected.push(Person::new("after").register(&client).await.user.id);
    let admin = admin.on(&client);
    let mut resumed = Watch::begin(&admin, &["user_created"], &watch.cursor).await.expect("a stream");
    resumed.ignore(&administrator.id);
    told.extend(resumed.events(expected.len() - told.len()).await);
    assert_eq!(told.into_iter().map(|event| event.subject_id).collect::<Vec<_>>(), expected);
}

// promise T8
async fn a_watch_ends_with_its_callers_session(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("admin");
    person.register_as_administrator(&keystead, &client).await;
    let tokens = person.log_in(&client).await.expect("tokens");
    let mut watch = Watch::begin(&client.bearing(&tokens.access_token), &[], "").await.expect("a stream");
    watch.message().await.expect("a first message");
    client.log_out(&tokens.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    watch.end().await.is(Code::Unauthenticated, "BEARER_REQUIRED");
}

// promise T8
async fn a_watch_ends_with_its_callers_role(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let (root, _) = Person::new("root").register_as_administrator(&keystead, &here).await;
    let (admin, user) = Person::new("admin").register_as_administrator(&keystead, &there).await;
    let mut watch = Watch::begin(&admin, &[], "").await.expect("a stream");
    watch.message().await.expect("a first message");
    let demotion = RevokeRoleRequest { user_id: user.id, role: "admin".to_owned() };
    root.revoke_role(demotion).await.expect("demoted");
    watch.end().await.is(Code::Unauthenticated, "BEARER_REQUIRED");
}

// promise G1
async fn limits_keys_and_machines_are_told_too(backend: Backend) {
    let setup = Setup::on(backend).with("limits.per_account_and_source_burst", "2");
    let keystead = setup.with("limits.per_account_and_source_period", "\"1d\"").start().await;
    let client = keystead.client().await;
    let (admin, administrator) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let ada = Person::new("ada");
    ada.register(&client).await;
    for _ in 0..4 {
        client.log_in(&ada.email, WRONG_PASSWORD).await.expect_err("a wrong password, or too many");
    }
    let machine = CreateServiceAccountRequest {
        audiences: vec!["keystead".to_owned()],
        ..CreateServiceAccountRequest::default()
    };
    let machine = admin.create_service_account(machine).await.expect("created").service_account.expect("it").id;
    let rotation = RotateServiceAccountSecretRequest { service_account_id: machine.clone(), overlap: None };
    admin.rotate_service_account_secret(rotation).await.expect("rotated");
    let deletion = DeleteServiceAccountRequest { service_account_id: machine.clone() };
    admin.delete_service_account(deletion).await.expect("deleted");
    let next = admin.rotate_signing_key(RotateSigningKeyRequest {}).await.expect("a key").signing_key.expect("the key");
    let revocation = RevokeSigningKeyRequest { signing_key_id: next.id.clone() };
    admin.revoke_signing_key(revocation).await.expect("revoked");

    assert_eq!(list(&admin, of_kind("excess_rate_limit_exceeded")).await.len(), 1, "once a key and minute");
    for kind in ["service_account_created", "service_account_secret_rotated", "service_account_deleted"] {
        let told = list(&admin, of_kind(kind)).await;
        assert_eq!(told.len(), 1, "{kind}");
        assert_eq!((&told[0].actor_id, &told[0].subject_id), (&administrator.id, &machine), "{kind}");
    }
    let told = list(&admin, of_kind("crypto_key_revoked")).await;
    assert_eq!((told.len(), &told[0].actor_id, &told[0].detail), (1, &administrator.id, &next.id));
}

on_each_backend!(
    a_watch_ends_with_its_callers_role,
    limits_keys_and_machines_are_told_too,
    what_was_done_and_what_was_refused_is_listed,
    a_changed_token_or_cursor_is_refused,
    a_watch_goes_on_over_a_restart_without_a_gap,
    a_watch_ends_with_its_callers_session,
);
