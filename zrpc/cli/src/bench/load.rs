//! The calls: when each one begins, and when there are enough.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rmpv::Value;
use zrpc::{CallError, Client, Response};

use super::progress::Progress;
use super::tally::{Call, Tally};

/// When there are enough calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Goal {
    /// After so many.
    pub(super) count: Option<u64>,
    /// After so long.
    pub(super) duration: Option<Duration>,
}

/// When calls begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pace {
    /// Each begins when the one before it was answered.
    AsAnswersCome,
    /// So many a second.
    Rate(f64),
}

/// One series of calls of the same method.
#[derive(Debug)]
pub(super) struct Load<'a> {
    method: &'a str,
    args: &'a [Value],
    goal: Goal,
    pace: Pace,
    begin: Instant,
    begun: Cell<u64>,
    /// Whether no more calls can succeed.
    is_over: Cell<bool>,
    tally: RefCell<Tally>,
}

impl<'a> Load<'a> {
    pub(super) fn new(method: &'a str, args: &'a [Value], goal: Goal, pace: Pace) -> Self {
        Self {
            method,
            args,
            goal,
            pace,
            begin: Instant::now(),
            begun: Cell::new(0),
            is_over: Cell::new(false),
            tally: RefCell::default(),
        }
    }

    /// Makes the calls, so many at a time, until there are enough.
    ///
    /// Those that are not answered when the time is over are dropped.
    pub(super) async fn run(&self, clients: &[Client], concurrency: usize, progress: &Progress) {
        let workers = clients.iter().cycle().take(concurrency);
        let calls = join_all(workers.map(|client| self.work(client)));
        let end = self.goal.duration.map(|duration| self.begin + duration);
        let over = async {
            match end {
                Some(end) => tokio::time::sleep_until(end.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = calls => {}
            () = over => {}
            () = progress.follow(self) => {}
        }
    }

    /// Returns what was measured until now.
    pub(super) fn into_tally(self) -> Tally {
        let mut tally = self.tally.into_inner();
        tally.elapsed = self.begin.elapsed();
        tally.unfinished = self.begun.get().saturating_sub(tally.calls());
        tally
    }

    /// How long it has been going on.
    pub(super) fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// How many calls were answered, and how many failed.
    pub(super) fn counts(&self) -> (u64, u64) {
        let tally = self.tally.borrow();
        (tally.calls(), tally.failed())
    }

    async fn work(&self, client: &Client) {
        while let Some(start) = self.next_start().await {
            let call = self.call(client, start).await;
            self.tally.borrow_mut().record(call);
            if self.is_over.get() {
                return;
            }
        }
    }

    /// Waits until the next call is due, and returns the moment from which it is measured.
    async fn next_start(&self) -> Option<Instant> {
        let number = self.begun.get();
        if self.goal.count.is_some_and(|count| number >= count) {
            return None;
        }
        self.begun.set(number + 1);
        let Pace::Rate(rate) = self.pace else {
            return Some(Instant::now());
        };
        #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^53 calls")]
        let after = number as f64 / rate;
        // A call that is due in a thousand years is due after the end.
        let after = Duration::try_from_secs_f64(after).unwrap_or(Duration::MAX);
        let Some(due) = self.begin.checked_add(after) else {
            return std::future::pending().await;
        };
        if due <= Instant::now() {
            // It is late, because others took too long: its caller has been waiting since then.
            return Some(due);
        }
        tokio::time::sleep_until(due.into()).await;
        // That the timer is late is nobody's latency.
        Some(Instant::now())
    }

    async fn call(&self, client: &Client, start: Instant) -> Call {
        let response = client.request(self.method, self.args).send::<Value>().await;
        let mut items = match response {
            Ok(Response::Value(_)) => return Call::answered(start.elapsed()),
            Ok(Response::Stream(items)) => items,
            Ok(_) => return Call::failed("UnknownReply".to_owned()),
            Err(error) => {
                if matches!(error, CallError::Unreachable(_)) {
                    self.is_over.set(true);
                }
                return Call::failed(kind(&error));
            }
        };
        let mut first = None;
        let mut count = 0;
        loop {
            match items.next_item().await {
                Ok(Some(_)) => {
                    first.get_or_insert_with(|| start.elapsed());
                    count += 1;
                }
                Ok(None) => return Call::streamed(start.elapsed(), first, count),
                Err(error) => return Call::failed(kind(&error)),
            }
        }
    }
}

/// What failures are counted by: the name of the exception, or what became of the call.
fn kind(error: &CallError) -> String {
    let kind = match error {
        CallError::Remote(remote) => return remote.name.clone(),
        CallError::LostRemote { .. } => "LostRemote",
        CallError::Unreachable(_) => "Unreachable",
        CallError::Disconnected => "Disconnected",
        CallError::Timeout { .. } => "TimeoutExpired",
        CallError::TooManyCalls { .. } => "TooManyCalls",
        CallError::Closed => "Closed",
        CallError::Overrun { .. } => "Overrun",
        CallError::Malformed { .. } | CallError::UnexpectedEvent { .. } => "ProtocolError",
        _ => "Unsendable",
    };
    kind.to_owned()
}
