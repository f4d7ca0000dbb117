//! The one way through the edge: every request passes here on its way in, and every answer on its way out.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, request};
use http_body::Body as HttpBody;
use http_body_util::{BodyExt as _, Full};
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use super::access::Access;
use super::access_log::{self, Completion};
use super::calls::{Calls, End};
use super::message_limit::LimitedBody;
use super::methods::{Messages, Method, Methods};
use super::stay::Stay;
use super::{bearer, deadline, details, guard, status};
use crate::domain::caller::Caller;
use crate::domain::clock::Clock;
use crate::domain::deadline::Deadline;
use crate::domain::origin::Origin;
use crate::domain::proxies::ProxyTrust;
use crate::domain::trace::{TRACEPARENT, Traces};
use crate::service::access::CheckAccess;
use crate::service::access::admission::Admission;
use crate::service::error::{ServiceError, ServiceResult};

/// What stands before the services.
pub struct Front {
    pub routes: Routes,
    pub methods: Methods,
    pub calls: Arc<Calls>,
    pub access: Arc<CheckAccess>,
    pub proxies: ProxyTrust,
    /// No call takes longer, whatever its caller asks for.
    pub max_deadline: Duration,
    /// How long a stream may go on.
    pub stay: Arc<Stay>,
    pub clock: Arc<dyn Clock>,
    pub traces: Arc<Traces>,
}

impl Front {
    /// Answers a request that this peer has sent.
    pub async fn answer<B>(&self, peer: IpAddr, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    {
        let started = self.clock.monotonic();
        let source = self.proxies.source(peer, |name| sent(request.headers(), name));
        let time_left = deadline::of(request.headers(), self.max_deadline);
        let trace = self.traces.of(sent(request.headers(), TRACEPARENT));
        let origin = Origin { source: Some(source), trace_id: trace.id, deadline: Deadline::after(started, time_left) };
        let method = self.methods.find(request.uri().path());
        let underway = self.calls.begin(method);
        let span = access_log::span(method, &trace);
        let mut response = self.pass(method, request, origin, time_left).instrument(span.clone()).await;
        let code = span.in_scope(|| details::complete(response.headers_mut(), origin.trace_id));
        let duration = self.clock.monotonic().saturating_sub(started);
        let http = response.status();
        underway.end(if http == StatusCode::OK { End::Code(code) } else { End::NotGrpc }, duration);
        access_log::tell(&Completion { method, trace, http, code, duration }, &span);
        response
    }

    async fn pass<B>(
        &self,
        method: Option<&Method>,
        request: Request<B>,
        origin: Origin,
        time_left: Duration,
    ) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    {
        let method = match guard::admit(&request, method) {
            Ok(method) => method,
            Err(refusal) => return *refusal,
        };
        // Dropping the work when the deadline passes is what cancels it. It is boxed because it is large, and each
        // wrapper around it would move it once more.
        let work = AssertUnwindSafe(Box::pin(self.call(method, request, origin))).catch_unwind();
        match tokio::time::timeout(time_left, work).await {
            Ok(Ok(response)) => response,
            Ok(Err(_payload)) => {
                // The payload may quote input; the panic hook has told the place.
                tracing::error!("a handler panicked");
                status::internal().into_http()
            }
            Err(_elapsed) => status::deadline_exceeded().into_http(),
        }
    }

    /// Lets the method run if the caller may call it. Until then nothing of the message is read.
    async fn call<B>(&self, method: &Method, request: Request<B>, origin: Origin) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    {
        let (mut head, body) = request.into_parts();
        let body = LimitedBody::new(body, method.message_limit, method.messages);
        let body = match self.admit(method, &mut head, body, &origin).await {
            Ok(body) => body,
            Err(refusal) => return refusal.into_http(),
        };
        head.extensions.insert(origin);
        head.extensions.insert(Arc::clone(&self.stay));
        match self.routes.clone().oneshot(Request::from_parts(head, body)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// The message, once its caller may call the method.
    async fn admit<B>(
        &self,
        method: &Method,
        head: &mut request::Parts,
        body: LimitedBody<B>,
        origin: &Origin,
    ) -> Result<Body, Status>
    where
        B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    {
        let Some((mut caller, admission)) = self.caller(method, &head.headers, origin).await? else {
            return Ok(Body::new(body));
        };
        let body = match method.messages {
            Messages::One => received(body, &admission, &mut caller).await?,
            Messages::Many => Body::new(body),
        };
        head.extensions.insert(caller);
        head.extensions.insert(admission);
        Ok(body)
    }

    /// Who calls a method that is not public, and their leave to go on; `None` where it is.
    async fn caller(
        &self,
        method: &Method,
        headers: &HeaderMap,
        origin: &Origin,
    ) -> ServiceResult<Option<(Caller, Admission)>> {
        let need = match &method.access {
            Access::Public => return Ok(None),
            Access::Bearer(need) => need,
        };
        let bearer = bearer::of(headers).ok_or(ServiceError::BearerRequired)?;
        let admission = Admission::new(Arc::clone(&self.access), bearer, need.clone(), method.name(), *origin);
        Ok(Some((admission.check().await?, admission)))
    }
}

fn sent<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h [u8]> + use<'h> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

/// The message of a unary call. Where it had to be waited for, the caller is asked for again: who is disabled, demoted or
/// signed out while they hold a message back must not have it run on the leave of before.
async fn received<B>(body: LimitedBody<B>, admission: &Admission, caller: &mut Caller) -> Result<Body, Status>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut whole = pin!(body.collect());
    let message = match futures_util::poll!(whole.as_mut()) {
        Poll::Ready(message) => message?,
        Poll::Pending => {
            let message = whole.await?;
            *caller = admission.check().await?;
            message
        }
    };
    Ok(Body::new(Full::new(message.to_bytes())))
}

/// Where the request comes from, and its message.
pub fn split<T>(request: tonic::Request<T>) -> Result<(Origin, T), Status> {
    let origin = request.extensions().get::<Origin>().copied().ok_or_else(status::internal)?;
    Ok((origin, request.into_inner()))
}

/// Who calls a method that is not public, where the request comes from, and its message.
pub fn split_called<T>(request: tonic::Request<T>) -> Result<(Caller, Origin, T), Status> {
    // Access is checked before the routes: without a caller a method that is not public would not be reached.
    let caller = request.extensions().get::<Caller>().cloned().ok_or_else(status::internal)?;
    let (origin, message) = split(request)?;
    Ok((caller, origin, message))
}

/// What a stream needs to go on: its caller's leave, which is none where the method is public, and word of when to end.
pub fn lasting<T>(request: &tonic::Request<T>) -> Result<(Option<Admission>, Stay), Status> {
    let extensions = request.extensions();
    let stay = extensions.get::<Arc<Stay>>().ok_or_else(status::internal)?;
    Ok((extensions.get::<Admission>().cloned(), Stay::clone(stay)))
}

#[cfg(test)]
mod tests;
