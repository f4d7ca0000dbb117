//! Hashes of every form, right, wrong, outdated and too dear.

use super::*;
use crate::crypto::testing::TestEntropy;

const PASSWORD: &str = "correct horse battery staple";

/// Made with passlib, bcrypt, argon2-cffi and hashlib of Python.
const FOREIGN: [&str; 14] = [
    "$pbkdf2-sha256$29000$MDEyMzQ1Njc4OWFiY2RlZg$vajIaozrb7q4x.G3R5Y.FIe07ZH3QEjPYV1bs8kEikU",
    "$pbkdf2-sha512$25000$MDEyMzQ1Njc4OWFiY2RlZg$1ghj0T0HZWch00LfnhjXx3er7ZDEEN1BF6pxsBlgz/d07d.Qxz5Kg1Oz9g8VdS6ebiSwisnASzPZrBoVE1c39Q",
    "$pbkdf2$13100$MDEyMzQ1Njc4OWFiY2RlZg$wnlvm9IDhzJ.F3d9tFOund/LMkw",
    "$pbkdf2-sha1$13100$MDEyMzQ1Njc4OWFiY2RlZg$wnlvm9IDhzJ.F3d9tFOund/LMkw",
    "$pbkdf2-sha256$i=10000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$VqOEAUrTaAjMD6sh91JvmGtbD+YNGnXNMbfIDxgj094",
    "$pbkdf2-sha512$i=10000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$65k18lcTeFdukscQY3D3rRdwY5aW4wdAVnY52d5rJSdq3bBmC871USjyB75nPDYhNt2RBZGJYOqmA3AxJjx2Gg",
    "$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$tjK03tRvEjqCcPwmgtddMkgjlXrk8U/b9rIvfeBMKCc",
    "$2a$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K",
    "$2b$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K",
    "$2y$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K",
    "$argon2id$v=19$m=1024,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg",
    "$argon2i$v=19$m=1024,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$npc+DxKV2aFAYE2CysNW/FRsvGLFX9ABqsyRqwU9Z90",
    "$argon2d$v=19$m=1024,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$ffyeBWZJygnQrD1JhgCFPhohv0eRNyS87sj8RyPtPkk",
    "$argon2i$v=16$m=1024,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MUeULayNf9U0lCFs47j7VrYnrah//gpoEBlMQmhJ4jU",
];
const DEARER: &str =
    "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$77UfmnZYT23WpPeUKhovauWm5OxRQv9nTf1dJ+tF5EY";

fn judge(pepper: Option<&[u8]>) -> Judge {
    let pepper = pepper.map(|pepper| Zeroizing::new(pepper.to_vec()));
    Judge::new(&Settings { pepper, ..Settings::default() }, Arc::new(TestEntropy::default())).unwrap()
}

fn verify(judge: &Judge, password: &str, stored: &str) -> PasswordVerdict {
    let password = Password::parse(password).unwrap();
    judge.verify(&password, Some(&PasswordHash::new(stored)), &mut Memory::default())
}

fn is_wrong(verdict: &PasswordVerdict) -> bool {
    matches!(verdict, PasswordVerdict::Wrong)
}

fn hash(judge: &Judge) -> String {
    judge.hash(&Password::parse(PASSWORD).unwrap(), &mut Memory::default()).unwrap().as_str().to_owned()
}

// promise P4
#[test]
fn an_own_hash_is_a_phc_string_that_verifies_and_is_current() {
    let judge = judge(None);
    let stored = hash(&judge);
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert!(matches!(verify(&judge, PASSWORD, &stored), PasswordVerdict::Right { rehash: None }));
    assert!(is_wrong(&verify(&judge, "correct horse battery stapl", &stored)));
    assert_ne!(stored, hash(&judge), "each hash has a salt of its own");
}

// promise P4
#[test]
fn a_foreign_or_outdated_hash_verifies_once_and_comes_back_as_an_own_one() {
    let judge = judge(None);
    for stored in FOREIGN.into_iter().chain([DEARER]) {
        assert!(is_wrong(&verify(&judge, "another password", stored)), "{stored}");
        let PasswordVerdict::Right { rehash: Some(fresh) } = verify(&judge, PASSWORD, stored) else {
            panic!("{stored} does not match or is not renewed");
        };
        let again = verify(&judge, PASSWORD, fresh.as_str());
        assert!(matches!(again, PasswordVerdict::Right { rehash: None }), "{stored}");
    }
}

// promise P1
#[test]
fn bcrypt_saw_72_bytes_only_and_the_fresh_hash_sees_all() {
    let judge = judge(None);
    let stored = "$2b$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q";
    let (long, other) = ("x".repeat(73), format!("{}y", "x".repeat(72)));
    let PasswordVerdict::Right { rehash: Some(fresh) } = verify(&judge, &long, stored) else {
        panic!("the format itself takes both");
    };
    assert!(!is_wrong(&verify(&judge, &long, fresh.as_str())));
    assert!(is_wrong(&verify(&judge, &other, fresh.as_str())));
}

#[test]
fn a_password_with_a_nul_matches_no_bcrypt_hash() {
    // A key that starts over after its NUL is the same key to bcrypt.
    let repeated = format!("{PASSWORD}\0{PASSWORD}");
    assert!(is_wrong(&verify(&judge(None), &repeated, FOREIGN[8])));
}

// promise P4
#[test]
fn a_hash_that_would_exhaust_the_machine_or_is_none_is_wrong_and_takes_no_memory() {
    let judge = judge(None);
    let salted = "$MDEyMzQ1Njc4OWFiY2RlZg$1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg";
    let mut cases: Vec<String> = [
        "$argon2id$v=19$m=4294967295,t=2,p=1",
        "$argon2id$v=19$m=262145,t=1,p=1",
        "$argon2id$v=19$m=1024,t=4294967295,p=1",
        "$argon2id$v=19$m=1024,t=2,p=16777215",
        "$argon2id$v=19$m=1024,t=0,p=1",
        "$argon2id$v=18$m=1024,t=2,p=1",
        "$argon2id$v=19$m=1024,t=2,p=1,data=AAAA",
        "$argon2id$v=19$m=1024,t=2,p=1,keyid=AAAAAAAA",
        "$argon2id$v=19$m=-1,t=2,p=1",
        "$argon2x$v=19$m=1024,t=2,p=1",
        "$scrypt$ln=31,r=8,p=1",
        "$scrypt$ln=63,r=8,p=1",
        "$scrypt$ln=64,r=8,p=1",
        "$scrypt$ln=4294967295,r=8,p=1",
        "$scrypt$ln=14,r=4294967295,p=4294967295",
        "$scrypt$ln=14,r=8,p=4294967295",
        "$scrypt$ln=0,r=8,p=1",
        "$scrypt$ln=14,r=0,p=1",
        "$pbkdf2-sha256$4294967295",
        "$pbkdf2-sha256$0",
        "$pbkdf2-sha256$i=4000000",
        "$pbkdf2-md5$1000",
        "$unknown$a=1",
    ]
    .map(|head| format!("{head}{salted}"))
    .into();
    cases.extend(
        [
            "",
            "$",
            "$$$",
            "plain text",
            "$2b$31$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K",
            "$2b$03$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K",
            "$2x$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K",
            "$2b$06$short",
            "$argon2id$v=19$m=1024,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$",
            "$argon2id$v=19$m=1024,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA",
            "$argon2id$v=19$m=1024,t=2,p=1$AAAA$1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg",
            "$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$",
        ]
        .map(String::from),
    );
    for stored in cases {
        assert!(judge.check(PASSWORD.as_bytes(), &stored, &mut Memory::default()).is_none(), "{stored}");
        assert!(is_wrong(&verify(&judge, PASSWORD, &stored)), "{stored}");
    }
}

// promise P4
#[test]
fn a_number_with_a_sign_and_a_parameter_that_is_named_twice_are_no_cost() {
    let salted = "$MDEyMzQ1Njc4OWFiY2RlZg$1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg";
    let bcrypt = "$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K";
    for (sound, doubtful, tail) in [
        ("$argon2id$v=19$m=1024,t=2,p=1", "$argon2id$v=+19$m=1024,t=2,p=1", salted),
        ("$argon2id$v=19$m=1024,t=2,p=1", "$argon2id$v=19$m=+1024,t=2,p=1", salted),
        ("$argon2id$v=19$m=1024,t=2,p=1", "$argon2id$v=19$m=1024,m=1024,t=2,p=1", salted),
        ("$argon2id$v=19$m=1024,t=2,p=1", "$argon2id$v=19$m=1024,t=2,p=1,p=2", salted),
        ("$scrypt$ln=14,r=8,p=1", "$scrypt$ln=14,ln=14,r=8,p=1", salted),
        ("$scrypt$ln=14,r=8,p=1", "$scrypt$ln=+14,r=8,p=1", salted),
        ("$pbkdf2-sha256$i=1000", "$pbkdf2-sha256$i=1000,i=2000", salted),
        ("$pbkdf2-sha256$1000", "$pbkdf2-sha256$+1000", salted),
        ("$2b$06", "$2b$+6", bcrypt),
        ("$2b$06", "$2b$6", bcrypt),
        ("$2b$06", "$2b$006", bcrypt),
    ] {
        let can_check = |head: &str| judge(None).can_check(&format!("{head}{tail}"));
        assert!(can_check(sound) && !can_check(doubtful), "{doubtful}");
    }
}

// promise P4
#[test]
fn hashes_from_before_the_pepper_verify_and_are_renewed_under_it() {
    let (plain, peppered) = (judge(None), judge(Some(b"0123456789abcdef")));
    let PasswordVerdict::Right { rehash: Some(fresh) } = verify(&peppered, PASSWORD, &hash(&plain)) else {
        panic!("an older hash must be renewed");
    };
    assert!(fresh.as_str().contains(",keyid="));
    assert!(matches!(verify(&peppered, PASSWORD, fresh.as_str()), PasswordVerdict::Right { rehash: None }));
    assert!(is_wrong(&verify(&plain, PASSWORD, fresh.as_str())), "worthless without the pepper");
    assert!(is_wrong(&verify(&judge(Some(b"fedcba9876543210")), PASSWORD, fresh.as_str())));
    let (before, rest) = fresh.as_str().split_once(",keyid=").unwrap();
    let (_, after) = rest.split_once('$').unwrap();
    assert!(is_wrong(&verify(&plain, PASSWORD, &format!("{before}${after}"))), "also where it says nothing of one");
}

// promise L6
#[test]
fn the_dummy_matches_nothing() {
    let password = Password::parse(PASSWORD).unwrap();
    assert!(is_wrong(&judge(None).verify(&password, None, &mut Memory::default())));
}
