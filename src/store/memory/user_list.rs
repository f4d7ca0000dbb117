//! Which accounts a list has, and in what order.

use std::cmp::Ordering;

use crate::domain::user::User;
use crate::domain::user_list::{UserFilter, UserOrder, UserPosition};

pub(super) fn compare(order: UserOrder, one: &UserPosition, other: &UserPosition) -> Ordering {
    let by_creation = || (one.created_at, one.id).cmp(&(other.created_at, other.id));
    let by_email = || one.email_key.cmp(&other.email_key);
    match order {
        UserOrder::Created => by_creation(),
        UserOrder::CreatedDescending => by_creation().reverse(),
        UserOrder::Email => by_email(),
        UserOrder::EmailDescending => by_email().reverse(),
    }
}

pub(super) fn is_chosen(user: &User, filter: &UserFilter) -> bool {
    let has = |role: &str| user.roles.iter().any(|had| had == role);
    user.email.key().starts_with(filter.email_prefix.as_str())
        && filter.role.as_ref().is_none_or(|role| has(role.as_str()))
        && filter.state.is_none_or(|state| user.state == state)
        && filter.created_from.is_none_or(|from| from <= user.created_at)
        && filter.created_until.is_none_or(|until| user.created_at < until)
}
