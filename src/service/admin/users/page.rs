//! What page tokens of lists of accounts hold, and what they are bound to.

use serde_json::json;
use uuid::Uuid;

use crate::crypto::page_token::{PageScope, PageTokenFault, PageTokens};
use crate::domain::clock::{Entropy, Timestamp};
use crate::domain::id::{PrincipalId, UserId};
use crate::domain::role::RoleName;
use crate::domain::user::UserState;
use crate::domain::user_list::{UserFilter, UserOrder, UserPosition};

/// The list, who asks, and for what: all but how many at once, which may change from page to page.
pub fn scope(filter: &UserFilter, order: UserOrder, caller: PrincipalId) -> PageScope {
    let question = json!([
        word_of_order(order),
        filter.state.map(word_of_state),
        filter.role.as_ref().map(RoleName::as_str),
        filter.created_from.map(Timestamp::as_millis),
        filter.created_until.map(Timestamp::as_millis),
        filter.email_prefix.as_str(),
    ]);
    PageScope { list: "users", caller: caller.to_string(), question: question.to_string() }
}

pub fn issue(tokens: &PageTokens, scope: &PageScope, last: &UserPosition, entropy: &dyn Entropy) -> String {
    let mut position = last.created_at.as_millis().to_be_bytes().to_vec();
    position.extend_from_slice(last.id.as_uuid().as_bytes());
    position.extend_from_slice(last.email_key.as_bytes());
    tokens.issue(scope, &position, entropy)
}

pub fn open(tokens: &PageTokens, scope: &PageScope, token: &str) -> Result<UserPosition, PageTokenFault> {
    let position = tokens.open(scope, token)?;
    parse(&position).ok_or(PageTokenFault)
}

/// Fails only on what another version of the service has sealed.
fn parse(position: &[u8]) -> Option<UserPosition> {
    let (millis, rest) = position.split_first_chunk()?;
    let (id, email_key) = rest.split_first_chunk()?;
    Some(UserPosition {
        created_at: Timestamp::from_millis(i64::from_be_bytes(*millis)),
        id: UserId::from_uuid(Uuid::from_bytes(*id)),
        email_key: std::str::from_utf8(email_key).ok()?.to_owned(),
    })
}

fn word_of_order(order: UserOrder) -> &'static str {
    match order {
        UserOrder::Created => "created",
        UserOrder::CreatedDescending => "created_descending",
        UserOrder::Email => "email",
        UserOrder::EmailDescending => "email_descending",
    }
}

fn word_of_state(state: UserState) -> &'static str {
    match state {
        UserState::Active => "active",
        UserState::Disabled => "disabled",
    }
}
