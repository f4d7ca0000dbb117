//! A row of an import as whoever sends it has written it, and what it has to be.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::domain::clock::Timestamp;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::language::Language;
use crate::domain::name::Name;
use crate::domain::role::RoleName;
use crate::domain::user::{PasswordHash, ROLE_ADMIN, ROLE_USER, UserState};
use crate::domain::user_change::MAX_ROLES;
use crate::domain::user_transfer::{ExternalId, ImportedUser};
use crate::service::error::{FieldViolation, ServiceError, ServiceResult};

const HASH_FAULT: &str = "must be a hash that can be checked: Argon2, bcrypt, scrypt, Firebase's scrypt or PBKDF2, of \
                          moderate cost";
const ADMIN_FAULT: &str = "must not be `admin`: administrators are made one by one";

/// A row as it was written. Holds a hash, and so never prints.
#[derive(Clone, Default)]
pub struct UserRow {
    /// Empty where there is none.
    pub external_id: String,
    pub email: String,
    pub email_verified: bool,
    pub display_name: String,
    pub language: String,
    pub disabled: bool,
    pub roles: Vec<String>,
    /// Empty where there is none.
    pub password_hash: String,
    /// `None`: now.
    pub created_at: Option<Timestamp>,
    /// What has been found wrong already, by whoever read the row.
    pub faults: Vec<FieldViolation>,
}

impl UserRow {
    /// A row of which nothing can be told but what is wrong with it.
    pub fn at_fault(field: &str, description: &str) -> Self {
        let mut row = Self::default();
        row.fault(field, description);
        row
    }

    /// Keeps a fault; its description must not hold the input.
    pub fn fault(&mut self, field: &str, description: &str) {
        self.faults.push(FieldViolation { field: field.to_owned(), description: description.to_owned() });
    }

    /// The account that the row describes, or all that is wrong with it.
    pub(super) fn parse(
        mut self,
        id: UserId,
        now: Timestamp,
        can_check: impl Fn(&PasswordHash) -> bool,
    ) -> ServiceResult<ImportedUser> {
        let external_id = Some(self.external_id.as_str()).filter(|id| !id.is_empty()).map(ExternalId::parse);
        let external_id = self.check("external_id", external_id.transpose());
        let email = self.check("email", Email::parse(&self.email));
        let display_name = self.check("display_name", Name::parse(&self.display_name));
        let language = self.check("language", Language::parse(&self.language));
        let roles = self.roles();
        let password_hash = Some(self.password_hash.as_str()).filter(|hash| !hash.is_empty()).map(PasswordHash::new);
        // A parameter that nobody looks at could hold what no database takes as text.
        let is_text = |hash: &PasswordHash| hash.as_str().bytes().all(|byte| byte.is_ascii_graphic());
        if password_hash.as_ref().is_some_and(|hash| !is_text(hash) || !can_check(hash)) {
            self.fault("password_hash", HASH_FAULT);
        }
        match self.created_at {
            Some(at) if !at.has_a_date() => self.fault("create_time", "must be a time of the years 1 to 9999"),
            Some(at) if at > now => self.fault("create_time", "must not lie ahead"),
            Some(_) | None => {}
        }
        let Self { email_verified, disabled, created_at, faults, .. } = self;
        let parsed = (|| {
            Some(ImportedUser {
                id,
                external_id: external_id?,
                email: email?,
                email_verified,
                display_name: display_name?,
                language: language?,
                state: if disabled { UserState::Disabled } else { UserState::Active },
                roles,
                password_hash,
                created_at: created_at.unwrap_or(now),
            })
        })();
        parsed.filter(|_| faults.is_empty()).ok_or(ServiceError::InvalidFields(faults))
    }

    fn check<T, E: Display>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|fault| self.fault(field, &fault.to_string())).ok()
    }

    fn roles(&mut self) -> Vec<RoleName> {
        let names = std::mem::take(&mut self.roles);
        if names.len() > MAX_ROLES {
            self.fault("roles", &format!("must be at most {MAX_ROLES}"));
            return Vec::new();
        }
        let mut roles = BTreeSet::new();
        for (place, name) in names.iter().enumerate() {
            let field = format!("roles[{place}]");
            match self.check(&field, RoleName::parse(name)) {
                Some(role) if role.as_str() == ROLE_ADMIN => self.fault(&field, ADMIN_FAULT),
                Some(role) if role.as_str() != ROLE_USER => drop(roles.insert(role)),
                Some(_) | None => {}
            }
        }
        roles.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn parse(row: UserRow) -> ServiceResult<ImportedUser> {
        row.parse(UserId::from_uuid(uuid::Uuid::nil()), NOW, |hash| hash.as_str() == "sound")
    }

    fn row() -> UserRow {
        UserRow { email: "Ada@example.com".to_owned(), ..UserRow::default() }
    }

    #[test]
    fn an_address_is_enough() {
        let user = parse(row()).unwrap();
        assert_eq!((user.email.as_str(), user.email_verified, user.created_at), ("Ada@example.com", false, NOW));
        assert_eq!((user.external_id, user.password_hash, user.state), (None, None, UserState::Active));
        assert!(user.roles.is_empty());
    }

    #[test]
    fn roles_are_sorted_and_told_once() {
        let roles = ["verifier", "billing", "user", "billing"].map(str::to_owned).to_vec();
        let user = parse(UserRow { roles, ..row() }).unwrap();
        assert_eq!(user.roles.iter().map(RoleName::as_str).collect::<Vec<_>>(), ["billing", "verifier"]);
    }

    // promise A4
    #[test]
    fn nobody_is_made_an_administrator() {
        let roles = vec!["billing".to_owned(), "admin".to_owned()];
        let Err(ServiceError::InvalidFields(faults)) = parse(UserRow { roles, ..row() }) else { panic!("a refusal") };
        assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["roles[1]"]);
    }

    #[test]
    fn a_time_of_a_year_that_no_export_could_tell_is_refused_with_the_reason() {
        let reason = |millis| {
            let row = UserRow { created_at: Some(Timestamp::from_millis(millis)), ..row() };
            match parse(row) {
                Err(ServiceError::InvalidFields(faults)) => {
                    Some((faults[0].field.clone(), faults[0].description.clone()))
                }
                _ => None,
            }
        };
        let refused = |description: &str| Some(("create_time".to_owned(), description.to_owned()));
        assert_eq!(reason(-62_135_596_800_000), None);
        for millis in [-62_135_596_800_001, 253_402_300_800_000, i64::MIN, i64::MAX] {
            assert_eq!(reason(millis), refused("must be a time of the years 1 to 9999"), "{millis}");
        }
        assert_eq!(reason(253_402_300_799_999), refused("must not lie ahead"));
    }

    #[test]
    fn every_fault_is_told_at_once_and_no_input() {
        let mut row = UserRow {
            external_id: "canary\n".to_owned(),
            email: "canary".to_owned(),
            display_name: "canary\u{202e}".to_owned(),
            language: "canary!".to_owned(),
            roles: vec!["Canary".to_owned()],
            password_hash: "canary".to_owned(),
            created_at: Some(NOW.after(std::time::Duration::from_millis(1))),
            ..UserRow::default()
        };
        row.fault("state", "must be one of the values of UserState");
        let Err(ServiceError::InvalidFields(faults)) = parse(row) else { panic!("a refusal") };
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        let expected =
            ["state", "external_id", "email", "display_name", "language", "roles[0]", "password_hash", "create_time"];
        assert_eq!(fields, expected);
        assert!(!format!("{faults:?}").contains("anary"));
        let many = vec!["billing".to_owned(); MAX_ROLES + 1];
        assert!(parse(UserRow { email: "ada@example.com".to_owned(), roles: many, ..UserRow::default() }).is_err());
    }
}
