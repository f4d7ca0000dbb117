//! OAuth's endpoints: a file each, one for what all have in common, and one for clients that nobody here wrote.

mod edge;
mod introspect;
mod libraries;
mod metadata;
mod revoke;
mod token;

use crate::harness::{Backend, Client, Keystead, Machine, Person, Setup};

/// A service with two audiences, and somebody who may make machines.
async fn setup(backend: Backend) -> (Keystead, Client, Client) {
    start(Setup::on(backend)).await
}

async fn start(setup: Setup) -> (Keystead, Client, Client) {
    let keystead = setup.with("tokens.audiences", "['keystead', 'shop']").start().await;
    let client = keystead.client().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    (keystead, client, admin)
}

/// The same machine with a secret that is not its own.
fn impostor(machine: &Machine) -> Machine {
    Machine { secret: format!("kss_{}", "A".repeat(43)), ..machine.clone() }
}
