//! Who needs a second factor.

use crate::domain::role::RoleName;
use crate::domain::second_factor::METHOD_MFA;
use crate::domain::user::User;

/// Who needs a second factor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactorRule {
    required_roles: Vec<RoleName>,
}

impl FactorRule {
    pub fn new(required_roles: Vec<RoleName>) -> Self {
        Self { required_roles }
    }

    /// Whether one of the roles asks for a second factor.
    pub fn asks(&self, roles: &[String]) -> bool {
        self.required_roles.iter().any(|required| roles.iter().any(|held| held == required.as_str()))
    }

    /// Whether somebody with the roles may act who has proved who they are by the methods.
    pub fn lets_in(&self, roles: &[String], methods: &[String]) -> bool {
        methods.iter().any(|method| method == METHOD_MFA) || !self.asks(roles)
    }
}

/// Whether a sign-in may give the account its first authenticator: whoever registers with an address that is not theirs must
/// not leave one on it for its owner to find. Roles were given to whoever has the account.
pub fn may_enroll_by_sign_in(user: &User) -> bool {
    user.email_verified || user.has_been_given_roles()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    // promise M8
    #[test]
    fn whoever_has_a_role_that_asks_for_it_needs_a_second_factor() {
        let rule = FactorRule::new(["admin", "ops"].map(|name| RoleName::parse(name).unwrap()).into());
        for (roles, methods, let_in) in [
            (&["user"][..], &["pwd"][..], true),
            (&["user", "admin"], &["pwd"], false),
            (&["ops"], &["pwd", "otp"], false),
            (&["ops"], &["pwd", "otp", "mfa"], true),
            (&["admin"], &[], false),
            (&[], &[], true),
        ] {
            assert_eq!(rule.lets_in(&words(roles), &words(methods)), let_in, "{roles:?} {methods:?}");
        }
        assert!(FactorRule::default().lets_in(&words(&["admin"]), &[]), "by default no role asks");
    }
}
