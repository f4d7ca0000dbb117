//! A verifier that remembers judges as one that does not.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What may happen between two judgements.
#[derive(Clone, Debug)]
enum Step {
    /// A token is presented, so many seconds after its issue.
    Present {
        token: usize,
        after: i64,
        audience: Option<&'static str>,
        role: Option<&'static str>,
    },
    RevokeSession(u128),
    RevokeUser(u128, i64),
    RevokeKey,
    /// The key goes, or comes back, or another one comes by its name.
    Keys(Keys),
}

#[derive(Clone, Copy, Debug)]
enum Keys {
    Own,
    None,
    Foreign,
}

fn step() -> impl Strategy<Value = Step> {
    let audience = prop_oneof![Just(None), Just(Some("api")), Just(Some("other"))];
    let role = prop_oneof![Just(None), Just(Some("user")), Just(Some("root"))];
    let present = (0..8_usize, -10..320_i64, audience, role);
    let present = present.prop_map(|(token, after, audience, role)| Step::Present { token, after, audience, role });
    prop_oneof![
        20 => present,
        1 => (0..4_u128).prop_map(Step::RevokeSession),
        1 => (0..4_u128, 0..4_i64).prop_map(|(user, epoch)| Step::RevokeUser(user, epoch)),
        1 => Just(Step::RevokeKey),
        2 => prop_oneof![Just(Keys::Own), Just(Keys::None), Just(Keys::Foreign)].prop_map(Step::Keys),
    ]
}

/// Tokens of four users and sessions, among them some of other kinds.
fn tokens(issuer: &TestIssuer) -> Vec<String> {
    let of = |number: u128| {
        let mut payload = payload();
        payload["sub"] = json!(Uuid::from_u128(number % 4));
        payload["sid"] = json!(Uuid::from_u128((number + 1) % 4));
        payload["epoch"] = json!(number % 3);
        payload["jti"] = json!(Uuid::from_u128(number));
        if number == 6 {
            payload["iss"] = json!("https://other.example");
        }
        issuer.sign(HEADER, &payload.to_string())
    };
    (0..8).map(|number| if number == 7 { format!("{}A", of(number)) } else { of(number) }).collect()
}

fn revocation(step: &Step) -> Option<LiveRevocation> {
    let target = match step {
        Step::RevokeSession(id) => RevokedTarget::Session(Uuid::from_u128(*id)),
        Step::RevokeUser(id, min_epoch) => RevokedTarget::User { id: Uuid::from_u128(*id), min_epoch: *min_epoch },
        Step::RevokeKey => RevokedTarget::Key("k1".to_owned()),
        Step::Present { .. } | Step::Keys(_) => return None,
    };
    Some(LiveRevocation { target, expires_at: i64::MAX })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    // promise T8
    #[test]
    fn a_verdict_from_memory_is_the_verdict_of_the_whole_check(steps in vec(step(), 1..80)) {
        let (issuer, foreign) = (TestIssuer::new(), TestIssuer::new());
        let forgetting = TestIssuer::verifier();
        // Room for all of them, and for about two.
        let remembering = [forgetting.clone().remembering(1 << 20), forgetting.clone().remembering(2_500)];
        let tokens = tokens(&issuer);
        let revoked = RevocationIndex::default();
        let none = KeySet::default();
        let mut keys = &issuer.keys;
        for step in &steps {
            if let Some(revocation) = revocation(step) {
                let (Change::New | Change::Known) = revoked.revoke(&revocation);
            }
            match step {
                Step::Keys(Keys::Own) => keys = &issuer.keys,
                Step::Keys(Keys::None) => keys = &none,
                Step::Keys(Keys::Foreign) => keys = &foreign.keys,
                Step::Present { token, after, audience, role } => {
                    let expectations = Expectations {
                        audience: audience.map(str::to_owned),
                        roles: role.iter().map(|role| (*role).to_owned()).collect(),
                    };
                    let at = (NOW + after) * 1_000;
                    let judge = |verifier: &Verifier| verifier.verify(&tokens[*token], keys, &revoked, &expectations, at);
                    let expected = judge(&forgetting);
                    for verifier in &remembering {
                        prop_assert_eq!(judge(verifier), expected.clone());
                        prop_assert_eq!(judge(verifier), expected.clone(), "the second time");
                    }
                }
                Step::RevokeSession(_) | Step::RevokeUser(..) | Step::RevokeKey => {}
            }
        }
    }
}
