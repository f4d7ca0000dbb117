//! Passwords that the policy takes and refuses.

use super::*;

fn judge(text: &str) -> Result<(), PasswordFault> {
    let email = Email::parse("Ada.Lovelace@Example.com").unwrap();
    PasswordPolicy::default().check(&Password::parse(text).unwrap(), &email)
}

#[test]
fn the_embedded_list_has_three_thousand_entries_that_meet_the_length() {
    // promise P3
    let long_enough = COMMON.iter().filter(|entry| entry.chars().count() >= PasswordPolicy::default().min_chars);
    assert!(long_enough.count() >= 3_000);
    assert!(COMMON.iter().all(|entry| entry.to_lowercase() == **entry && entry.nfc().eq(entry.chars())));
}

#[test]
fn common_passwords_are_refused_in_any_case() {
    // promise P3
    for text in ["password", "PassWord1", "1234567890", "qwertyuiop", "iloveyou"] {
        assert_eq!(judge(text), Err(PasswordFault::Common), "{text}");
    }
    assert_eq!(judge("correct horse battery staple"), Ok(()));
}

#[test]
fn the_address_its_parts_and_the_product_are_refused() {
    // promise P3
    for text in ["ada.lovelace", "ADA.LOVELACE", "ada.lovelace@example.com", "Ada.Lovelace1815!", "example.com"] {
        assert_eq!(judge(text), Err(PasswordFault::IsAddress), "{text}");
    }
    for text in ["keystead", "KeyStead", "keystead2026", "keysteadkeystead", "*keystead*"] {
        assert_eq!(judge(text), Err(PasswordFault::IsProduct), "{text}");
    }
    assert_eq!(judge("my keystead is dear to me"), Ok(()));
    let short = Email::parse("k@example.com").unwrap();
    assert_eq!(PasswordPolicy::default().check(&Password::parse("74839201k!").unwrap(), &short), Ok(()));
}

#[test]
fn length_is_counted_in_code_points_of_the_normal_form() {
    // promises P1 and P2
    assert_eq!(judge("h4!xQz9"), Err(PasswordFault::TooShort { minimum: 8 }));
    assert_eq!(judge("\u{4e00}\u{4e8c}\u{4e09}\u{56db}\u{4e94}\u{516d}\u{4e03}\u{516b}"), Ok(()));
    // Eight code points as typed, seven once composed.
    assert_eq!(judge("h4!xQzu\u{308}"), Err(PasswordFault::TooShort { minimum: 8 }));
    assert_eq!(Password::parse("u\u{308}").unwrap().expose(), "\u{fc}");
    assert_eq!(Password::parse(" a b ").unwrap().expose(), " a b ");
}

#[test]
fn a_password_too_long_before_or_after_normalization_is_refused_and_never_cut() {
    // promise P1
    let longest = "\u{1f511}".repeat(MAX_PASSWORD_CHARS);
    assert_eq!(Password::parse(&longest).unwrap().expose(), longest);
    let too_long = ["a".repeat(MAX_PASSWORD_CHARS + 1), "a".repeat(50_000_000), "\u{fb2c}".repeat(MAX_PASSWORD_CHARS)];
    for text in too_long {
        assert_eq!(Password::parse(&text).err(), Some(PasswordFault::TooLong));
    }
    assert_eq!(Password::parse("").err(), Some(PasswordFault::Empty));
}

#[test]
fn nobody_reads_a_password_in_the_log() {
    // promise S1
    assert_eq!(format!("{:?}", Password::parse("a secret of mine")), "Ok([redacted])");
}
