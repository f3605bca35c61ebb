//! Being a ZAP handler.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::authenticator::{Authenticator, Candidate, CandidateError};
use crate::driver::PeerId;
use crate::mechanism::{Decision, Denial};
use crate::message::{Message, Part};
use crate::socket::{RepSocket, RouterSocket};
use crate::zap::{Reply, Request, split_envelope};

/// Answers the requests of ZAP with what an [`Authenticator`] decides ([27/ZAP]), so that sockets
/// elsewhere can ask it: those of libzmq in other processes through a proxy at their
/// `inproc://zeromq.zap.01`, and those of this crate with a
/// [`ZapAuthenticator`](crate::ZapAuthenticator).
///
/// Requests hold passwords in the clear, and whoever may connect to the socket may try some: it is
/// for an endpoint within the process, an ipc endpoint that is nobody else's, or CURVE.
///
/// ```no_run
/// use zmtp::authenticator::Passwords;
/// use zmtp::{RouterSocket, Socket, ZapHandler, zap};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut passwords = Passwords::new();
/// passwords.insert("admin", "secret")?;
/// let router = RouterSocket::new();
/// router.bind(zap::ENDPOINT).await?;
/// tokio::spawn(ZapHandler::new(passwords).serve(router));
/// # Ok(())
/// # }
/// ```
///
/// [27/ZAP]: https://rfc.zeromq.org/spec/27/
#[derive(Clone, Debug)]
#[must_use = "a handler has to serve a socket"]
pub struct ZapHandler {
    authenticator: Arc<dyn Authenticator>,
    max_pending: usize,
    decision_timeout: Duration,
}

impl ZapHandler {
    /// Makes a handler that answers what `authenticator` decides.
    pub fn new(authenticator: impl Authenticator) -> Self {
        Self {
            authenticator: Arc::new(authenticator),
            max_pending: MAX_PENDING,
            decision_timeout: DECISION_TIMEOUT,
        }
    }

    /// How many decisions are made at the same time; further requests wait in the queue of the
    /// socket. Default: 1024. Zero counts as one.
    pub fn max_pending(mut self, count: usize) -> Self {
        self.max_pending = count.max(1);
        self
    }

    /// How long a decision may take; then the answer is 300. Default: 30 s, as a handshake has.
    pub const fn decision_timeout(mut self, timeout: Duration) -> Self {
        self.decision_timeout = timeout;
        self
    }

    /// Answers requests to `router` until it is closed. Decisions do not wait for each other.
    ///
    /// A message that is no request is answered with 500, and dropped without a delimiter: then it
    /// does not say where an answer goes.
    ///
    /// # Cancel safety
    ///
    /// The handler ends if the future is dropped; decisions that are being made are dropped.
    pub async fn serve(self, mut router: RouterSocket) {
        let mut pending = JoinSet::new();
        loop {
            tokio::select! {
                received = router.recv_from(), if pending.len() < self.max_pending => {
                    let Ok((peer, message)) = received else {
                        return;
                    };
                    self.begin(peer, &message, &mut pending);
                }
                Some(done) = pending.join_next(), if !pending.is_empty() => {
                    // What could panic runs in another task.
                    if let Ok((peer, reply)) = done
                        && let Err(error) = router.try_send_to(peer, reply)
                    {
                        tracing::debug!(%peer, %error, "dropped a reply");
                    }
                }
            }
        }
    }

    /// Answers requests to `rep` until it is closed, one after another.
    ///
    /// # Cancel safety
    ///
    /// The handler ends if the future is dropped.
    pub async fn serve_in_turn(self, mut rep: RepSocket) {
        while let Ok(request) = rep.recv().await {
            let reply = self.answer(request.parts()).await;
            if let Err(error) = rep.send(reply) {
                tracing::debug!(%error, "dropped a reply");
            }
        }
    }

    /// Begins to decide about a request.
    fn begin(&self, peer: PeerId, message: &Message, pending: &mut JoinSet<(PeerId, Message)>) {
        let Some((envelope, request)) = split_envelope(message.parts()) else {
            tracing::debug!(%peer, "dropped a request without a delimiter");
            return;
        };
        // [ZAP-034] [ZAP-036] The reply takes the way back that the request came.
        let (envelope, request) = (envelope.to_vec(), request.to_vec());
        let handler = self.clone();
        pending.spawn(async move {
            let mut reply = Message::from_parts(envelope);
            reply.extend(handler.answer(&request).await.into_parts());
            (peer, reply)
        });
    }

    /// The reply to a request, without its envelope.
    async fn answer(&self, parts: &[Part]) -> Message {
        let request = match Request::decode(parts) {
            Ok(request) => request,
            Err(error) => {
                tracing::debug!(%error, "not a request");
                let id = parts.get(1).filter(|id| id.len() <= MAX_ID_LEN);
                let denial = Decision::Deny(Denial::InternalError);
                let id = id.cloned().unwrap_or(Part::EMPTY);
                return Reply::from_decision(id, denial).encode();
            }
        };
        let decision = match Candidate::from_zap_request(&request) {
            Ok(candidate) => self.decide(candidate).await,
            Err(error) => {
                tracing::debug!(%error, "a request about nobody");
                Decision::Deny(match error {
                    CandidateError::Mechanism { .. } => Denial::Refused,
                    CandidateError::Address { .. } => Denial::InternalError,
                })
            }
        };
        Reply::from_decision(request.request_id, decision).encode()
    }

    /// Decides in a task of its own, so that one that panics is only a failure to decide.
    async fn decide(&self, candidate: Candidate) -> Decision {
        let authenticator = Arc::clone(&self.authenticator);
        let deciding = AbortOnDropHandle::new(tokio::spawn(async move {
            authenticator.authenticate(&candidate).await
        }));
        match timeout(self.decision_timeout, deciding).await {
            Ok(decision) => decision.unwrap_or(Decision::Deny(Denial::InternalError)),
            Err(_elapsed) => Decision::Deny(Denial::Temporary),
        }
    }
}

/// The longest request id that is repeated.
const MAX_ID_LEN: usize = 255;

/// Many more than one who hashes passwords can work on, and few enough to hold.
const MAX_PENDING: usize = 1024;

/// The default of a handshake: nobody waits longer.
const DECISION_TIMEOUT: Duration = Duration::from_secs(30);
