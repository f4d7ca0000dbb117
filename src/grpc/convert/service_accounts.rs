//! Service accounts, and what they exchange.

use std::time::Duration;

use super::violations::Violations;
use super::{ids, pages, time};
use crate::domain::id::ServiceAccountId;
use crate::domain::name::Name;
use crate::domain::role::RoleName;
use crate::domain::service_account::{SecretLife, ServiceAccount};
use crate::grpc::pb;
use crate::service::admin::service_accounts::create::CreateServiceAccountRequest;
use crate::service::auth::token_set::ServiceToken;
use crate::service::error::ServiceResult;
use crate::service::token::issue_service_token::IssueServiceTokenRequest;

const MAX_AUDIENCES: usize = 32;
const MAX_ROLES: usize = 32;
const DAY: Duration = Duration::from_hours(24);
const DEFAULT_OVERLAP: Duration = DAY;
const MAX_OVERLAP: Duration = Duration::from_hours(30 * 24);

pub fn service_account(account: ServiceAccount) -> pb::ServiceAccount {
    pb::ServiceAccount {
        id: account.id.to_string(),
        display_name: account.display_name.as_str().to_owned(),
        audiences: account.audiences,
        roles: account.roles.iter().map(RoleName::to_string).collect(),
        create_time: Some(time::timestamp(account.created_at)),
        secrets: account.secrets.into_iter().map(secret).collect(),
    }
}

fn secret(life: SecretLife) -> pb::ServiceAccountSecret {
    pb::ServiceAccountSecret {
        create_time: Some(time::timestamp(life.created_at)),
        expire_time: life.expires_at.map(time::timestamp),
    }
}

pub fn create(message: pb::CreateServiceAccountRequest) -> ServiceResult<CreateServiceAccountRequest> {
    let mut violations = Violations::default();
    let display_name = violations.check("display_name", Name::parse(&message.display_name));
    if message.audiences.is_empty() || message.audiences.len() > MAX_AUDIENCES {
        violations.add("audiences", "must have 1 to 32 elements");
    }
    if message.roles.len() > MAX_ROLES {
        violations.add("roles", "must have at most 32 elements");
    }
    let named = message.roles.iter().take(MAX_ROLES).enumerate();
    let mut roles: Vec<RoleName> =
        named.filter_map(|(index, role)| violations.check(&format!("roles[{index}]"), RoleName::parse(role))).collect();
    roles.sort_unstable();
    roles.dedup();
    let audiences = message.audiences;
    violations.finish(display_name.map(|display_name| CreateServiceAccountRequest { display_name, audiences, roles }))
}

pub fn page_size(message: &pb::ListServiceAccountsRequest) -> ServiceResult<u32> {
    let mut violations = Violations::default();
    let size = pages::size(message.page_size, &mut violations);
    violations.finish(Some(size))
}

pub fn rotate(message: &pb::RotateServiceAccountSecretRequest) -> ServiceResult<(ServiceAccountId, Duration)> {
    let mut violations = Violations::default();
    let id = ids::service_account("service_account_id", &message.service_account_id, &mut violations);
    let overlap = match &message.overlap {
        None => Some(DEFAULT_OVERLAP),
        Some(asked) => violations.check("overlap", overlap(asked)),
    };
    violations.finish(id.zip(overlap))
}

fn overlap(asked: &prost_types::Duration) -> Result<Duration, &'static str> {
    let span = time::span(asked).filter(|span| *span <= MAX_OVERLAP);
    span.ok_or("must be from 0 to 30 days")
}

pub fn delete(message: &pb::DeleteServiceAccountRequest) -> ServiceResult<ServiceAccountId> {
    let mut violations = Violations::default();
    let id = ids::service_account("service_account_id", &message.service_account_id, &mut violations);
    violations.finish(id)
}

pub fn issue(message: pb::IssueServiceTokenRequest) -> ServiceResult<IssueServiceTokenRequest> {
    let mut violations = Violations::default();
    let id = ids::service_account("service_account_id", &message.service_account_id, &mut violations);
    let (secret, audience) = (message.secret, message.audience);
    violations.finish(id.map(|account| IssueServiceTokenRequest { account, secret, audience }))
}

pub fn issued(token: ServiceToken) -> pb::IssueServiceTokenResponse {
    pb::IssueServiceTokenResponse {
        access_token: token.access_token,
        expire_time: Some(time::timestamp(token.expires_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_is_a_day_unless_said_otherwise_and_thirty_at_most() {
        let id = "0190163d-8694-739b-aea5-966c26f8ad91".to_owned();
        let of = |overlap: Option<(i64, i32)>| {
            let overlap = overlap.map(|(seconds, nanos)| prost_types::Duration { seconds, nanos });
            let message = pb::RotateServiceAccountSecretRequest { service_account_id: id.clone(), overlap };
            rotate(&message).map(|(_, overlap)| overlap).ok()
        };
        assert_eq!(of(None), Some(DAY));
        assert_eq!(of(Some((0, 0))), Some(Duration::ZERO));
        assert_eq!(of(Some((30 * 86_400, 0))), Some(30 * DAY));
        for refused in [(30 * 86_400, 1), (-1, 0), (0, -1), (i64::MAX, 0), (i64::MIN, 0)] {
            assert_eq!(of(Some(refused)), None, "{refused:?}");
        }
    }
}
