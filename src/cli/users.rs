//! `keystead users`: lists accounts, closes and opens them, takes second factors, and takes accounts in and out.

mod export;
mod import;
mod rejects;
mod source;

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::operator::{account, failed, refused};
use super::output::{Output, Record, moment};
use crate::app::console::Console;
use crate::app::start_error::StartError;
use crate::domain::email_prefix::EmailPrefix;
use crate::domain::id::PrincipalId;
use crate::domain::role::RoleName;
use crate::domain::user::{User, UserState};
use crate::domain::user_list::{UserFilter, UserOrder};
use crate::service::admin::users::list::ListUsersRequest;

/// Accounts that are read at once.
const PAGE_SIZE: u32 = 200;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List accounts by their time of creation.
    List {
        /// Only those whose address begins so.
        #[arg(long, default_value = "")]
        email_prefix: String,
        /// Only those who have the role.
        #[arg(long)]
        role: Option<String>,
        /// Only those in the state.
        #[arg(long)]
        state: Option<State>,
        /// At most so many.
        #[arg(long, default_value_t = 1_000)]
        limit: usize,
    },
    /// Close an account: its sessions end, its tokens are refused.
    Disable {
        /// The address or the id of the account.
        account: String,
    },
    /// Open a closed account again.
    Enable {
        /// The address or the id of the account.
        account: String,
    },
    /// Take accounts in from a file, with the hashes of their passwords. What is there already is left as it is.
    Import(import::Arguments),
    /// Write every account to a file, as an import reads it.
    Export(export::Arguments),
    /// Take the second factor from an account whose owner has lost it: its sessions end.
    ResetMfa {
        /// The address or the id of the account.
        account: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum State {
    Active,
    Disabled,
}

pub async fn run(console: &Console, command: Command, output: Output) -> Result<(), StartError> {
    let changed = match command {
        Command::List { email_prefix, role, state, limit } => {
            let filter = filter(&email_prefix, role.as_deref(), state)?;
            return list(console, filter, limit, output).await;
        }
        Command::Import(arguments) => return import::run(console, arguments, output).await,
        Command::Export(arguments) => return export::run(console, arguments).await,
        Command::Disable { account: named } => {
            let user = account(console, &named).await?;
            console.api.disable_user.run(user.id, &Console::operator()).await
        }
        Command::Enable { account: named } => {
            let user = account(console, &named).await?;
            console.api.enable_user.run(user.id, &Console::operator()).await
        }
        Command::ResetMfa { account: named } => {
            let user = account(console, &named).await?;
            let reset = console.api.reset_user_mfa.run(user.id, &Console::operator()).await;
            reset.map(|()| user)
        }
    };
    output.show(vec![record(&changed.map_err(failed)?)])
}

fn filter(email_prefix: &str, role: Option<&str>, state: Option<State>) -> Result<UserFilter, StartError> {
    Ok(UserFilter {
        email_prefix: EmailPrefix::parse(email_prefix).map_err(|fault| refused("--email-prefix", fault))?,
        role: role.map(RoleName::parse).transpose().map_err(|fault| refused("--role", fault))?,
        state: state.map(|state| match state {
            State::Active => UserState::Active,
            State::Disabled => UserState::Disabled,
        }),
        ..UserFilter::default()
    })
}

async fn list(console: &Console, filter: UserFilter, limit: usize, output: Output) -> Result<(), StartError> {
    let mut records: Vec<Record> = Vec::new();
    let mut page_token = String::new();
    loop {
        let request =
            ListUsersRequest { filter: filter.clone(), order: UserOrder::Created, page_size: PAGE_SIZE, page_token };
        // The operator is nobody's account: the nil id stands for them in the page tokens, which nobody else sees.
        let page =
            console.api.list_users.run(request, PrincipalId::from_uuid(uuid::Uuid::nil())).await.map_err(failed)?;
        records.extend(page.users.iter().map(record));
        match page.next_page_token {
            Some(next) if records.len() < limit => page_token = next,
            _ => break,
        }
    }
    records.truncate(limit);
    output.show(records)
}

/// An account, as every command shows it.
pub fn record(user: &User) -> Record {
    let state = match user.state {
        UserState::Active => "active",
        UserState::Disabled => "disabled",
    };
    vec![
        ("id", json!(user.id.to_string())),
        ("email", json!(user.email.as_str())),
        ("state", json!(state)),
        ("roles", json!(user.roles)),
        ("verified", json!(user.email_verified)),
        ("created", moment(user.created_at)),
        ("name", json!(user.display_name.as_str())),
    ]
}
