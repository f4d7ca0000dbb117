//! Accounts come in from another service, and leave.

mod streams;

use keystead::grpc::pb::{
    DisableUserRequest, ErrorReason, ImportResult, ImportStatus, UserFilter, UserImport, UserState,
};
use prost::Message as _;
use tonic::Code;

use crate::harness::import::Import;
use crate::harness::records::canary;
use crate::harness::{Backend, Client, Keystead, Person, Setup, WRONG_PASSWORD, on_each_backend};

/// Of each kind one: Firebase's own example, the others made with passlib, bcrypt, argon2-cffi and hashlib of Python.
const HASHES: [(&str, &str); 9] = [
    (
        "user1password",
        "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    ),
    (STAPLE, "$2a$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K"),
    (STAPLE, "$2b$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K"),
    (STAPLE, "$2y$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K"),
    (STAPLE, "$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$tjK03tRvEjqCcPwmgtddMkgjlXrk8U/b9rIvfeBMKCc"),
    (STAPLE, "$pbkdf2-sha1$13100$MDEyMzQ1Njc4OWFiY2RlZg$wnlvm9IDhzJ.F3d9tFOund/LMkw"),
    (
        STAPLE,
        "$pbkdf2-sha256$i=27500,l=64$MDEyMzQ1Njc4OWFiY2RlZg$DGzF4+RpmttWHV7FCaK41NYsG4Rc9QqDO8q71k0T1ODS+Ooo+SM5Ep4eJNd+eywW2X+UkNdTatqTScXAD7qm+w",
    ),
    (
        STAPLE,
        "$pbkdf2-sha512$i=10000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$65k18lcTeFdukscQY3D3rRdwY5aW4wdAVnY52d5rJSdq3bBmC871USjyB75nPDYhNt2RBZGJYOqmA3AxJjx2Gg",
    ),
    (STAPLE, "$argon2id$v=19$m=1024,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg"),
];
const STAPLE: &str = "correct horse battery staple";
const BCRYPT: &str = HASHES[2].1;

async fn administered(backend: Backend) -> (Keystead, Client, Person) {
    let keystead = Setup::on(backend).start().await;
    let root = Person::new("root");
    let (admin, _) = root.register_as_administrator(&keystead, &keystead.client().await).await;
    (keystead, admin, root)
}

fn row(external_id: &str, email: &str) -> UserImport {
    UserImport { external_id: external_id.to_owned(), email: email.to_owned(), ..UserImport::default() }
}

fn with_hash(row: UserImport, hash: &str) -> UserImport {
    UserImport { password_hash: hash.to_owned(), ..row }
}

fn statuses(results: &[ImportResult]) -> Vec<ImportStatus> {
    results.iter().map(ImportResult::status).collect()
}

/// Why a row was refused, and the fields that were at fault.
fn refusal(result: &ImportResult) -> (ErrorReason, Vec<&str>) {
    assert_eq!((result.status(), result.user_id.as_str()), (ImportStatus::Refused, ""));
    (result.reason(), result.faults.iter().map(|fault| fault.field.as_str()).collect())
}

// promise P4
async fn a_hash_of_every_kind_opens_its_account_and_is_renewed(backend: Backend) {
    let (keystead, admin, _) = administered(backend).await;
    let client = keystead.client().await;
    let people: Vec<_> = HASHES.iter().map(|_| Person::new("ada").email).collect();
    let rows = HASHES.iter().zip(&people).map(|((_, hash), email)| with_hash(row("", email), hash));
    let results = admin.import(rows.collect()).await.expect("results");
    assert_eq!(statuses(&results), [ImportStatus::Created; HASHES.len()]);
    let before = keystead.rows().await.events("authn_password_rehash").await;
    for ((password, hash), email) in HASHES.iter().zip(&people) {
        let refused = client.log_in(email, WRONG_PASSWORD).await.expect_err(hash);
        refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
        client.log_in(email, password).await.expect(hash);
        client.log_in(email, password).await.expect("the fresh hash is of the same password");
        let renewed = format!(
            "SELECT count(*) FROM users WHERE email = '{email}' AND password_hash LIKE '$argon2id$v=19$m=19456,%'"
        );
        assert_eq!(keystead.rows().await.number(&renewed).await, 1, "{hash}");
    }
    let renewed = keystead.rows().await.events("authn_password_rehash").await - before;
    assert_eq!(renewed, i64::try_from(HASHES.len()).expect("few"), "each once");
}

async fn rows_at_fault_are_refused_with_their_reasons_and_the_rest_goes_in(backend: Backend) {
    let (keystead, admin, root) = administered(backend).await;
    let word = canary("word");
    let faulty = UserImport {
        external_id: format!("{word}\n"),
        email: word.clone(),
        display_name: format!("{word}\u{202e}"),
        language: format!("{word}!"),
        state: 7,
        roles: vec!["verifier".to_owned(), "admin".to_owned(), format!("{word} {word}")],
        password_hash: word.clone(),
        create_time: Some(prost_types::Timestamp { seconds: 253_402_300_799, nanos: 0 }),
        ..UserImport::default()
    };
    let [ada, bob, cem, dee] = ["ada", "bob", "cem", "dee"].map(|name| Person::new(name).email);
    let unknown = UserImport { roles: vec!["billing".to_owned()], ..row("3", &cem) };
    let dear = with_hash(
        row("4", &dee),
        "$argon2id$v=19$m=4194304,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg",
    );
    let rows = vec![row("1", &ada), faulty, row("2", &root.email), unknown, dear, row("5", &bob)];
    let results = admin.import(rows).await.expect("results");
    assert_eq!(results.iter().map(|result| result.row).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!((results[0].status(), results[5].status()), (ImportStatus::Created, ImportStatus::Created));
    let (reason, mut fields) = refusal(&results[1]);
    fields.sort_unstable();
    let expected = [
        "create_time",
        "display_name",
        "email",
        "external_id",
        "language",
        "password_hash",
        "roles[1]",
        "roles[2]",
        "state",
    ];
    assert_eq!((reason, fields), (ErrorReason::InvalidFields, expected.to_vec()));
    let told = format!("{:?}", results[1]);
    assert!(!told.contains(&word), "no input is told: {told}");
    assert_eq!(refusal(&results[2]), (ErrorReason::EmailTaken, vec![]));
    assert_eq!(refusal(&results[3]), (ErrorReason::RoleUnknown, vec![]));
    assert_eq!(refusal(&results[4]), (ErrorReason::InvalidFields, vec!["password_hash"]));
    let rows = keystead.rows().await;
    assert_eq!(rows.number("SELECT count(*) FROM users").await, 3);
    assert_eq!(rows.number("SELECT count(*) FROM audit_events WHERE detail = 'import' AND actor IS NOT NULL").await, 2);
}

// promises A4, X6
async fn an_import_changes_nobody_who_is_there(backend: Backend) {
    let (keystead, admin, root) = administered(backend).await;
    let client = keystead.client().await;
    let taken_over = with_hash(row("", &root.email), BCRYPT);
    let results = admin.import(vec![taken_over]).await.expect("results");
    assert_eq!(statuses(&results), [ImportStatus::Exists]);
    let refused = client.log_in(&root.email, STAPLE).await.expect_err("nobody's password");
    refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    root.log_in(&client).await.expect("the password stays");
}

async fn what_is_sent_again_is_there_already(backend: Backend) {
    let (_keystead, admin, _) = administered(backend).await;
    let ada = Person::new("ada").email;
    let rows = || vec![row("1", &ada), row("", &ada), row("2", &Person::new("bob").email)];
    let mut import = Import::begin(&admin).await.expect("begun");
    let first = import.send(rows()).await.expect("results");
    assert_eq!(statuses(&first), [ImportStatus::Created, ImportStatus::Exists, ImportStatus::Created]);
    let again = import.send(rows()).await.expect("results");
    assert_eq!(statuses(&again), [ImportStatus::Exists; 3]);
    assert_eq!(again.iter().map(|result| result.row).collect::<Vec<_>>(), [4, 5, 6]);
    let ids = |results: &[ImportResult]| results.iter().map(|result| result.user_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&first));
    import.end().await;
}

// promises T8, A1
async fn who_is_disabled_meanwhile_takes_nobody_in_any_more(backend: Backend) {
    let (keystead, admin, _) = administered(backend).await;
    let (second, user) = Person::new("second").register_as_administrator(&keystead, &keystead.client().await).await;
    let mut import = Import::begin(&second).await.expect("begun");
    import.send(vec![row("1", &Person::new("ada").email)]).await.expect("results");
    admin.disable_user(DisableUserRequest { user_id: user.id }).await.expect("closed");
    let late = Person::new("late").email;
    let refused = import.send(vec![row("2", &late)]).await.expect_err("no leave any more");
    refused.is(Code::Unauthenticated, "BEARER_REQUIRED");
    assert_eq!(keystead.rows().await.number(&format!("SELECT count(*) FROM users WHERE email = '{late}'")).await, 0);
}

// promise N2
async fn a_message_has_500_rows_and_1_mib_at_most(backend: Backend) {
    let (_keystead, admin, _) = administered(backend).await;
    let rows = |count: usize| (0..count).map(|_| row("", "nobody")).collect::<Vec<_>>();
    assert_eq!(admin.import(rows(500)).await.expect("results").len(), 500);
    let failure = admin.import(rows(501)).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["users"]);
    let large = UserImport { display_name: "x".repeat(1024 * 1024), ..row("", "nobody") };
    admin.import(vec![large]).await.expect_err("a refusal").is(Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    let fits = UserImport { display_name: "x".repeat(1024 * 1024 - 100), ..row("", "nobody") };
    assert_eq!(refusal(&admin.import(vec![fits]).await.expect("results")[0]).1, ["email", "display_name"]);
}

// promises A7, G1
async fn an_export_gives_everybody_away_but_no_hash_and_is_told(backend: Backend) {
    let (keystead, admin, root) = administered(backend).await;
    let rows = (0..450).map(|number| with_hash(row(&number.to_string(), &format!("user{number}@example.com")), BCRYPT));
    admin.import(rows.collect()).await.expect("results");
    let closed = UserImport { state: UserState::Disabled.into(), ..row("closed", "closed@example.com") };
    admin.import(vec![closed]).await.expect("results");
    let everybody = admin.export(UserFilter::default()).await.expect("accounts");
    assert_eq!(everybody.len(), 452);
    let of = |email: &str| everybody.iter().find(|it| it.user.as_ref().is_some_and(|user| user.email == email));
    assert_eq!(of("user7@example.com").expect("an account").external_id, "7");
    assert_eq!(of(&root.email).expect("an account").external_id, "");
    for exported in &everybody {
        let bytes = exported.encode_to_vec();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("$2b$") && !text.contains("$argon2"), "a hash in an answer");
    }
    let filter = UserFilter { state: UserState::Disabled.into(), ..UserFilter::default() };
    let closed = admin.export(filter).await.expect("accounts");
    assert_eq!(closed.iter().map(|it| it.external_id.as_str()).collect::<Vec<_>>(), ["closed"]);
    let told =
        "SELECT count(*) FROM audit_events WHERE kind = 'users_exported' AND actor IS NOT NULL AND detail IS NULL";
    assert_eq!(keystead.rows().await.number(told).await, 2);
    let faulty = UserFilter { role: "No Role".to_owned(), ..UserFilter::default() };
    admin.export(faulty).await.expect_err("a refusal").is(Code::InvalidArgument, "INVALID_FIELDS");
}

on_each_backend!(
    a_hash_of_every_kind_opens_its_account_and_is_renewed,
    rows_at_fault_are_refused_with_their_reasons_and_the_rest_goes_in,
    an_import_changes_nobody_who_is_there,
    what_is_sent_again_is_there_already,
    who_is_disabled_meanwhile_takes_nobody_in_any_more,
    a_message_has_500_rows_and_1_mib_at_most,
    an_export_gives_everybody_away_but_no_hash_and_is_told,
);
