//! Asking a ZAP handler about those who want in.

use std::fmt;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::ZapError;
use super::inquirer::{self, Question};
use crate::authenticator::{Authenticator, Candidate, Deciding};
use crate::driver::sync::{Mutex, lock};
use crate::driver::{Chain, Conflation, Warnings, warn_or_debug};
use crate::endpoint::{Endpoint, EndpointError, EndpointName};
use crate::mechanism::{Decision, Denial};
use crate::message::Part;
use crate::socket::{Builder, DealerSocket, IntoEndpoint, Socket};
use crate::zap::Reply;

/// Asks a ZAP handler, which is a program behind a REP or ROUTER socket ([27/ZAP]): the authenticator
/// of pyzmq, say, or a [`ZapHandler`](crate::ZapHandler).
///
/// All sockets that share it ask through one DEALER socket, which is connected when somebody is first
/// asked about. Requests do not wait for each other here; a REP takes them one by one. The DEALER
/// runs on the runtime of whoever asks first, and on another one when that has ended.
///
/// Whoever the handler does not let in stays out:
///
/// | the handler | the peer is told |
/// |---|---|
/// | says 300, 400 or 500 | that: nothing, 400 or 500 |
/// | is not there within [the time it has](Self::absence_timeout) | [500](Self::denial_when_absent) |
/// | is there and takes no requests for that long | nothing |
/// | does not answer [in time](Self::reply_timeout), or not before the handshake has to be done | nothing |
/// | says what is no reply to this request | 500 |
///
/// Requests hold passwords in the clear: a handler in another process should be reached over an ipc
/// endpoint that is nobody else's, or with CURVE ([`Self::socket`]).
///
/// ```no_run
/// use zmtp::{PullSocket, Socket, ZapAuthenticator};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pull = PullSocket::builder()
///     .plain_server()
///     .zap_domain("global")?
///     .authenticator(ZapAuthenticator::at("ipc:///run/zap/handler")?)
///     .build();
/// pull.bind("tcp://*:5557").await?;
/// # Ok(())
/// # }
/// ```
///
/// [27/ZAP]: https://rfc.zeromq.org/spec/27/
#[must_use = "a socket has to be told to ask it"]
pub struct ZapAuthenticator {
    endpoint: Endpoint,
    socket: Builder<DealerSocket>,
    reply_timeout: Duration,
    absence_timeout: Duration,
    when_absent: Denial,
    domain: DomainRule,
    /// Where questions go while there is a task that asks them.
    questions: Mutex<Option<mpsc::Sender<Question>>>,
    /// How often the log is told that nobody has decided.
    warnings: Warnings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DomainRule {
    Optional,
    Enforced,
}

impl ZapAuthenticator {
    /// Asks the handler of this process, at [`zap::ENDPOINT`](crate::zap::ENDPOINT) `[ZAP-001]`.
    pub fn new() -> Self {
        Self::with(Endpoint::Inproc(EndpointName::of_zap_handler()))
    }

    /// Asks the handler at `endpoint`.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] says what is wrong with the text.
    pub fn at(endpoint: impl IntoEndpoint) -> Result<Self, EndpointError> {
        Ok(Self::with(endpoint.into_endpoint()?))
    }

    fn with(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            socket: DealerSocket::builder().linger(Duration::ZERO),
            reply_timeout: REPLY_TIMEOUT,
            absence_timeout: ABSENCE_TIMEOUT,
            when_absent: Denial::InternalError,
            domain: DomainRule::Optional,
            questions: Mutex::default(),
            warnings: Warnings::default(),
        }
    }

    /// How long the handler has for an answer, beside what the handshake has left. Default: 10 s.
    pub const fn reply_timeout(mut self, timeout: Duration) -> Self {
        self.reply_timeout = timeout;
        self
    }

    /// How long a handler that is not there, or takes no requests, is waited for; [`Duration::MAX`]
    /// stands for as long as an answer is. Default: 1 s.
    pub const fn absence_timeout(mut self, timeout: Duration) -> Self {
        self.absence_timeout = timeout;
        self
    }

    /// What peers are told while there is no handler. Default: 500, after which most of them do not
    /// try again; 300 lets them.
    pub const fn denial_when_absent(mut self, denial: Denial) -> Self {
        self.when_absent = denial;
        self
    }

    /// Lets nobody in where the socket has no [domain](Builder::zap_domain), as the protocol has it
    /// `[ZAP-011]`. Default: the handler is asked without one, as libzmq does.
    pub const fn enforce_domain(mut self) -> Self {
        self.domain = DomainRule::Enforced;
        self
    }

    /// With which options the handler is connected to: a server key for CURVE, say. It queues for
    /// connected handlers alone, keeps all its requests and drops what is queued when it closes, whatever
    /// the options say.
    pub fn socket(mut self, builder: Builder<DealerSocket>) -> Self {
        self.socket = builder.linger(Duration::ZERO);
        self.socket.options.conflation = Conflation::None;
        self
    }

    /// Asks the handler about `candidate`.
    ///
    /// # Errors
    ///
    /// [`ZapError`] says why there is no answer.
    ///
    /// # Panics
    ///
    /// If it is polled outside of a tokio runtime, or on one without a timer.
    ///
    /// # Cancel safety
    ///
    /// The answer is dropped if the future is.
    pub async fn ask(&self, candidate: &Candidate) -> Result<Reply, ZapError> {
        if self.domain == DomainRule::Enforced && candidate.domain.is_none() {
            return Err(ZapError::NoDomain);
        }
        let asked = async {
            // The task that asks may go with another runtime. The next one is on this.
            match self.ask_once(candidate).await {
                None => self.ask_once(candidate).await,
                answer => answer,
            }
        };
        match timeout(self.reply_timeout, asked).await {
            Ok(Some(answer)) => answer,
            // Another runtime was faster with the next one, and has ended as well.
            Ok(None) => Err(ZapError::Absent {
                endpoint: self.endpoint.clone(),
            }),
            Err(_elapsed) => Err(ZapError::TimedOut {
                timeout: self.reply_timeout,
            }),
        }
    }

    /// Has a task ask the handler; `None` if that task ends before it has an answer.
    async fn ask_once(&self, candidate: &Candidate) -> Option<Result<Reply, ZapError>> {
        let (answer, answered) = oneshot::channel();
        let question = Question {
            // [ZAP-010] The one who sends it knows an id that is free.
            request: candidate.to_zap_request(Part::EMPTY),
            answer,
        };
        let questions = self.questions();
        // Whether it is sent or not, there is an answer or not.
        let _ = questions.send(question).await;
        let answered = answered.await.ok();
        if answered.is_none() {
            // From here on nobody takes that task for one that asks.
            questions.closed().await;
        }
        answered
    }

    /// Whoever wants in can have the log written as often as he comes.
    fn warn(&self, error: &ZapError) {
        let endpoint = &self.endpoint;
        warn_or_debug!(self.warnings, "nobody has decided", %endpoint, error = %Chain(error));
    }

    /// Where questions go.
    fn questions(&self) -> mpsc::Sender<Question> {
        let mut current = lock(&self.questions);
        if let Some(questions) = current.as_ref().filter(|questions| !questions.is_closed()) {
            return questions.clone();
        }
        let (sender, receiver) = mpsc::channel(MAX_QUESTIONS);
        tokio::spawn(inquirer::run(
            self.socket.clone().immediate().build(),
            self.endpoint.clone(),
            self.absence_timeout,
            receiver,
        ));
        *current = Some(sender.clone());
        sender
    }
}

impl Authenticator for ZapAuthenticator {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        Box::pin(async move {
            match self.ask(candidate).await {
                Ok(reply) => reply.into_decision(),
                Err(error) => {
                    self.warn(&error);
                    Decision::Deny(error.denial(self.when_absent))
                }
            }
        })
    }
}

impl Default for ZapAuthenticator {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ZapAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZapAuthenticator")
            .field("endpoint", &self.endpoint)
            .field("reply_timeout", &self.reply_timeout)
            .field("absence_timeout", &self.absence_timeout)
            .field("when_absent", &self.when_absent)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// Less than the 30 s that a handshake has by default, so that there is a reason to tell.
const REPLY_TIMEOUT: Duration = Duration::from_secs(10);

/// Long enough to connect to a handler that is there.
const ABSENCE_TIMEOUT: Duration = Duration::from_secs(1);

/// So many questions wait for the task; whoever has one more waits for a place.
const MAX_QUESTIONS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zap;

    // ZAP-001
    #[test]
    fn the_handler_of_the_process_is_asked_by_default() {
        assert_eq!(ZapAuthenticator::new().endpoint.to_string(), zap::ENDPOINT);
    }

    #[test]
    fn requests_of_several_parts_are_kept_whatever_the_options_say() {
        let asking = ZapAuthenticator::new().socket(DealerSocket::builder().conflate());
        assert_eq!(asking.socket.options.conflation, Conflation::None);
    }
}
