//! A client's way to the replicas: it goes to one that serves, and writes down what it asked and what came of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use keystead::grpc::pb::account_service_client::AccountServiceClient;
use keystead::grpc::pb::admin_service_client::AdminServiceClient;
use keystead::grpc::pb::auth_service_client::AuthServiceClient;
use keystead::grpc::pb::{self, LogoutScope, TokenSet, TokenStatus, login_response};
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_types::StatusExt as _;

use super::dice::Dice;
use super::fleet::{Seat, Standing};
use super::harness::Failure;
use super::history::{Event, Moment, Op, Outcome, Recorder, Text, Tokens};

/// A client, before it has chosen whom to ask.
pub struct Caller {
    pub recorder: Arc<Recorder>,
    pub dice: Dice,
    standing: watch::Receiver<Standing>,
    /// By run.
    channels: HashMap<usize, Channel>,
}

/// A replica that was chosen.
#[derive(Clone)]
pub struct Place {
    recorder: Arc<Recorder>,
    run: usize,
    channel: Channel,
}

impl Caller {
    pub fn new(recorder: Arc<Recorder>, dice: Dice, standing: watch::Receiver<Standing>) -> Self {
        Self { recorder, dice, standing, channels: HashMap::new() }
    }

    /// One of the replicas that serve, as soon as there are any and the database is there.
    pub async fn place(&mut self) -> Place {
        let serving = |standing: &Standing| standing.database && standing.seats.iter().any(Option::is_some);
        let seats = self.standing.wait_for(serving).await.expect("the fleet is there").seats.clone();
        let seats: Vec<Seat> = seats.into_iter().flatten().collect();
        let seat = *self.dice.pick(&seats).expect("a replica that serves");
        self.at(seat)
    }

    /// Each of the replicas that serve.
    pub fn places(&mut self) -> Vec<Place> {
        let seats = self.standing.borrow().seats.clone();
        seats.into_iter().flatten().map(|seat| self.at(seat)).collect()
    }

    /// Asks until it is known what came of it: the same request again, wherever somebody serves.
    pub async fn insist(&mut self, ask: impl AsyncFn(&Place) -> Outcome) -> Outcome {
        loop {
            let place = self.place().await;
            let outcome = ask(&place).await;
            if !outcome.is_unknown() {
                return outcome;
            }
        }
    }

    fn at(&mut self, seat: Seat) -> Place {
        let connect = || {
            let endpoint = Endpoint::from_shared(format!("http://{}", seat.address)).expect("an address");
            endpoint.connect_lazy()
        };
        let channel = self.channels.entry(seat.run).or_insert_with(connect).clone();
        Place { recorder: Arc::clone(&self.recorder), run: seat.run, channel }
    }
}

impl Place {
    pub async fn register(&self, account: &Text, password: &Text) -> Outcome {
        let request = pb::RegisterRequest {
            email: account.to_string(),
            password: password.to_string(),
            ..pb::RegisterRequest::default()
        };
        let op = Op::Register { password: password.clone() };
        let mut client = self.auth();
        self.ask(account, op, client.register(request), |response| given(response.token_set)).await
    }

    pub async fn log_in(&self, account: &Text, password: &Text) -> Outcome {
        let request = pb::LoginRequest {
            email: account.to_string(),
            password: password.to_string(),
            ..pb::LoginRequest::default()
        };
        let op = Op::LogIn { password: password.clone() };
        let read = |response: pb::LoginResponse| match response.result {
            Some(login_response::Result::TokenSet(set)) => given(Some(set)),
            other => panic!("no tokens: {other:?}"),
        };
        let mut client = self.auth();
        self.ask(account, op, client.login(request), read).await
    }

    pub async fn refresh(&self, account: &Text, session: &Text, presented: &Text) -> Outcome {
        let request = pb::RefreshRequest { refresh_token: presented.to_string() };
        let op = Op::Refresh { session: session.clone(), presented: presented.clone() };
        let mut client = self.auth();
        self.ask(account, op, client.refresh(request), |response| given(response.token_set)).await
    }

    pub async fn log_out(&self, account: &Text, tokens: &Tokens, everywhere: bool) -> Outcome {
        let scope = if everywhere { LogoutScope::AllSessions } else { LogoutScope::ThisSession };
        let request = pb::LogoutRequest { refresh_token: tokens.refresh.to_string(), scope: scope.into() };
        let (session, presented) = (tokens.session.clone(), tokens.refresh.clone());
        let mut client = self.auth();
        self.ask(account, Op::LogOut { session, presented, everywhere }, client.logout(request), done).await
    }

    pub async fn revoke_session(&self, account: &Text, bearer: &Tokens, session: &Text) -> Outcome {
        let request = shown(&bearer.access, pb::RevokeSessionRequest { session_id: session.to_string() });
        let mut client = AccountServiceClient::new(self.channel.clone());
        let op = Op::RevokeSession { session: session.clone() };
        self.ask(account, op, client.revoke_session(request), done).await
    }

    pub async fn change_password(&self, account: &Text, bearer: &Tokens, from: &Text, to: &Text) -> Outcome {
        let request = pb::ChangePasswordRequest { current_password: from.to_string(), new_password: to.to_string() };
        let op = Op::ChangePassword { by: bearer.session.clone(), from: from.clone(), to: to.clone() };
        let mut client = AccountServiceClient::new(self.channel.clone());
        self.ask(account, op, client.change_password(shown(&bearer.access, request)), done).await
    }

    pub async fn request_reset(&self, account: &Text) -> Outcome {
        let mut client = self.auth();
        let request = pb::RequestResetRequest { email: account.to_string() };
        self.ask(account, Op::RequestReset, client.request_reset(request), done).await
    }

    pub async fn confirm_reset(&self, account: &Text, token: &Text, to: &Text) -> Outcome {
        let request = pb::ConfirmResetRequest { reset_token: token.to_string(), new_password: to.to_string() };
        let op = Op::ConfirmReset { token: token.clone(), to: to.clone() };
        let mut client = self.auth();
        self.ask(account, op, client.confirm_reset(request), done).await
    }

    pub async fn disable(&self, account: &Text, user_id: &str, bearer: &Text) -> Outcome {
        let request = shown(bearer, pb::DisableUserRequest { user_id: user_id.to_owned() });
        let mut client = AdminServiceClient::new(self.channel.clone());
        self.ask(account, Op::Disable, client.disable_user(request), done).await
    }

    pub async fn enable(&self, account: &Text, user_id: &str, bearer: &Text) -> Outcome {
        let request = shown(bearer, pb::EnableUserRequest { user_id: user_id.to_owned() });
        let mut client = AdminServiceClient::new(self.channel.clone());
        self.ask(account, Op::Enable, client.enable_user(request), done).await
    }

    pub async fn verify(&self, account: &Text, tokens: &Tokens, issued: Moment) -> Outcome {
        let request =
            pb::VerifyTokenRequest { access_token: tokens.access.to_string(), ..pb::VerifyTokenRequest::default() };
        let (session, access) = (tokens.session.clone(), tokens.access.clone());
        let mut client = self.auth();
        let read = |response| self.verdict(&response);
        self.ask(account, Op::Verify { session, access, issued }, client.verify_token(request), read).await
    }

    fn verdict(&self, response: &pb::VerifyTokenResponse) -> Outcome {
        let status = response.status();
        let active = status == TokenStatus::Active;
        assert!(active || status == TokenStatus::Revoked, "a token that was issued is {status:?}");
        let as_of = response.revocation_state_time.expect("a time");
        let as_of = SystemTime::try_from(as_of).expect("a time");
        Outcome::Verdict { active, as_of: self.recorder.moment_of(as_of) }
    }

    fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channel.clone())
    }

    async fn ask<T>(
        &self,
        account: &Text,
        op: Op,
        call: impl Future<Output = Result<Response<T>, Status>>,
        read: impl FnOnce(T) -> Outcome,
    ) -> Outcome {
        let invoked = self.recorder.now();
        let answer = call.await;
        let answered = self.recorder.now();
        let outcome = answer.map_or_else(refused, |response| read(response.into_inner()));
        let event = Event { account: account.clone(), op, run: self.run, invoked, answered, outcome: outcome.clone() };
        self.recorder.write(event);
        outcome
    }
}

fn done<T>(_: T) -> Outcome {
    Outcome::Done
}

fn given(set: Option<TokenSet>) -> Outcome {
    let set = set.expect("tokens");
    let (session, refresh, access) = (set.session_id.into(), set.refresh_token.into(), set.access_token.into());
    Outcome::Tokens(Tokens { session, refresh, access })
}

/// A request that shows a bearer.
fn shown<T>(access: &Text, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {access}").parse().expect("a header's value");
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// What a status says of the operation. One that names no reason was not made by the service: the answer was lost.
fn refused(status: Status) -> Outcome {
    if status.get_error_details().error_info().is_none() {
        return Outcome::Unknown { lost: true };
    }
    let failure = Failure::checked(status);
    match failure.reason.as_str() {
        "INVALID_TOKEN" | "INVALID_CREDENTIALS" | "EMAIL_TAKEN" | "SESSION_UNKNOWN" | "USER_UNKNOWN" => {
            Outcome::Refused
        }
        "RATE_LIMITED" | "HASH_CAPACITY" | "BEARER_REQUIRED" | "REVOCATION_STATE_STALE" => Outcome::Declined,
        "DEPENDENCY_UNAVAILABLE" | "CONCURRENT_CHANGE" | "DEADLINE_EXCEEDED" => Outcome::Unknown { lost: false },
        _ => panic!("a refusal that nothing here asks for: {failure:?}"),
    }
}
