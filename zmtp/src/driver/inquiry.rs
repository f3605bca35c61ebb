//! Asking the authenticator about one peer (L3).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_util::task::AbortOnDropHandle;

use super::security::SecurityOptions;
use crate::authenticator::Candidate;
use crate::endpoint::PeerAddress;
use crate::mechanism::{AuthenticationRequest, Decision, Denial};

/// A question on its way to the authenticator, in a task of its own: however long the answer takes,
/// the timers of the connection go on. It is dropped with the connection.
#[derive(Debug)]
pub(crate) struct Inquiry(AbortOnDropHandle<Decision>);

impl Inquiry {
    pub(crate) fn begin(
        security: &SecurityOptions,
        address: Option<PeerAddress>,
        request: AuthenticationRequest,
    ) -> Self {
        let candidate = address.map(|address| {
            let mut candidate = Candidate::new(address, request.credentials);
            candidate.metadata = request.metadata;
            candidate.domain = security.domain().cloned();
            candidate
        });
        let inquiry = candidate.zip(security.authenticator().cloned());
        Self(AbortOnDropHandle::new(tokio::spawn(async move {
            match inquiry {
                Some((candidate, authenticator)) => authenticator.authenticate(&candidate).await,
                // [PLAIN-021] Nobody comes in without having been asked about.
                None => Decision::Deny(Denial::InternalError),
            }
        })))
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Decision> {
        let answer = Pin::new(&mut self.0).poll(context);
        // Whoever panics has not decided.
        answer.map(|answer| answer.unwrap_or(Decision::Deny(Denial::InternalError)))
    }
}
