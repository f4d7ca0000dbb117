//! The reference of calls, roles and reasons, and what must hold in the comments that it is written from.

mod contract;
mod errors;
mod page;

use std::collections::BTreeSet;
use std::fs;

use contract::{Contract, Method, Service};
use errors::{common, of_reason, own};

use super::access::Access;
use super::status;
use crate::domain::role::BUILT_IN;
use crate::service::access::Need;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");

/// Reasons that belong to no call of ours: any call may meet a fault, an encoding or a path that is not served, and the
/// last is of the health service.
const OF_NO_CALL: [&str; 4] = ["INTERNAL", "UNSUPPORTED_ENCODING", "UNKNOWN_METHOD", "UNKNOWN_SERVICE"];

#[expect(clippy::disallowed_methods, reason = "a test has no settings to be told by")]
fn is_to_be_written() -> bool {
    std::env::var("UPDATE_REFERENCE").is_ok_and(|value| value == "1")
}

/// The lines that only one of two texts has, as `diff` marks them.
fn difference(old: &str, new: &str) -> String {
    let missing = |from: &str, of: &str, mark: char| {
        let known: BTreeSet<&str> = of.lines().collect();
        let lines = from.lines().filter(|line| !known.contains(line));
        lines.map(|line| format!("{mark} {line}\n")).collect::<Vec<_>>().concat()
    };
    missing(old, new, '-') + &missing(new, old, '+')
}

/// The reasons that a method's own comment names.
fn own_reasons(method: &Method) -> Vec<String> {
    own(method).into_iter().flatten().flat_map(|listed| listed.reasons).collect()
}

/// The reasons that a service's comment names for all of its methods.
fn common_reasons(service: &Service) -> Vec<String> {
    common(service).into_iter().flatten().flat_map(|listed| listed.reasons).collect()
}

#[test]
fn the_reference_is_what_the_contract_says() {
    let new = page::page(&Contract::read());
    if is_to_be_written() {
        fs::write(PAGE, &new).expect("a written page");
    }
    let old = fs::read_to_string(PAGE).expect("docs/reference.md");
    assert!(old == new, "scripts/reference writes docs/reference.md anew:\n{}", difference(&old, &new));
}

#[test]
fn every_method_and_every_service_lists_its_errors() {
    let contract = Contract::read();
    for (service, method) in contract.methods() {
        assert!(own(method).is_some(), "{}.{}: {:?}", service.name, method.name, method.comment);
    }
    for service in &contract.services {
        assert!(common(service).is_some(), "{}: {:?}", service.name, service.comment);
    }
}

#[test]
fn every_reason_that_is_listed_exists_and_has_the_status_that_it_is_listed_with() {
    let contract = Contract::read();
    let mut named: BTreeSet<String> = OF_NO_CALL.map(str::to_owned).into();
    let methods =
        contract.methods().map(|(service, method)| (format!("{}.{}", service.name, method.name), own(method)));
    let services = contract.services.iter().map(|service| (service.name.clone(), common(service)));
    for (place, errors) in methods.chain(services) {
        for listed in errors.into_iter().flatten() {
            for name in listed.reasons {
                let reason = contract.reasons.iter().find(|reason| reason.name == name);
                let code = reason.and_then(of_reason).map(|(code, _)| code);
                assert_eq!(code, Some(listed.code), "{place}: {name}");
                named.insert(name);
            }
        }
    }
    let existing: BTreeSet<String> = contract.reasons.into_iter().map(|reason| reason.name).collect();
    assert_eq!(existing, named, "a reason that no call lists is never sent");
}

#[test]
fn every_reason_is_sent_with_the_status_that_its_comment_says() {
    let mut said = BTreeSet::new();
    for reason in Contract::read().reasons {
        let code = of_reason(&reason).map(|(code, _)| errors::name(code));
        said.insert((reason.name, code));
    }
    let sent = status::tests::rows().into_iter().map(|(code, name, _)| (name, Some(errors::name(code))));
    assert_eq!(said, sent.collect());
}

// promise A1
#[test]
fn whoever_wants_a_bearer_says_what_is_answered_without() {
    let contract = Contract::read();
    for (service, method) in contract.methods() {
        let Access::Bearer(need) = &method.access else { continue };
        let place = format!("{}.{}", service.name, method.name);
        let said = [common_reasons(service), own_reasons(method)].concat();
        assert!(
            ["BEARER_REQUIRED", "ROLE_REQUIRED"].iter().all(|reason| said.contains(&(*reason).to_owned())),
            "{place}"
        );
        let is_recent = *need == Need::OwnBearer { recent_login: true };
        assert_eq!(own_reasons(method).contains(&"REAUTHENTICATION_REQUIRED".to_owned()), is_recent, "{place}");
    }
}

// promise A1
#[test]
fn a_method_asks_for_a_role_that_is_built_in() {
    let contract = Contract::read();
    let asked: BTreeSet<&str> = contract.methods().filter_map(|(_, method)| page::asked_for(method)).collect();
    assert!(asked.iter().all(|role| BUILT_IN.contains(role)), "{asked:?}");
}
