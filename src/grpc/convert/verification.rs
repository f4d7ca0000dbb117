//! Access tokens that are to be judged, and what is expected of them.

use super::violations::Violations;
use crate::grpc::pb;
use crate::service::error::ServiceResult;
use crate::service::token::verify::{Expectations, VerifyRequest};

const MAX_BATCH: usize = 1_000;
const MAX_REQUIRED_ROLES: usize = 32;

pub fn verify(message: pb::VerifyTokenRequest) -> ServiceResult<VerifyRequest> {
    let mut violations = Violations::default();
    check_roles(&message, "required_roles", &mut violations);
    violations.finish(Some(request(message)))
}

pub fn verify_batch(message: pb::BatchVerifyTokensRequest) -> ServiceResult<Vec<VerifyRequest>> {
    let mut violations = Violations::default();
    if message.requests.len() > MAX_BATCH {
        violations.add("requests", "must have at most 1000 elements");
    }
    for (index, one) in message.requests.iter().take(MAX_BATCH).enumerate() {
        check_roles(one, &format!("requests[{index}].required_roles"), &mut violations);
    }
    violations.finish(Some(message.requests.into_iter().map(request).collect()))
}

fn check_roles(message: &pb::VerifyTokenRequest, field: &str, violations: &mut Violations) {
    if message.required_roles.len() > MAX_REQUIRED_ROLES {
        violations.add(field, "must have at most 32 elements");
    }
}

fn request(message: pb::VerifyTokenRequest) -> VerifyRequest {
    let audience = (!message.expected_audience.is_empty()).then_some(message.expected_audience);
    VerifyRequest {
        access_token: message.access_token,
        expectations: Expectations { audience, roles: message.required_roles },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::error::ServiceError;

    fn fields(batch: Vec<pb::VerifyTokenRequest>) -> Vec<String> {
        match verify_batch(pb::BatchVerifyTokensRequest { requests: batch }) {
            Err(ServiceError::InvalidFields(violations)) => {
                violations.into_iter().map(|violation| violation.field).collect()
            }
            Err(other) => panic!("{other}"),
            Ok(_) => Vec::new(),
        }
    }

    fn with_roles(count: usize) -> pb::VerifyTokenRequest {
        pb::VerifyTokenRequest { required_roles: vec!["r".to_owned(); count], ..Default::default() }
    }

    #[test]
    fn a_batch_takes_a_thousand_tokens_and_no_more() {
        assert!(fields(vec![with_roles(0); 1_000]).is_empty());
        assert_eq!(fields(vec![with_roles(0); 1_001]), ["requests"]);
    }

    #[test]
    fn the_elements_at_fault_are_named() {
        assert_eq!(
            fields(vec![with_roles(33), with_roles(32), with_roles(40)]),
            ["requests[0].required_roles", "requests[2].required_roles"]
        );
    }

    #[test]
    fn an_empty_audience_expects_none() {
        let request = verify(with_roles(1)).map(|request| request.expectations).expect("valid");
        assert_eq!(request, Expectations { audience: None, roles: vec!["r".to_owned()] });
    }
}
