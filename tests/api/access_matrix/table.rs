//! Who may call what: the expected table, written by hand, and never read from the contract.

/// What a method asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// A user's own bearer.
    Own,
    /// The same, of a user who has just signed in.
    OwnRecent,
    /// The role `admin`.
    Admin,
    /// The role `verifier`.
    Verifier,
}

use Needs::{Admin, Nothing, Own, OwnRecent, Verifier};

/// Every method. DeleteMe comes last: it succeeds with an empty message.
pub const TABLE: &[(&str, Needs)] = &[
    ("/envoy.service.auth.v3.Authorization/Check", Nothing),
    ("/keystead.v1.AuthService/Register", Nothing),
    ("/keystead.v1.AuthService/Login", Nothing),
    ("/keystead.v1.AuthService/CompleteMfa", Nothing),
    ("/keystead.v1.AuthService/BeginMfaEnrollment", Nothing),
    ("/keystead.v1.AuthService/ConfirmMfaEnrollment", Nothing),
    ("/keystead.v1.AuthService/Refresh", Nothing),
    ("/keystead.v1.AuthService/Logout", Nothing),
    ("/keystead.v1.AuthService/VerifyToken", Nothing),
    ("/keystead.v1.AuthService/BatchVerifyTokens", Nothing),
    ("/keystead.v1.AuthService/RequestReset", Nothing),
    ("/keystead.v1.AuthService/ConfirmReset", Nothing),
    ("/keystead.v1.AuthService/RequestEmailVerification", Nothing),
    ("/keystead.v1.AuthService/ConfirmEmail", Nothing),
    ("/keystead.v1.AuthService/ConfirmEmailChange", Nothing),
    ("/keystead.v1.AuthService/StartOAuth", Nothing),
    ("/keystead.v1.AuthService/CompleteOAuth", Nothing),
    ("/keystead.v1.TokenService/GetJwks", Nothing),
    ("/keystead.v1.TokenService/IssueServiceToken", Nothing),
    ("/keystead.v1.TokenService/RevokeToken", Nothing),
    ("/keystead.v1.TokenService/WatchRevocations", Verifier),
    ("/keystead.v1.AccountService/GetMe", Own),
    ("/keystead.v1.AccountService/UpdateMe", Own),
    ("/keystead.v1.AccountService/ChangePassword", Own),
    ("/keystead.v1.AccountService/ChangeEmail", OwnRecent),
    ("/keystead.v1.AccountService/BeginTotpEnrollment", OwnRecent),
    ("/keystead.v1.AccountService/ConfirmTotpEnrollment", OwnRecent),
    ("/keystead.v1.AccountService/DisableTotp", OwnRecent),
    ("/keystead.v1.AccountService/RegenerateRecoveryCodes", OwnRecent),
    ("/keystead.v1.AccountService/ListSessions", Own),
    ("/keystead.v1.AccountService/RevokeSession", Own),
    ("/keystead.v1.AccountService/LinkIdentity", OwnRecent),
    ("/keystead.v1.AccountService/CompleteLinkIdentity", Own),
    ("/keystead.v1.AccountService/ListIdentities", Own),
    ("/keystead.v1.AccountService/UnlinkIdentity", OwnRecent),
    ("/keystead.v1.AdminService/CreateUser", Admin),
    ("/keystead.v1.AdminService/GetUser", Admin),
    ("/keystead.v1.AdminService/ListUsers", Admin),
    ("/keystead.v1.AdminService/UpdateUser", Admin),
    ("/keystead.v1.AdminService/DeleteUser", Admin),
    ("/keystead.v1.AdminService/DisableUser", Admin),
    ("/keystead.v1.AdminService/EnableUser", Admin),
    ("/keystead.v1.AdminService/RequirePasswordReset", Admin),
    ("/keystead.v1.AdminService/ResetUserMfa", Admin),
    ("/keystead.v1.AdminService/ListUserSessions", Admin),
    ("/keystead.v1.AdminService/RevokeUserSessions", Admin),
    ("/keystead.v1.AdminService/ListUserIdentities", Admin),
    ("/keystead.v1.AdminService/UnlinkUserIdentity", Admin),
    ("/keystead.v1.AdminService/CreateRole", Admin),
    ("/keystead.v1.AdminService/ListRoles", Admin),
    ("/keystead.v1.AdminService/DeleteRole", Admin),
    ("/keystead.v1.AdminService/GrantRole", Admin),
    ("/keystead.v1.AdminService/RevokeRole", Admin),
    ("/keystead.v1.AdminService/CreateServiceAccount", Admin),
    ("/keystead.v1.AdminService/ListServiceAccounts", Admin),
    ("/keystead.v1.AdminService/RotateServiceAccountSecret", Admin),
    ("/keystead.v1.AdminService/DeleteServiceAccount", Admin),
    ("/keystead.v1.AdminService/ListSigningKeys", Admin),
    ("/keystead.v1.AdminService/RotateSigningKey", Admin),
    ("/keystead.v1.AdminService/RevokeSigningKey", Admin),
    ("/keystead.v1.AdminService/ListAuditEvents", Admin),
    ("/keystead.v1.AdminService/WatchAuditEvents", Admin),
    ("/keystead.v1.AccountService/DeleteMe", OwnRecent),
];
