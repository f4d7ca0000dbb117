//! Addresses that are one, and that only look so.

use proptest::prelude::*;

use super::*;

fn key(text: &str) -> String {
    Email::parse(text).unwrap().key().to_owned()
}

#[test]
fn the_local_part_stays_and_the_domain_becomes_lower_case_ascii() {
    // promise L5
    for (text, address) in [
        ("Ada.Lovelace+x@Example.COM", "Ada.Lovelace+x@example.com"),
        ("ada@B\u{fc}cher.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@example\u{3002}com", "ada@example.com"),
        ("ada@\u{ff45}xample.com", "ada@example.com"),
        ("o'brien_{x}@a-b.c0.example", "o'brien_{x}@a-b.c0.example"),
        ("\u{212a}ate@example.com", "Kate@example.com"),
        ("u\u{308}nal@example.com", "\u{fc}nal@example.com"),
        ("\u{7530}\u{4e2d}taro@example.jp", "\u{7530}\u{4e2d}taro@example.jp"),
        (
            "\u{438}\u{432}\u{430}\u{43d}@\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.example",
            "\u{438}\u{432}\u{430}\u{43d}@xn--e1afmkfd.example",
        ),
    ] {
        assert_eq!(Email::parse(text).map(|email| email.as_str().to_owned()), Ok(address.to_owned()), "{text}");
    }
}

#[test]
fn addresses_that_differ_in_case_alone_have_one_key() {
    // promise L5
    assert_eq!(key("ADA@EXAMPLE.com"), key("ada@example.COM"));
    assert_eq!(key("\u{dc}NAL@example.com"), key("u\u{308}nal@example.com"));
    // The capital sigma has two small forms, and which one depends on its place.
    let sigmas = ["\u{3a3}\u{391}\u{3a3}", "\u{3c3}\u{3b1}\u{3c2}", "\u{3c3}\u{3b1}\u{3c3}"];
    let keys = sigmas.map(|local| key(&format!("{local}@example.com")));
    assert!(keys.iter().all(|each| *each == keys[0]), "{keys:?}");
    assert_ne!(key("ada@example.com"), key("ida@example.com"));
}

#[test]
fn what_is_no_address_is_malformed() {
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_label = format!("a@{}.com", "b".repeat(64));
    for text in [
        "",
        "@",
        "ada",
        "ada@",
        "@example.com",
        "a b@example.com",
        "ada @example.com",
        "ada@ example.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "\"ada\"@example.com",
        "a@b@example.com",
        "ada@localhost",
        "ada@example.com.",
        "ada@.example.com",
        "ada@example..com",
        "ada@-example.com",
        "ada@example-.com",
        "ada@exa_mple.com",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        "ada@1.2",
        "ada@[IPv6:::1]",
        "ada@xn--a.example",
        "ada@exam!ple.com",
        "Ada <ada@example.com>",
        "ada,eve@example.com",
        &long_local,
        &long_label,
    ] {
        assert_eq!(Email::parse(text), Err(EmailFault::Malformed), "{text:?}");
    }
}

#[test]
fn what_looks_like_another_address_is_refused() {
    // promise L5
    for text in [
        "a\u{200b}da@example.com",
        "a\u{200d}da@example.com",
        "ada\u{ad}@example.com",
        "ada@exam\u{ad}ple.com",
        "ada@exa\u{200b}mple.com",
        "\u{202e}ada@example.com",
        "ada\u{2066}@example.com",
        "ada\u{feff}@example.com",
        "ada\u{3164}@example.com",
        "ada\u{fe0f}@example.com",
        "ada\u{e0041}@example.com",
        "ada\u{7f}@example.com",
        "ada\r\n@example.com",
        "ada\0@example.com",
        "ada@example.com\n",
        // Cyrillic a among Latin letters, in the local part and in both forms of the domain.
        "\u{430}da@example.com",
        "ada@ex\u{430}mple.com",
        "ada@xn--exmple-4nf.com",
        // Greek omicron, the ligature fi, a full-width a, a mathematical a, a superscript.
        "b\u{3bf}b@example.com",
        "\u{fb01}n@example.com",
        "\u{ff41}da@example.com",
        "\u{1d41a}da@example.com",
        "ada\u{b2}@example.com",
    ] {
        assert_eq!(Email::parse(text), Err(EmailFault::Deceptive), "{text:?}");
    }
}

#[test]
fn the_limit_of_length_counts_the_canonical_form_too() {
    let domain = |bytes: usize| format!("{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(bytes - 131), "de");
    assert_eq!(Email::parse(&format!("ada@{}", domain(190))).map(|email| email.as_str().len()), Ok(194));
    let longest = format!("{}@{}", "x".repeat(63), domain(190));
    assert_eq!(Email::parse(&longest).map(|email| email.as_str().len()), Ok(MAX_EMAIL_BYTES));
    assert_eq!(Email::parse(&format!("x{longest}")), Err(EmailFault::TooLong));
    assert_eq!(Email::parse(&"a@".repeat(5_000_000)), Err(EmailFault::TooLong));
    let umlauts = format!("{}.", "\u{fc}".repeat(20)).repeat(4);
    assert_eq!(Email::parse(&format!("{}@{umlauts}{}", "x".repeat(60), "a.bc")).map(drop), Ok(()));
}

#[test]
fn nobody_reads_an_address_in_the_log() {
    // promise S1
    assert_eq!(format!("{:?}", Email::parse("ada@example.com")), "Ok([redacted])");
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}@\\PC{0,40}") {
        prop_assert!(Email::parse(&text).is_ok_and(|email| !email.key().is_empty()) || Email::parse(&text).is_err());
    }

    #[test]
    fn a_canonical_address_is_its_own_canonical_form(local in "[a-zA-Z\u{e0}-\u{17f}0-9]{1,12}", domain in "[a-zA-Z\u{e0}-\u{ff}]{1,12}\\.example") {
        if let Ok(email) = Email::parse(&format!("{local}@{domain}")) {
            prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
            prop_assert_eq!(key(email.key()), email.key());
        }
    }
}
