//! S1: what the number of users costs.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Found;
use crate::api::{self, Caller};
use crate::keystead::{Installation, Keystead};
use crate::load::closed_loop;
use crate::pb::TokenSet;
use crate::plot::{Plot, Series};
use crate::refresh::refresh_for;
use crate::report::{Figure, Target, median, percentile};
use crate::sql;
use crate::support::postgres;

const FEW: usize = 10_000;
const ROUNDS: usize = 3;
const SPAN: Duration = Duration::from_secs(3);
/// In the order of [`Crowd::measure`].
const CALLS: [&str; 3] = ["login", "refresh", "verify"];

pub async fn measure(many: usize) -> Result<Found> {
    let middle = (many / 10).max(FEW);
    let mut crowds = [Crowd::gather(FEW).await?, Crowd::gather(middle).await?, Crowd::gather(many).await?];
    let mut medians = vec![Vec::new(); crowds.len()];
    for _ in 0..ROUNDS {
        for (crowd, medians) in crowds.iter_mut().zip(&mut medians) {
            medians.push(crowd.measure().await?);
        }
    }
    let of = |crowd: usize, call: usize| medians[crowd].iter().map(|round: &[f64; 3]| round[call]).collect::<Vec<_>>();
    let what = ["login, many users against few", "refresh, the same", "verify, the same"];
    let figures = (0..3).map(|call| {
        let rounds = of(2, call).into_iter().zip(of(0, call)).collect();
        Figure { id: "S1", what: what[call], unit: "ms", target: Target::AtMost(1.2), rounds }
    });
    let series = (0..3).map(|call| {
        let least = median(&of(0, call));
        let points =
            crowds.iter().enumerate().map(|(place, crowd)| (count(crowd.users), median(&of(place, call)) / least));
        Series { name: CALLS[call].to_owned(), points: points.collect() }
    });
    let plot = Plot {
        file: "growth.svg",
        title: "Latency against the number of users",
        across: "users in the database",
        upwards: "against ten thousand users",
        series: series.collect(),
    };
    Ok(Found { figures: figures.collect(), plots: vec![plot] })
}

#[expect(clippy::cast_precision_loss, reason = "some millions")]
fn count(users: usize) -> f64 {
    users as f64
}

/// A replica over a database of so many users, every tenth of them with a session.
struct Crowd {
    users: usize,
    keystead: Keystead,
    sessions: Vec<TokenSet>,
    next: usize,
}

impl Crowd {
    async fn gather(users: usize) -> Result<Self> {
        let database = postgres::fresh_database();
        let keystead = Installation::postgres(&database)?.start().await?;
        let sessions = api::register_all(&keystead, 8).await?;
        for statement in fill(users) {
            sql::run(&database, &statement).await?;
        }
        Ok(Self { users, keystead, sessions, next: 0 })
    }

    /// Medians in milliseconds of login, refresh and verification.
    async fn measure(&mut self) -> Result<[f64; 3]> {
        let (users, next) = (self.users, &mut self.next);
        let caller = Caller::connect(self.keystead.grpc).await?;
        let logins = closed_loop(vec![(caller, next)], SPAN, async |(caller, next): &mut (Caller, &mut usize)| {
            // A prime step leads through the whole crowd.
            **next = (**next + 15_485_863) % users;
            caller.log_in(&format!("crowd{next}@example.com")).await?;
            Ok(())
        });
        let logins = logins.await?;
        let refreshed = refresh_for(&self.keystead, &mut self.sessions, SPAN).await?;
        let token = self.sessions[0].access_token.clone();
        let callers = Caller::many(self.keystead.grpc, 4).await?;
        let verified = closed_loop(callers, SPAN, async |caller: &mut Caller| {
            ensure!(caller.accepts(&token).await?, "a good token");
            Ok(())
        });
        let verified = verified.await?;
        Ok([&logins, &refreshed, &verified].map(|done| percentile(&done.latencies, 0.5)))
    }
}

/// Copies of the first user and of their session.
fn fill(users: usize) -> [String; 4] {
    let copied = format!(
        "INSERT INTO users (id, email, email_key, email_verified, display_name, state, epoch, password_hash, created_at, \
         updated_at, revision, language) SELECT gen_random_uuid(), 'crowd' || n || '@example.com', 'crowd' || n || \
         '@example.com', email_verified, display_name, state, epoch, password_hash, created_at + n, updated_at, revision, \
         language FROM users, generate_series(0, {}) n WHERE email = 'user0@example.com'",
        users - 1
    );
    let roles = "INSERT INTO user_roles SELECT u.id, r.role FROM users u, (SELECT DISTINCT role FROM user_roles) r \
                 WHERE u.email LIKE 'crowd%'";
    let sessions = format!(
        "INSERT INTO sessions SELECT gen_random_uuid(), u.id, s.generation, s.salt, s.refresh_key_id, s.audience, s.methods, \
         s.device_name, s.authenticated_at, s.rotated_at, s.idle_expires_at, s.expires_at, s.ended_at, s.source \
         FROM (SELECT id FROM users WHERE email LIKE 'crowd%' LIMIT {}) u, (SELECT s.* FROM sessions s LIMIT 1) s",
        users / 10
    );
    [copied, roles.to_owned(), sessions, "VACUUM ANALYZE".to_owned()]
}
