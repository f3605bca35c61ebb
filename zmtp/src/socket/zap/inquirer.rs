//! The task that carries questions to a ZAP handler, and its answers back.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::ZapError;
use crate::endpoint::Endpoint;
use crate::message::{Message, Part};
use crate::socket::{DealerSocket, Socket, TrySendError};
use crate::zap::{Reply, ReplyError, Request};

/// Whom a handler is asked about, and who waits for the answer.
pub(super) struct Question {
    pub(super) request: Request,
    pub(super) answer: oneshot::Sender<Result<Reply, ZapError>>,
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Question").field(&self.request).finish()
    }
}

/// Asks `questions` at `endpoint` until nobody can have any more.
pub(super) async fn run(
    mut dealer: DealerSocket,
    endpoint: Endpoint,
    absence_timeout: Duration,
    mut questions: mpsc::Receiver<Question>,
) {
    if let Err(error) = dealer.connect(&endpoint).await {
        while let Some(question) = questions.recv().await {
            // Whoever has gone needs no answer.
            let _ = question.answer.send(Err(ZapError::Connect(error.clone())));
        }
        return;
    }
    let mut inquirer = Inquirer::new(endpoint.clone());
    loop {
        // What happens after this wakes, so that the attempts below miss nothing.
        let writable = dealer.writable();
        inquirer.send_waiting(&mut dealer);
        let deadline = inquirer.next_deadline();
        tokio::select! {
            question = questions.recv() => match question {
                Some(question) => {
                    // A time beyond all clocks is for ever.
                    inquirer.wait(question, Instant::now().checked_add(absence_timeout));
                }
                None => return,
            },
            received = dealer.recv() => match received {
                Ok(message) => inquirer.handle_reply(message.parts()),
                Err(_closed) => return,
            },
            () = writable, if inquirer.is_waiting() => {}
            () = until(deadline), if deadline.is_some() => {
                let handler = match dealer.peers().as_slice() {
                    [] => Handler::Absent,
                    _ => Handler::Busy,
                };
                inquirer.give_up(Instant::now(), handler);
                // Whoever refused to be connected to, for good, may have made way for a handler.
                // Otherwise this changes nothing, and it has worked before.
                let _ = dealer.connect(&endpoint).await;
            }
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Why nobody takes a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handler {
    /// There is no connection to a handler.
    Absent,
    /// There is, and its queue is full.
    Busy,
}

/// What was asked, and what is to be.
#[derive(Debug)]
struct Inquirer {
    endpoint: Endpoint,
    /// Questions that no handler has taken yet, oldest first, and how long they wait for one: for
    /// ever without a deadline.
    waiting: VecDeque<(Option<Instant>, Question)>,
    /// Who waits for the answer to the request with a number.
    asked: HashMap<u64, Waiting>,
    /// The number of the next request.
    next_number: u64,
    /// With so many, those of whom nobody wants to know any more are forgotten.
    tidy_at: usize,
}

type Waiting = oneshot::Sender<Result<Reply, ZapError>>;

impl Inquirer {
    fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            waiting: VecDeque::new(),
            asked: HashMap::new(),
            next_number: 1,
            tidy_at: MIN_TIDY,
        }
    }

    fn wait(&mut self, question: Question, deadline: Option<Instant>) {
        self.waiting.push_back((deadline, question));
    }

    fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Until when the oldest question waits for a handler.
    fn next_deadline(&self) -> Option<Instant> {
        self.waiting.front().and_then(|(deadline, _)| *deadline)
    }

    /// Sends what waits, as far as there is a handler that takes it.
    fn send_waiting(&mut self, dealer: &mut DealerSocket) {
        while let Some((deadline, question)) = self.waiting.pop_front() {
            if question.answer.is_closed() {
                // [ZAP-042] Its connection has gone.
                continue;
            }
            let mut request = question.request;
            let number = self.next_number;
            request.request_id = Part::from(number.to_string().as_str());
            match dealer.try_send(with_delimiter(&request)) {
                Ok(_handler) => {
                    self.next_number = self.next_number.wrapping_add(1);
                    self.remember(number, question.answer);
                }
                Err(TrySendError::Full(_)) => {
                    let question = Question {
                        request,
                        ..question
                    };
                    self.waiting.push_front((deadline, question));
                    return;
                }
                // The socket closes; whoever waits for the answer learns of it by its end.
                Err(_) => {}
            }
        }
    }

    fn remember(&mut self, number: u64, answer: Waiting) {
        if self.asked.len() >= self.tidy_at {
            self.asked.retain(|_, answer| !answer.is_closed());
            self.tidy_at = (self.asked.len() * 2).max(MIN_TIDY);
        }
        self.asked.insert(number, answer);
    }

    /// Answers those that have waited for a `handler` long enough.
    fn give_up(&mut self, now: Instant, handler: Handler) {
        while self.next_deadline().is_some_and(|deadline| deadline <= now) {
            if let Some((_, question)) = self.waiting.pop_front() {
                let endpoint = self.endpoint.clone();
                let error = match handler {
                    Handler::Absent => ZapError::Absent { endpoint },
                    Handler::Busy => ZapError::Busy { endpoint },
                };
                // Whoever has gone needs no answer.
                let _ = question.answer.send(Err(error));
            }
        }
    }

    /// Hands a reply to whoever waits for it.
    fn handle_reply(&mut self, parts: &[Part]) {
        let Some((_delimiter, reply)) = parts.split_first().filter(|(first, _)| first.is_empty())
        else {
            return self.handle_stray(ReplyError::Delimiter);
        };
        let id = reply.get(1);
        let number = id.and_then(|id| std::str::from_utf8(id).ok()?.parse().ok());
        let Some(number) = number.filter(|number| (1..self.next_number).contains(number)) else {
            // [ZAP-021]
            let error = match Reply::decode(reply, b"") {
                Err(error @ (ReplyError::Version | ReplyError::PartCount { .. })) => error,
                _ => ReplyError::RequestId,
            };
            return self.handle_stray(error);
        };
        let Some(answer) = self.asked.remove(&number) else {
            // [ZAP-007] It is the second one, or too late.
            tracing::debug!(endpoint = %self.endpoint, "dropped a reply that nobody waits for");
            return;
        };
        let id = number.to_string();
        let decoded = Reply::decode(reply, id.as_bytes());
        // Whoever has gone needs no answer.
        let _ = answer.send(decoded.map_err(ZapError::Reply));
    }

    /// A message that does not say what it answers. If one request alone was sent, it is that.
    fn handle_stray(&mut self, error: ReplyError) {
        self.asked.retain(|_, answer| !answer.is_closed());
        tracing::debug!(endpoint = %self.endpoint, %error, "not a reply to any request");
        if self.asked.len() == 1 {
            for (_, answer) in self.asked.drain() {
                // Whoever has gone needs no answer.
                let _ = answer.send(Err(ZapError::Reply(error.clone())));
            }
        }
    }
}

/// [ZAP-033] What a REQ puts in front, a DEALER has to.
fn with_delimiter(request: &Request) -> Message {
    let mut message = request.encode();
    message.push_front(Part::EMPTY);
    message
}

/// Fewer are not looked through for those that nobody waits for.
const MIN_TIDY: usize = 64;
