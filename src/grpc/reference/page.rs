//! Writes `docs/reference.md` from the contract.

use std::fmt::Write as _;

use super::contract::{Contract, Method, Service, rules};
use super::errors;
use crate::domain::role::BUILT_IN;
use crate::grpc::access::Access;
use crate::service::access::Need;

const INTRODUCTION: &str = "\
# Reference

Every call, who may make it, and what goes wrong. Written from the comments and the options of
[the contract](../proto/keystead/v1), which has the messages; a test holds this page to it, and `scripts/reference`
writes it anew.

An error has a status and one `google.rpc.ErrorInfo`, whose `domain` is `keystead.v1` and whose `reason` is one of those
[below](#reasons). `google.rpc.BadRequest` names each field at fault, `google.rpc.RetryInfo` says when to try again, and
`google.rpc.RequestInfo` holds the trace id that finds the call in the logs.

## Who may call

| rule | what it asks for |
|---|---|
| public | nothing |
| own bearer | `authorization: Bearer` with the access token of a user, meant for the audience `keystead` |
| own bearer, recent login | the same, of a user who has signed in within the last five minutes |
| role | the access token of a user or a service account, meant for the audience `keystead`; state and roles are read from the database again on every call |

A method without a rule stops the start of the service. Bearer and role are judged before the message is read.
";

/// What the built-in roles are for.
const ROLES: [(&str, &str); 3] = [
    ("user", "every account has it, and it cannot be taken away"),
    ("admin", "administers accounts, roles, service accounts and keys, and reads the audit trail"),
    ("verifier", "is for services that verify tokens by themselves: it watches revocations, and introspects tokens"),
];

pub fn page(contract: &Contract) -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str(&roles(contract));
    page.push_str("\n## Calls\n");
    contract.services.iter().for_each(|service| page.push_str(&calls(service)));
    page.push_str(&others());
    page.push_str(&reasons(contract));
    page
}

fn roles(contract: &Contract) -> String {
    let mut text = String::from(
        "\n## Roles\n\nThese are built in. Administrators create others, for access tokens to carry to other services.\n\n\
         | role | meaning | opens |\n|---|---|---|\n",
    );
    for name in BUILT_IN {
        let (_, meaning) = ROLES.iter().find(|(role, _)| *role == name).expect("the meaning of a built-in role");
        let opened = |service: &&Service| service.methods.iter().any(|method| asked_for(method) == Some(name));
        let services: Vec<String> = contract.services.iter().filter(opened).map(short_name).collect();
        let opens = if services.is_empty() { "no call".to_owned() } else { services.join(", ") };
        row(&mut text, &[&format!("`{name}`"), meaning, &opens]);
    }
    text
}

fn calls(service: &Service) -> String {
    let mut text = format!("\n### {}\n\n{}\n\n", short_name(service), service.comment[0]);
    text.push_str("| call | who may call | what it does | its own errors |\n|---|---|---|---|\n");
    for method in &service.methods {
        let errors = errors::own(method).expect("a list of errors");
        let errors: Vec<String> = errors.into_iter().map(|listed| listed.text).collect();
        let does = format!("{}{}", method.streams, method.comment[0]);
        row(&mut text, &[&format!("`{}`", method.name), &rule(&method.access), &does, &errors.join("<br>")]);
    }
    text.push_str("\nBeside these, every call of the service may answer:\n\n");
    for listed in errors::common(service).expect("a list of common errors") {
        writeln!(text, "- {}", listed.text).expect("a string takes all");
    }
    text
}

/// What is served and is not ours.
fn others() -> String {
    let mut text = String::from("\n### Services of others\n\n| call | who may call |\n|---|---|\n");
    let sets = [
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let mut declared: Vec<_> = sets.into_iter().flat_map(rules).collect();
    declared.sort_by(|(left, _), (right, _)| left.cmp(right));
    for (path, access) in declared {
        row(&mut text, &[&format!("`{}`", path.trim_start_matches('/')), &rule(&access)]);
    }
    text.push_str("\nReflection is served where `grpc.reflection` is on.\n");
    text
}

fn reasons(contract: &Contract) -> String {
    let mut text = String::from("\n## Reasons\n\n| reason | status | meaning |\n|---|---|---|\n");
    let mut reasons: Vec<_> = contract.reasons.iter().collect();
    reasons.sort_by_key(|reason| &reason.name);
    for reason in reasons {
        let (code, meaning) = errors::of_reason(reason).expect("a reason with one status");
        row(&mut text, &[&format!("`{}`", reason.name), errors::name(code), &meaning]);
    }
    text
}

fn rule(access: &Access) -> String {
    match access {
        Access::Public => "public".to_owned(),
        Access::Bearer(Need::OwnBearer { recent_login: false }) => "own bearer".to_owned(),
        Access::Bearer(Need::OwnBearer { recent_login: true }) => "own bearer, recent login".to_owned(),
        Access::Bearer(Need::Role(role)) => format!("role `{role}`"),
    }
}

/// The role that a method asks for.
pub fn asked_for(method: &Method) -> Option<&str> {
    match &method.access {
        Access::Bearer(Need::Role(role)) => Some(role.as_str()),
        Access::Public | Access::Bearer(Need::OwnBearer { .. }) => None,
    }
}

fn short_name(service: &Service) -> String {
    service.name.rsplit('.').next().unwrap_or_default().to_owned()
}

fn row(text: &mut String, cells: &[&str]) {
    writeln!(text, "| {} |", cells.join(" | ")).expect("a string takes all");
}
