//! What a gateway's route asks of its callers, as the gateway's configuration says it.

use keystead_verifier::Expectations;

use crate::domain::role::RoleName;

const PUBLIC: &str = "public";
const AUDIENCE: &str = "audience";
const ROLES: &str = "roles";

/// The audience of a route that takes tokens meant for any service.
const ANY_AUDIENCE: &str = "*";

/// Names by which a route's configuration speaks to this service.
pub const NAMES: [&str; 3] = [PUBLIC, AUDIENCE, ROLES];

/// What a route asks of its callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Nobody is asked who they are.
    Public,
    /// A good bearer, as expected.
    Bearer(Expectations),
}

/// The route's configuration has a name that means nothing, a value that cannot be, says both `public` and whom it
/// wants, or neither that nor an audience. To guess what was meant would let somebody pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the gateway's route is configured with what cannot be")]
pub struct RouteFault;

impl Route {
    /// By names and values: `public` is `true` or `false`, `audience` a text, `roles` names separated by commas. A route
    /// that is not public names its audience, or says by `*` that it has none: else a token that was handed to one
    /// service would open the others (RFC 9068, section 4).
    pub fn parse<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, RouteFault> {
        let (mut is_public, mut audience, mut roles) = (None, None, None);
        for (name, value) in values {
            let is_new = match name {
                PUBLIC => is_public.replace(flag(value)?).is_none(),
                AUDIENCE if !value.is_empty() => audience.replace(value.to_owned()).is_none(),
                ROLES => roles.replace(names(value)?).is_none(),
                _ => false,
            };
            if !is_new {
                return Err(RouteFault);
            }
        }
        match (is_public.unwrap_or(false), audience, roles) {
            (true, None, None) => Ok(Self::Public),
            (true, _, _) | (false, None, _) => Err(RouteFault),
            (false, Some(audience), roles) => {
                let audience = (audience != ANY_AUDIENCE).then_some(audience);
                Ok(Self::Bearer(Expectations { audience, roles: roles.unwrap_or_default() }))
            }
        }
    }
}

fn flag(value: &str) -> Result<bool, RouteFault> {
    value.parse().map_err(|_| RouteFault)
}

fn names(list: &str) -> Result<Vec<String>, RouteFault> {
    let name = |text: &str| RoleName::parse(text.trim()).map(|role| role.to_string());
    list.split(',').map(name).collect::<Result<_, _>>().map_err(|_| RouteFault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(audience: Option<&str>, roles: &[&str]) -> Route {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Route::Bearer(Expectations { audience: audience.map(str::to_owned), roles })
    }

    #[test]
    fn a_route_says_whom_it_wants() {
        assert_eq!(Route::parse([("public", "true")]), Ok(Route::Public));
        assert_eq!(Route::parse([("public", "false"), ("audience", "shop")]), Ok(bearer(Some("shop"), &[])));
        let staff = [("roles", "admin, user"), ("audience", "shop")];
        assert_eq!(Route::parse(staff), Ok(bearer(Some("shop"), &["admin", "user"])));
        assert_eq!(Route::parse([("audience", "*")]), Ok(bearer(None, &[])));
    }

    #[test]
    fn what_cannot_be_is_never_taken_for_something_else() {
        const SHOP: (&str, &str) = ("audience", "shop");
        for values in [
            &[][..],
            &[("public", "false")],
            &[("roles", "admin")],
            &[SHOP, ("role", "admin")],
            &[SHOP, ("Roles", "admin")],
            &[SHOP, ("roles", "")],
            &[SHOP, ("roles", "admin,")],
            &[SHOP, ("roles", "Admin")],
            &[SHOP, ("roles", "user"), ("roles", "admin")],
            &[SHOP, SHOP],
            &[("audience", "")],
            &[("public", "yes")],
            &[("public", "")],
            &[("public", "true"), ("roles", "admin")],
            &[("public", "true"), ("audience", "shop")],
            &[("public", "false"), ("public", "true")],
        ] {
            assert_eq!(Route::parse(values.iter().copied()), Err(RouteFault), "{values:?}");
        }
    }
}
