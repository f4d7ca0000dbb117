//! A tower layer that lets verified requests pass, in front of tonic's services and any other over HTTP.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use keystead_verifier::Claims;
use tower::{Layer, Service};

use crate::client::KeysteadClient;
use crate::guard::{Guard, admit, bearer};
use crate::rejection::Rejection;

/// A tower layer that lets verified requests pass and puts `Arc<Claims>` into their extensions; all others are answered
/// by itself, over gRPC and over HTTP each in its own way. See [`KeysteadClient::layer`].
#[derive(Clone, Debug)]
pub struct VerifyLayer {
    client: KeysteadClient,
    guard: Arc<Guard>,
    public: Arc<Vec<String>>,
}

impl VerifyLayer {
    pub(crate) fn new(client: KeysteadClient, guard: Guard) -> Self {
        Self { client, guard: Arc::new(guard), public: Arc::default() }
    }

    /// Asks for a role too; several calls ask for all of them.
    #[must_use]
    pub fn require_role(self, role: impl Into<String>) -> Self {
        Self { guard: Arc::new(Arc::unwrap_or_clone(self.guard).require_role(role)), ..self }
    }

    /// Asks for this audience instead of the client's.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        Self { guard: Arc::new(Arc::unwrap_or_clone(self.guard).audience(audience)), ..self }
    }

    /// Lets requests for exactly this path pass without a token, and without claims:
    /// `/grpc.health.v1.Health/Check`.
    #[must_use]
    pub fn public(self, path: impl Into<String>) -> Self {
        let mut public = Arc::unwrap_or_clone(self.public);
        public.push(path.into());
        Self { public: Arc::new(public), ..self }
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verify<S>;

    fn layer(&self, inner: S) -> Verify<S> {
        Verify { inner, layer: self.clone() }
    }
}

/// What [`VerifyLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct Verify<S> {
    inner: S,
    layer: VerifyLayer,
}

impl<S, B, R> Service<Request<B>> for Verify<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // What somebody else has put there is nobody's identity.
        request.extensions_mut().remove::<Arc<Claims>>();
        // The one that is ready is used, and a clone waits for the next.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let VerifyLayer { client, guard, public } = self.layer.clone();
        Box::pin(async move {
            if public.iter().any(|path| path == request.uri().path()) {
                return inner.call(request).await;
            }
            let outcome = match bearer(request.headers()).map(str::to_owned) {
                Some(token) => client.verify(&token, &guard.expectations).await,
                None => return Ok(Rejection::NoToken.response(client.audience(), request.headers())),
            };
            match admit(outcome, request.extensions_mut()) {
                Ok(()) => inner.call(request).await,
                Err(rejection) => Ok(rejection.response(client.audience(), request.headers())),
            }
        })
    }
}
