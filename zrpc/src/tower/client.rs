//! A client as a service.

use std::task::{Context, Poll};

use futures_core::future::BoxFuture;
use tower_service::Service;

use super::Call;
use crate::{CallError, Client, Reply};

/// A client is always ready: calls wait for a server by themselves, as long as their timeout allows.
/// Dropping the future ends the call.
impl Service<Call> for Client {
    type Response = Reply;
    type Error = CallError;
    type Future = BoxFuture<'static, Result<Reply, CallError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let (method, args) = call.into_parts();
        // What a method inherits that makes the call is known here, and not where it is awaited.
        let request = self.request_encoded(method, args);
        Box::pin(request.call_encoded())
    }
}

/// As that of [`Client`], for services that are shared.
impl Service<Call> for &Client {
    type Response = Reply;
    type Error = CallError;
    type Future = BoxFuture<'static, Result<Reply, CallError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let (method, args) = call.into_parts();
        let request = self.request_encoded(method, args);
        Box::pin(request.call_encoded())
    }
}
