//! Publishers, subscribers, pushers and pullers that go away at any moment, in the middle of everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::ledger::Book;
use tests::random::Random;
use tests::reserved_port::ReservedPort;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use zrpc::{
    BuildError, EmitError, Emitter, Publisher, Puller, Pusher, ReceiverBuilder, ReceiverHandle,
    Subscriber,
};

use crate::calls::quick;
use crate::shutdown::{LATE, LINGER, SHORT, TIMES, moment};
use crate::support::{eventually, in_time, random};

/// So many tasks send by the same publisher or pusher.
const SENDERS: u64 = 3;

/// Which of the two is bound; the other connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Emitter,
    Receiver,
}

/// A publisher or a pusher.
trait Emits: Clone + Send + Sync + 'static {
    async fn new(bound: Bound, endpoint: &str, linger: Duration) -> Self;

    fn emit(&self, event: (u64, u64)) -> impl Future<Output = Result<(), EmitError>> + Send;

    async fn end(self);
}

/// A subscriber or a puller.
trait Receives: Sized + Send + 'static {
    fn builder() -> ReceiverBuilder<Self>;

    async fn build(builder: ReceiverBuilder<Self>) -> Result<Self, BuildError>;

    fn handle(&self) -> ReceiverHandle;

    fn run(self) -> impl Future<Output = ()> + Send;
}

macro_rules! emits {
    ($($emitter:ty: $emit:ident, $receiver:ty;)+) => {
        $(impl Emits for $emitter {
            async fn new(bound: Bound, endpoint: &str, linger: Duration) -> Self {
                again(|| {
                    let builder = Self::builder().socket(quick()).linger(linger);
                    match bound {
                        Bound::Emitter => builder.bind(endpoint),
                        Bound::Receiver => builder.connect(endpoint),
                    }
                    .build()
                })
                .await
            }

            fn emit(&self, event: (u64, u64)) -> impl Future<Output = Result<(), EmitError>> + Send {
                self.$emit("note", event)
            }

            async fn end(self) {
                Emitter::close(self).await;
            }
        }

        impl Receives for $receiver {
            fn builder() -> ReceiverBuilder<Self> {
                Self::builder()
            }

            async fn build(builder: ReceiverBuilder<Self>) -> Result<Self, BuildError> {
                builder.build().await
            }

            fn handle(&self) -> ReceiverHandle {
                self.handle()
            }

            fn run(self) -> impl Future<Output = ()> + Send {
                self.run()
            }
        })+
    };
}

emits! {
    Publisher: publish, Subscriber;
    Pusher: push, Puller;
}

/// Builds something where another one has gone, which may take a moment to leave its address.
async fn again<T, E>(build: impl AsyncFn() -> Result<T, E>) -> T {
    let built = async {
        loop {
            match build().await {
                Ok(built) => return built,
                Err(_) => sleep(Duration::from_millis(1)).await,
            }
        }
    };
    in_time("the address is free", built).await
}

/// What methods have run.
#[derive(Debug, Default)]
struct Runs {
    begun: u64,
    ended: u64,
    /// By who sent them.
    books: HashMap<u64, Book>,
}

type SharedRuns = Arc<Mutex<Runs>>;

impl Runs {
    fn begin(&mut self, (source, number): (u64, u64)) {
        self.begun += 1;
        self.books.entry(source).or_default().enter(number);
    }

    /// No event comes twice, or before an earlier one of the same sender.
    fn assert_once_and_in_order(&self) {
        for (source, book) in &self.books {
            let faults = (book.doubled, book.overtaken);
            assert_eq!(faults, (0, 0), "{source}: {book:?}");
        }
    }
}

/// Makes a receiver whose method takes more than one turn.
async fn receiver<R: Receives>(bound: Bound, endpoint: &str, runs: &SharedRuns) -> R {
    again(|| {
        let runs = Arc::clone(runs);
        let method = move |event: (u64, u64)| {
            runs.lock().unwrap().begin(event);
            let runs = Arc::clone(&runs);
            async move {
                tokio::task::yield_now().await;
                runs.lock().unwrap().ended += 1;
            }
        };
        let builder = R::builder().socket(quick()).method("note", method);
        R::build(match bound {
            Bound::Emitter => builder.connect(endpoint),
            Bound::Receiver => builder.bind(endpoint),
        })
    })
    .await
}

/// Sends from several tasks until it is closed; they return how many events were taken of each.
fn emit_on(emitter: &impl Emits, first: u64) -> JoinSet<(u64, u64)> {
    let mut senders = JoinSet::new();
    for source in first..first + SENDERS {
        let emitter = emitter.clone();
        senders.spawn(async move {
            for number in 0.. {
                match emitter.emit((source, number)).await {
                    Ok(()) => tokio::task::yield_now().await,
                    Err(EmitError::Closed) => return (source, number),
                    Err(error) => panic!("{error}"),
                }
            }
            unreachable!("it ends before the numbers do")
        });
    }
    senders
}

/// Whether what a publisher or pusher took has to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// A publisher drops what is too much for a subscriber.
    MayDrop,
    /// Closing a pusher waits for what it took.
    OfAll,
}

/// Emitters come and go, and a receiver stays.
async fn emitters_leave<E: Emits, R: Receives>(
    bound: Bound,
    delivery: Delivery,
    random: &mut Random,
) {
    let port = ReservedPort::new().unwrap();
    let runs = SharedRuns::default();
    let staying: R = receiver(bound, &port.endpoint(), &runs).await;
    let handle = staying.handle();
    let staying = tokio::spawn(staying.run());
    for time in 0..TIMES / 2 {
        let emitter = E::new(bound, &port.endpoint(), LINGER).await;
        let begun = runs.lock().unwrap().begun;
        let first = SENDERS * u64::try_from(time).unwrap();
        let senders = emit_on(&emitter, first);
        if time % 2 == 1 {
            eventually("events come", || runs.lock().unwrap().begun > begun).await;
        }
        sleep(moment(random)).await;
        let closing = Instant::now();
        in_time("it closes", emitter.end()).await;
        assert!(closing.elapsed() < LINGER + LATE);
        let accepted = in_time("its senders are told", senders.join_all()).await;
        if delivery == Delivery::OfAll {
            eventually("everything that was taken arrives", || {
                let runs = runs.lock().unwrap();
                accepted.iter().all(|(source, count)| {
                    let book = runs.books.get(source);
                    book.map_or(0, |book| book.delivered) == *count
                })
            })
            .await;
        }
    }
    in_time("the receiver shuts down", handle.shutdown()).await;
    in_time("it ends", staying).await.unwrap();
    let runs = runs.lock().unwrap();
    assert_eq!(runs.begun, runs.ended);
    runs.assert_once_and_in_order();
}

/// Receivers come and go, and an emitter stays.
async fn receivers_leave<E: Emits, R: Receives>(bound: Bound, random: &mut Random) {
    let port = ReservedPort::new().unwrap();
    let emitter = E::new(bound, &port.endpoint(), SHORT).await;
    let mut senders = emit_on(&emitter, 0);
    let runs = SharedRuns::default();
    for time in 0..TIMES / 2 {
        let going: R = receiver(bound, &port.endpoint(), &runs).await;
        let handle = going.handle();
        let going = tokio::spawn(going.run());
        let begun = runs.lock().unwrap().begun;
        if time % 2 == 1 {
            eventually("events come", || runs.lock().unwrap().begun > begun).await;
        }
        sleep(moment(random)).await;
        match time % 3 {
            0 => {
                going.abort();
                assert!(
                    in_time("it ends", going)
                        .await
                        .is_err_and(|it| it.is_cancelled())
                );
                // A method that it was running has gone with it.
                let mut runs = runs.lock().unwrap();
                assert!(runs.begun - runs.ended <= 1, "{runs:?}");
                runs.ended = runs.begun;
            }
            _ => {
                in_time("it shuts down", handle.shutdown()).await;
                in_time("it ends", going).await.unwrap();
                let runs = runs.lock().unwrap();
                assert_eq!(runs.begun, runs.ended);
            }
        }
    }
    assert!(senders.try_join_next().is_none(), "the emitter stays");
    let closing = Instant::now();
    in_time("it closes", emitter.end()).await;
    assert!(closing.elapsed() < SHORT + LATE);
    in_time("its senders are told", senders.join_all()).await;
    runs.lock().unwrap().assert_once_and_in_order();
}

const BOTH: [Bound; 2] = [Bound::Emitter, Bound::Receiver];

/// INT-045.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_close_at_any_moment() {
    let mut random = random();
    for bound in BOTH {
        emitters_leave::<Publisher, Subscriber>(bound, Delivery::MayDrop, &mut random).await;
    }
}

/// INT-045.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushers_that_close_at_any_moment_lose_nothing_that_they_took() {
    let mut random = random();
    for bound in BOTH {
        emitters_leave::<Pusher, Puller>(bound, Delivery::OfAll, &mut random).await;
    }
}

/// INT-045.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_shut_down_at_any_moment() {
    let mut random = random();
    for bound in BOTH {
        receivers_leave::<Publisher, Subscriber>(bound, &mut random).await;
    }
}

/// INT-045.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pullers_shut_down_at_any_moment() {
    let mut random = random();
    for bound in BOTH {
        receivers_leave::<Pusher, Puller>(bound, &mut random).await;
    }
}
