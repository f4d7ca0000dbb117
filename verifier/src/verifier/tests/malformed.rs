//! Tokens that are refused though every one that can be is signed by the right key.

use super::*;

fn assert_malformed(issuer: &TestIssuer, cases: &[(String, String)]) {
    for (what, token) in cases {
        assert_eq!(issuer.verify(token), Verdict::Malformed, "{what}");
    }
}

// promise T5
#[test]
fn only_three_canonical_parts_of_bounded_size_are_a_token() {
    let issuer = TestIssuer::new();
    let good = issuer.sign(HEADER, &payload().to_string());
    let (header, rest) = good.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    // One byte more than four characters hold whole leaves bits to stray.
    let stray_header = URL_SAFE_NO_PAD.encode(format!("{HEADER}{}", &"  "[..(4 - HEADER.len() % 3) % 3]));
    let stray = |text: &str| format!("{}{}", &text[..text.len() - 1], next_letter(text));
    let cases = [
        ("nothing", String::new()),
        ("a dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("three dots", "...".to_owned()),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{body}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as encrypted ones have", format!("{good}.{header}.{body}")),
        ("an empty header", format!(".{body}.{signature}")),
        ("an empty payload", format!("{header}..{signature}")),
        ("an empty signature", format!("{header}.{body}.")),
        ("a dot at the end", format!("{good}.")),
        ("a dot at the start", format!(".{good}")),
        ("a space before", format!(" {good}")),
        ("a space behind", format!("{good} ")),
        ("a new line behind", format!("{good}\n")),
        ("a space within", good.replacen('.', " .", 1)),
        ("the scheme before", format!("Bearer {good}")),
        ("padding", format!("{good}==")),
        ("padding in the header", format!("{header}=.{body}.{signature}")),
        ("the other alphabet", format!("{header}.{body}.+/{}", &signature[2..])),
        ("a letter of another script", format!("{header}.{body}.\u{0410}{}", &signature[2..])),
        ("a NUL", format!("{header}.{body}.\0{}", &signature[1..])),
        ("percent signs", good.replace('.', "%2E")),
        ("stray bits in the signature", format!("{header}.{body}.{}", stray(signature))),
        ("stray bits in the header", issuer.sign_encoded(&stray(&stray_header), body)),
        ("a length that base64 does not have", format!("{header}.{body}.{}", &signature[..signature.len() - 1])),
        ("JSON serialization", json!({ "protected": header, "payload": body, "signature": signature }).to_string()),
        ("over 8 KiB", issuer.sign(HEADER, &with("pad", &json!("x".repeat(8_000))))),
        ("megabytes", "e".repeat(4 * 1024 * 1024)),
    ];
    assert_malformed(&issuer, &cases.map(|(what, token)| (what.to_owned(), token)));
}

/// The letter after the last one: the same bytes to a lax decoder, where the last one holds bits to spare.
fn next_letter(text: &str) -> char {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = LETTERS.iter().position(|letter| Some(letter) == text.as_bytes().last()).unwrap();
    char::from(LETTERS[last + 1])
}

/// A good token of this many bytes.
fn sized(issuer: &TestIssuer, bytes: usize) -> String {
    const SIGNATURE: usize = 86;
    let encoded = |text: &str| (text.len() * 4).div_ceil(3);
    let headers = [0, 1].map(|spaces| format!("{HEADER}{}", " ".repeat(spaces)));
    let payloads = (5_000..6_000).map(|pad| with("pad", &json!("x".repeat(pad))));
    let found = payloads.into_iter().find_map(|payload| {
        let rest = bytes - SIGNATURE - 2 - encoded(&payload);
        headers.iter().find(|header| encoded(header) == rest).map(|header| issuer.sign(header, &payload))
    });
    found.unwrap()
}

// promise T5
#[test]
fn a_token_of_exactly_8_kib_is_read_and_a_longer_one_is_not() {
    let issuer = TestIssuer::new();
    let (fits, longer) = (sized(&issuer, 8_192), sized(&issuer, 8_193));
    assert_eq!((fits.len(), longer.len()), (8_192, 8_193));
    let remembering = TestIssuer::verifier().remembering(1 << 20);
    for verifier in [&TestIssuer::verifier(), &remembering] {
        let verdict = |token: &str| {
            verifier.verify(token, &issuer.keys, &RevocationIndex::default(), &Expectations::default(), NOW * 1_000)
        };
        assert!(matches!(verdict(&fits), Verdict::Active(_)));
        assert_eq!(verdict(&longer), Verdict::Malformed);
    }
    assert_eq!(remembering.remembered().tokens, 1);
    assert_eq!(remembering.remembered().misses, 1, "too long a token is not even looked for");
}

// promise T2
#[test]
fn headers_that_carry_or_name_keys_or_change_the_reading_are_refused() {
    let issuer = TestIssuer::new();
    let values = [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("jwk", json!({ "kty": "EC" })),
        ("jwk", Value::Null),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["AAAA"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
    ];
    let cases = values.map(|(name, value)| {
        let mut header: Value = serde_json::from_str(HEADER).unwrap();
        header[name] = value;
        (format!("{header}"), issuer.sign(&header.to_string(), &payload().to_string()))
    });
    assert_malformed(&issuer, &cases);
}

// promise T5
#[test]
fn headers_that_are_ambiguous_or_ill_typed_are_refused() {
    let issuer = TestIssuer::new();
    let headers = [
        "",
        "null",
        "[]",
        "\"at+jwt\"",
        "{}",
        "{",
        r#"{"typ":"at+jwt","alg":"ES256","kid":"k1"}{}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"k1",}"#,
        r#"{"typ":"at+jwt","alg":"ES256"}"#,
        r#"{"typ":"at+jwt","kid":"k1"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":1}"#,
        r#"{"typ":"at+jwt","alg":["ES256"],"kid":"k1"}"#,
        r#"{"typ":"at+jwt","alg":null,"kid":"k1"}"#,
        r#"{"typ":["at+jwt"],"alg":"ES256","kid":"k1"}"#,
        r#"{"typ":"at+jwt","alg":"none","alg":"ES256","kid":"k1"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"k1","kid":"k1"}"#,
        r#"{"typ":"JWT","typ":"at+jwt","alg":"ES256","kid":"k1"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"k1","\u006bid":"k1"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"k1","a":1,"a":1}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"k1","a":{"b":1,"b":2}}"#,
        "\u{feff}{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"k1\"}",
    ];
    let body = payload().to_string();
    let cases: Vec<_> = headers.iter().map(|header| (format!("{header:?}"), issuer.sign(header, &body))).collect();
    assert_malformed(&issuer, &cases);
    let nested =
        format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"k1","a":{}}}"#, "[".repeat(2_000) + &"]".repeat(2_000));
    assert_eq!(issuer.verify(&issuer.sign(&nested, &body)), Verdict::Malformed);
    let invalid = URL_SAFE_NO_PAD.encode(b"{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"\xff\"}");
    assert_eq!(issuer.verify(&issuer.sign_encoded(&invalid, &URL_SAFE_NO_PAD.encode(body))), Verdict::Malformed);
}

// promise T4
#[test]
fn every_claim_but_scope_is_required_and_typed() {
    let issuer = TestIssuer::new();
    let names: Vec<String> = payload().as_object().unwrap().keys().cloned().collect();
    for name in names {
        let mut lacking = payload();
        lacking.as_object_mut().unwrap().remove(&name);
        let verdict = issuer.verify(&issuer.sign(HEADER, &lacking.to_string()));
        assert_eq!(verdict == Verdict::Malformed, name != "scope", "without {name}: {verdict:?}");
        for value in [Value::Null, json!({}), json!(true), json!(1.5), json!([[]])] {
            let token = issuer.sign(HEADER, &with(&name, &value));
            assert_eq!(issuer.verify(&token), Verdict::Malformed, "{name}: {value}");
        }
    }
}

// promise T4
#[test]
fn claims_of_the_wrong_shape_are_refused() {
    let issuer = TestIssuer::new();
    let upper = Uuid::from_u128(u128::MAX).to_string().to_uppercase();
    let cases = [
        ("iss", json!([ISSUER])),
        ("aud", json!([])),
        ("aud", json!("")),
        ("aud", json!(["api", ""])),
        ("aud", json!(["api", 1])),
        ("aud", json!(1)),
        ("sub", json!("")),
        ("sub", json!("alice")),
        ("sub", json!(upper)),
        ("sub", json!(Uuid::from_u128(1).simple().to_string())),
        ("sub", json!(Uuid::from_u128(1).urn().to_string())),
        ("sub", json!(Uuid::from_u128(1).braced().to_string())),
        ("jti", json!("1")),
        ("sid", json!(3)),
        ("exp", json!((NOW + 300).to_string())),
        ("exp", json!(1.7e9)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(NOW)),
        ("exp", json!(NOW - 1)),
        ("exp", json!(NOW + 901)),
        ("iat", json!(i64::MIN)),
        ("iat", json!(NOW - 601)),
        ("nbf", json!("now")),
        ("epoch", json!("4")),
        ("auth_time", json!("4")),
        ("amr", json!("pwd")),
        ("roles", json!("admin")),
        ("roles", json!([1])),
        ("scope", json!(["read"])),
    ];
    let cases = cases.map(|(name, value)| (format!("{name}: {value}"), issuer.sign(HEADER, &with(name, &value))));
    assert_malformed(&issuer, &cases);
}

// promise T5
#[test]
fn payloads_that_are_ambiguous_are_refused() {
    let issuer = TestIssuer::new();
    let body = payload().to_string();
    let open = &body[..body.len() - 1];
    let mut cases = vec![
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "\"\"".to_owned(),
        format!("{body}{body}"),
        format!("{body},"),
        format!("{open},}}"),
        format!("{open},\"a\":1,\"a\":1}}"),
        format!("{open},\"a\":{{\"b\":{{\"c\":1,\"c\":1}}}}}}"),
        format!("{open},\"a\":[{{\"b\":1,\"\\u0062\":1}}]}}"),
        format!("{open},\"\\u0069ss\":\"{ISSUER}\"}}"),
        body.replace(&format!("\"iat\":{NOW}"), &format!("\"iat\":{NOW}e0")),
        body.replace(&format!("\"iat\":{NOW}"), &format!("\"iat\":0{NOW}")),
        body.replace(&format!("\"iat\":{NOW}"), &format!("\"iat\":+{NOW}")),
    ];
    for (name, value) in payload().as_object().unwrap() {
        cases.push(format!("{open},\"{name}\":{value}}}"));
    }
    let cases: Vec<_> = cases.into_iter().map(|payload| (payload.clone(), issuer.sign(HEADER, &payload))).collect();
    assert_malformed(&issuer, &cases);
}
