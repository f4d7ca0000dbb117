//! Each path of the mask of `UpdateUser`, allowed or refused.

use keystead::grpc::pb::{self, User, UserState};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::Code;

use super::{administered, create, get, update};
use crate::harness::{Backend, Person, on_each_backend};

/// What an administrator may change; everything else is refused.
const ALLOWED: [&str; 4] = ["display_name", "language", "email", "email_verified"];

/// The fields of `User`, as the descriptors have them.
fn fields_of_user() -> Vec<String> {
    let set = FileDescriptorSet::decode(pb::FILE_DESCRIPTOR_SET).expect("descriptors");
    let mut messages =
        set.file.into_iter().filter(|file| file.package() == "keystead.v1").flat_map(|it| it.message_type);
    let user = messages.find(|message| message.name() == "User").expect("the message");
    user.field.iter().map(|field| field.name().to_owned()).collect()
}

/// Every field with another value than any account has.
fn wanted(person: &Person, id: &str) -> User {
    User {
        id: id.to_owned(),
        email: person.email.clone(),
        email_verified: true,
        display_name: "Wanted".to_owned(),
        state: UserState::Disabled.into(),
        roles: vec!["admin".to_owned()],
        create_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        update_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        etag: String::new(),
        language: "tlh".to_owned(),
    }
}

/// What the account becomes where the path alone is named.
fn with(path: &str, before: &User, wanted: &User, after: &User) -> User {
    let mut expected = User { etag: after.etag.clone(), update_time: after.update_time, ..before.clone() };
    match path {
        "display_name" => expected.display_name.clone_from(&wanted.display_name),
        "language" => expected.language.clone_from(&wanted.language),
        "email" => (expected.email.clone_from(&wanted.email), expected.email_verified = false).0,
        "email_verified" => expected.email_verified = wanted.email_verified,
        other => panic!("{other} may not be changed"),
    }
    expected
}

// promise A3
async fn each_path_changes_its_own_field_or_is_refused(backend: Backend) {
    let (_keystead, admin, _) = administered(backend).await;
    let mut paths = fields_of_user();
    assert!(ALLOWED.iter().all(|allowed| paths.iter().any(|path| path == allowed)), "{paths:?}");
    let nonsense = ["*", "", "password", "password_hash", "epoch", "user.email", "Email", "email ", "roles.0", "é"];
    paths.extend(nonsense.map(str::to_owned));
    for path in paths {
        let before = create(&admin, &Person::new("ada")).await;
        let wanted = wanted(&Person::new("wanted"), &before.id);
        let answer = admin.update_user(update(wanted.clone(), &[&path])).await;
        let after = get(&admin, &before.id).await;
        if ALLOWED.contains(&path.as_str()) {
            assert_eq!(answer.expect("an update").user, Some(after.clone()), "{path}");
            assert_eq!(after, with(&path, &before, &wanted, &after), "{path}");
            assert_ne!(after.etag, before.etag, "{path}");
        } else {
            let failure = answer.expect_err(&path);
            failure.is(Code::InvalidArgument, "INVALID_FIELDS");
            assert_eq!((failure.fields.as_slice(), &after), (&["update_mask".to_owned()][..], &before), "{path}");
        }
    }
}

// promise A3
async fn one_path_at_fault_refuses_the_whole(backend: Backend) {
    let (_keystead, admin, _) = administered(backend).await;
    let before = create(&admin, &Person::new("ada")).await;
    let wanted = wanted(&Person::new("wanted"), &before.id);
    for paths in [&["display_name", "roles"][..], &["state", "email"], &[], &["language", "*"]] {
        let failure = admin.update_user(update(wanted.clone(), paths)).await.expect_err("a refusal");
        failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    }
    let without = pb::UpdateUserRequest { user: Some(wanted.clone()), update_mask: None };
    admin.update_user(without).await.expect_err("a refusal").is(Code::InvalidArgument, "INVALID_FIELDS");
    let faulty = User { email: "nobody".to_owned(), display_name: "a\nb".to_owned(), ..wanted.clone() };
    let failure = admin.update_user(update(faulty, &["email", "display_name"])).await.expect_err("a refusal");
    assert_eq!(failure.fields, ["user.display_name", "user.email"]);
    assert_eq!(get(&admin, &before.id).await, before);
    let all = admin.update_user(update(wanted.clone(), &ALLOWED)).await.expect("an update").user.expect("the account");
    let told = (all.email, all.email_verified, all.display_name, all.language);
    assert_eq!(told, (wanted.email, true, wanted.display_name, wanted.language));
    assert_eq!((all.state, all.roles, all.create_time), (before.state, before.roles, before.create_time));
}

on_each_backend!(each_path_changes_its_own_field_or_is_refused, one_path_at_fault_refuses_the_whole);
