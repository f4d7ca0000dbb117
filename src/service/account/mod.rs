//! The use cases of `AccountService`: what users do to their own account. Who that is, the bearer alone says.

pub mod change_email;
