//! What gateways ask before they let a request pass, whichever protocol they ask by.

pub mod authorize_request;
pub mod route;
pub mod words;
