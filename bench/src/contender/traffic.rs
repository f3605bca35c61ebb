//! What the loops of most contenders share: do it again until the window is over, and report.

use std::future::Future;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::error::BenchError;
use crate::link::Link;
use crate::measure::{Latencies, Measurement, Meter};

/// How many messages a subscriber counts before it tells the others.
const TALLY: u64 = 64;

/// Counts what is done until the window is over: `while count.again()`, and then a report.
#[derive(Debug)]
pub(super) struct Count<'a> {
    link: &'a Link,
    meter: Meter,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing was done yet.
    New,
    Running,
    Done(Measurement),
}

impl<'a> Count<'a> {
    /// Waits until the other process exists.
    pub(super) fn new(link: &'a Link) -> Result<Self, BenchError> {
        Ok(Self {
            link,
            meter: Meter::new(link.plan()?),
            state: State::New,
        })
    }

    /// Counts what was done since the last call, and says whether to do it again.
    #[inline]
    pub(super) fn again(&mut self) -> bool {
        if matches!(self.state, State::New) {
            self.state = State::Running;
            return true;
        }
        match self.meter.record(1) {
            ControlFlow::Continue(()) => true,
            ControlFlow::Break(measurement) => {
                self.state = State::Done(measurement);
                false
            }
        }
    }

    /// Hands the result over.
    pub(super) fn report(self) -> Result<(), BenchError> {
        let link = self.link;
        link.report(&self.measurement()?)
    }

    fn measurement(self) -> Result<Measurement, BenchError> {
        match self.state {
            State::Done(measurement) => Ok(measurement),
            State::New | State::Running => Err(BenchError::Unfinished),
        }
    }
}

/// The same, and takes the time of each.
#[derive(Debug)]
pub(super) struct Time<'a> {
    count: Count<'a>,
    latencies: Latencies,
    begun: Option<Instant>,
}

impl<'a> Time<'a> {
    /// Waits until the other process exists.
    pub(super) fn new(link: &'a Link) -> Result<Self, BenchError> {
        Ok(Self {
            count: Count::new(link)?,
            latencies: Latencies::default(),
            begun: None,
        })
    }

    /// Counts what was done since the last call, and says whether to do it again.
    pub(super) fn again(&mut self) -> bool {
        self.latencies.stop(self.begun.take());
        let again = self.count.again();
        self.begun = Latencies::start(&self.count.meter);
        again
    }

    /// Hands the result over.
    pub(super) fn report(self) -> Result<(), BenchError> {
        let link = self.count.link;
        let measurement = self.count.measurement()?;
        link.report(&measurement.with_latency(self.latencies))
    }
}

/// Starts `tasks` tasks that count together, and reports when the window is over.
pub(super) async fn together<Task>(
    link: &Link,
    tasks: usize,
    mut task: impl FnMut(Tally) -> Task,
) -> Result<(), BenchError>
where
    Task: Future<Output = Result<(), BenchError>> + Send + 'static,
{
    let (tally, outcome) = Tally::new(link)?;
    for _ in 0..tasks {
        let work = task(tally.clone());
        let tally = tally.clone();
        tokio::spawn(async move {
            if let Err(error) = work.await {
                tally.finish(Err(error));
            }
        });
    }
    let measurement = outcome.await.map_err(BenchError::contender)??;
    link.report(&measurement)
}

/// The end of a measurement that several tasks or threads make.
pub(super) type Outcome = oneshot::Receiver<Result<Measurement, BenchError>>;

/// A meter that several tasks or threads share.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    shared: Arc<Shared>,
    /// What this one has not told the others yet.
    kept: u64,
}

#[derive(Debug)]
struct Shared {
    meter: Mutex<Meter>,
    outcome: Mutex<Option<oneshot::Sender<Result<Measurement, BenchError>>>>,
}

impl Tally {
    pub(super) fn new(link: &Link) -> Result<(Self, Outcome), BenchError> {
        let (sender, outcome) = oneshot::channel();
        let shared = Shared {
            meter: Mutex::new(Meter::new(link.plan()?)),
            outcome: Mutex::new(Some(sender)),
        };
        let tally = Self {
            shared: Arc::new(shared),
            kept: 0,
        };
        Ok((tally, outcome))
    }

    /// Counts one operation.
    pub(super) fn record(&mut self) {
        self.add(1);
    }

    /// Counts one operation of very many: they are added up before the others hear of them.
    pub(super) fn record_one_of_many(&mut self) {
        self.kept += 1;
        if self.kept == TALLY {
            self.kept = 0;
            self.add(TALLY);
        }
    }

    /// Ends the measurement. The first that does speaks for all.
    pub(super) fn finish(&self, outcome: Result<Measurement, BenchError>) {
        if let Some(sender) = lock(&self.shared.outcome).take() {
            // Nobody waits if another thread has failed meanwhile.
            let _ = sender.send(outcome);
        }
    }

    fn add(&self, operations: u64) {
        let recorded = lock(&self.shared.meter).record(operations);
        if let ControlFlow::Break(measurement) = recorded {
            self.finish(Ok(measurement));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
