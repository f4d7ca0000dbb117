//! `keystead admin`: makes administrators.

use std::path::PathBuf;

use clap::Subcommand;

use super::operator::{account, failed, refused};
use super::output::Output;
use super::{password, users};
use crate::app::console::Console;
use crate::app::start_error::StartError;
use crate::domain::email::Email;
use crate::domain::name::Name;
use crate::domain::role::RoleName;
use crate::domain::user::ROLE_ADMIN;
use crate::service::admin::users::create_administrator::CreateAdministratorRequest;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Make an account that is an administrator. The password is asked for on a terminal, else read from standard input.
    Create {
        /// The address of the account; it counts as verified.
        #[arg(long)]
        email: String,
        /// The name to show.
        #[arg(long, default_value = "")]
        display_name: String,
        /// Read the password from this file, which only its owner may read.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Give an account a role, by default that of an administrator.
    Grant {
        /// The address or the id of the account.
        #[arg(long)]
        email: String,
        #[arg(long, default_value = "admin")]
        role: String,
        /// Make an administrator also of an account whose address nobody has verified: anybody may have registered it.
        #[arg(long)]
        unverified: bool,
    },
}

pub async fn run(console: &Console, command: Command, output: Output) -> Result<(), StartError> {
    let user = match command {
        Command::Create { email, display_name, password_file } => {
            let request = CreateAdministratorRequest {
                email: Email::parse(&email).map_err(|fault| refused("--email", fault))?,
                display_name: Name::parse(&display_name).map_err(|fault| refused("--display-name", fault))?,
                password: password::read(password_file)?,
            };
            console.api.create_administrator.run(request, &Console::operator()).await
        }
        Command::Grant { email, role, unverified } => {
            let role = RoleName::parse(&role).map_err(|fault| refused("--role", fault))?;
            let user = account(console, &email).await?;
            if role.as_str() == ROLE_ADMIN && !user.email_verified && !unverified {
                let told = "nobody has verified the account's address, and its password is that of whoever registered \
                            it: verify it first, or say --unverified";
                return Err(StartError::Failed(told.to_owned()));
            }
            console.api.grant_role.run(user.id, role, &Console::operator()).await
        }
    };
    output.show(vec![users::record(&user.map_err(failed)?)])
}
