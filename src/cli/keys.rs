//! `keystead keys`: lists, rotates and revokes signing keys, and changes the master key.

use clap::Subcommand;
use serde_json::json;

use super::operator::failed;
use super::output::{Output, Record, moment};
use crate::app::console::Console;
use crate::app::start_error::StartError;
use crate::domain::key::{KeyState, SigningAlgorithm, StoredKey};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List the signing keys, the newest first.
    List,
    /// Publish the next signing key, which takes over once every verifier can have it.
    Rotate,
    /// Seal every server key anew, under keys.master_key; from then on keys.former_master_keys can go.
    RotateMaster,
    /// Remove a signing key at once, in an emergency: every token that it has signed is refused.
    Revoke {
        /// The key's id, as `keystead keys list` shows it.
        // One in 64 begins with a hyphen, as base64url has it.
        #[arg(allow_hyphen_values = true)]
        key: String,
    },
}

pub async fn run(console: &Console, command: Command, output: Output) -> Result<(), StartError> {
    match command {
        Command::List => {}
        Command::Rotate => {
            let next = console.api.rotate_signing_key.run(&Console::operator()).await.map_err(failed)?;
            let signs_from = ("signs_from", moment(next.activates_at));
            return output.show(vec![record(&next.key).into_iter().chain([signs_from]).collect()]);
        }
        Command::RotateMaster => {
            let done = console.api.rotate_master_key.run(&Console::operator()).await.map_err(failed)?;
            let counts = [("resealed", done.resealed), ("current", done.current), ("former", done.former)];
            return output.show(vec![counts.map(|(name, count)| (name, json!(count))).into()]);
        }
        Command::Revoke { key } => {
            console.api.revoke_signing_key.run(&key, &Console::operator()).await.map_err(failed)?;
        }
    }
    let keys = console.api.list_signing_keys.run().await.map_err(failed)?;
    output.show(keys.iter().map(record).collect())
}

fn record(key: &StoredKey) -> Record {
    let state = match key.state {
        KeyState::Next => "next",
        KeyState::Active => "active",
        KeyState::Retiring => "retiring",
    };
    vec![
        ("id", json!(key.id)),
        ("algorithm", json!(key.algorithm.map(SigningAlgorithm::name))),
        ("state", json!(state)),
        ("since", moment(key.state_since)),
        ("created", moment(key.created_at)),
    ]
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
        #[arg(long, global = true)]
        output: Option<String>,
    }

    #[test]
    fn an_id_that_begins_with_a_hyphen_is_an_id() {
        for words in
            [["keys", "revoke", "-yAE_-x", "--output", "json"], ["keys", "revoke", "--output", "json", "-yAE_-x"]]
        {
            let line = Line::try_parse_from(words).unwrap();
            let Command::Revoke { key } = line.command else { panic!("another command") };
            assert_eq!((key.as_str(), line.output.as_deref()), ("-yAE_-x", Some("json")));
        }
    }
}
