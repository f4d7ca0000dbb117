//! `grpc.health.v1`: by service name, from what the service says of itself; ends its streams when the server drains.

use std::pin::Pin;

use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::status;
use crate::service;

/// The health service.
pub struct HealthApi {
    health: watch::Receiver<service::health::Health>,
    /// Once cancelled nothing is serving any more.
    drain: CancellationToken,
}

/// What can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// The empty name: all of it.
    Server,
    AuthService,
    TokenService,
}

impl Subject {
    fn named(name: &str) -> Option<Self> {
        match name {
            "" => Some(Self::Server),
            "keystead.v1.AuthService" => Some(Self::AuthService),
            "keystead.v1.TokenService" => Some(Self::TokenService),
            _ => None,
        }
    }

    fn status(self, health: service::health::Health) -> ServingStatus {
        let up = match self {
            Self::Server | Self::TokenService => health.is_ready(),
            Self::AuthService => health.signs_in(),
        };
        if up { ServingStatus::Serving } else { ServingStatus::NotServing }
    }
}

impl HealthApi {
    pub fn new(health: watch::Receiver<service::health::Health>, drain: CancellationToken) -> Self {
        Self { health, drain }
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

type Statuses = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[tonic::async_trait]
impl Health for HealthApi {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let subject = Subject::named(&request.get_ref().service).ok_or_else(status::unknown_service)?;
        let told = subject.status(*self.health.borrow());
        let status = if self.drain.is_cancelled() { ServingStatus::NotServing } else { told };
        Ok(Response::new(response(status)))
    }

    type WatchStream = Statuses;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Statuses>, Status> {
        let Some(subject) = Subject::named(&request.get_ref().service) else {
            // The protocol wants the call to go on, for the service may become known; here none ever will.
            let unknown = stream::once(async { response(ServingStatus::ServiceUnknown) });
            let unknown = unknown.chain(stream::pending()).take_until(self.drain.clone().cancelled_owned());
            return Ok(Response::new(Box::pin(unknown.map(Ok))));
        };
        let live = WatchStream::new(self.health.clone())
            .map(move |health| subject.status(health))
            .chain(stream::pending())
            .take_until(self.drain.clone().cancelled_owned());
        let mut last = None;
        let statuses = live
            .chain(stream::once(async { ServingStatus::NotServing }))
            .filter(move |status| std::future::ready(last.replace(*status) != Some(*status)));
        Ok(Response::new(Box::pin(statuses.map(|status| Ok(response(status))))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: service::health::Health = service::health::Health {
        started: true,
        verifies: true,
        signs: true,
        database: true,
        clock: true,
        draining: false,
    };

    fn ask(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest { service: service.to_owned() })
    }

    async fn check(api: &HealthApi, service: &str) -> i32 {
        api.check(ask(service)).await.expect("a known service").into_inner().status
    }

    #[tokio::test]
    async fn each_service_is_told_by_its_name() {
        let (sender, receiver) = watch::channel(service::health::Health::default());
        let api = HealthApi::new(receiver, CancellationToken::new());
        assert_eq!(check(&api, "").await, ServingStatus::NotServing as i32);
        sender.send_replace(service::health::Health { database: false, ..UP });
        assert_eq!(check(&api, "keystead.v1.TokenService").await, ServingStatus::Serving as i32);
        assert_eq!(check(&api, "keystead.v1.AuthService").await, ServingStatus::NotServing as i32);
        assert_eq!(check(&api, "").await, ServingStatus::Serving as i32);
        assert_eq!(api.check(ask("other")).await.unwrap_err().code(), tonic::Code::NotFound);
    }

    // promise N7
    #[tokio::test]
    async fn a_drain_tells_not_serving_and_ends_the_streams() {
        let (_sender, receiver) = watch::channel(UP);
        let drain = CancellationToken::new();
        let api = HealthApi::new(receiver, drain.clone());
        let known = api.watch(ask("")).await.unwrap().into_inner();
        let unknown = api.watch(ask("other")).await.unwrap().into_inner();
        drain.cancel();
        assert_eq!(check(&api, "").await, ServingStatus::NotServing as i32);
        let told: Vec<_> = known.map(|response| response.unwrap().status).collect().await;
        assert_eq!(told.last(), Some(&(ServingStatus::NotServing as i32)));
        assert!(told.is_sorted_by(|earlier, later| earlier != later), "only changes are told: {told:?}");
        unknown.count().await;
    }
}
