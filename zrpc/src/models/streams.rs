//! Streams: each item arrives once and in order, and no server is ahead by more than it may.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::stream;
use shuttle::future::yield_now;

use super::network::{Counter, Pair, Tasks, explore, polled};
use crate::Method;
use crate::server::{Concurrency, UNITS};

/// As many items as a stream has.
const COUNT: u32 = 6;

/// What the caller may leave untaken.
const SLOTS: u32 = 2;

/// What is given at most while nobody takes it: what the slots let through, what is on its way
/// between the handler and the socket, and what waits at its beginning.
const AHEAD: u32 = SLOTS + UNITS + 1;

/// How many items were given, and how many were taken.
#[derive(Clone, Debug, Default)]
struct Progress(Arc<(AtomicU32, AtomicU32)>);

impl Progress {
    fn give(&self) -> u32 {
        let given = self.0.0.fetch_add(1, Ordering::Relaxed);
        let taken = self.0.1.load(Ordering::Relaxed);
        assert!(given < taken + AHEAD, "{given} given, {taken} taken");
        given
    }

    fn take(&self) {
        self.0.1.fetch_add(1, Ordering::Relaxed);
    }
}

/// A method that counts to [`COUNT`], as a task or on a thread.
fn count(progress: &Progress, running: &Counter) -> [Method; 2] {
    let (task, thread) = (progress.clone(), progress.clone());
    let (running, on_thread) = (running.clone(), running.clone());
    let as_task = Method::stream("task", move |(): ()| {
        let state = (task.clone(), running.count());
        stream::unfold((0, state), |(number, state)| async move {
            yield_now().await;
            let item = (number < COUNT).then(|| state.0.give())?;
            Some((item, (number + 1, state)))
        })
    });
    let as_thread = Method::blocking_stream("thread", move |(): ()| {
        let (progress, counted) = (thread.clone(), on_thread.count());
        (0..COUNT).map(move |_| {
            let _ = &counted;
            progress.give()
        })
    });
    [as_task, as_thread]
}

async fn flow(method: &'static str) {
    let (progress, running) = (Progress::default(), Counter::new());
    let methods = count(&progress, &running).into();
    let pair = Pair::new(methods, Concurrency::Unlimited);
    let request = pair.client.request(method, ()).slots(SLOTS);
    let mut items = request.stream::<u32>().await.unwrap();
    for number in 0..COUNT {
        // Waits that are dropped take nothing with them.
        let item = match polled(items.next_item(), number % 3).await {
            Some(item) => item,
            None => items.next_item().await,
        };
        assert_eq!(item, Ok(Some(number)));
        progress.take();
    }
    assert_eq!(items.next_item().await, Ok(None));
    drop(items);
    pair.finish().await;
    assert_eq!((running.now(), running.total()), (0, 1));
}

#[test]
fn items_of_a_task_arrive_once_and_in_order() {
    explore(|| flow("task"));
}

#[test]
fn items_of_a_thread_arrive_once_and_in_order() {
    explore(|| flow("thread"));
}

async fn several() {
    let running = Counter::new();
    let methods = {
        let running = running.clone();
        Method::stream("count", move |(from,): (u32,)| {
            let counted = running.count();
            stream::unfold((from, counted), move |(number, counted)| async move {
                (number < from + COUNT).then_some((number, (number + 1, counted)))
            })
        })
    };
    let pair = Pair::new(vec![methods], Concurrency::Unlimited);
    let mut tasks = Tasks::default();
    for caller in 0..2 {
        let request = pair.client.request("count", (caller * 100,)).slots(SLOTS);
        tasks.spawn(async move {
            let mut items = request.stream::<u32>().await.unwrap();
            for number in 0..COUNT {
                let item = items.next_item().await;
                assert_eq!(item, Ok(Some(caller * 100 + number)));
            }
            assert_eq!(items.next_item().await, Ok(None));
        });
    }
    tasks.join().await;
    pair.finish().await;
    assert_eq!((running.now(), running.total()), (0, 2));
}

#[test]
fn streams_do_not_mix() {
    explore(several);
}

/// Drops a stream after so many items.
async fn cut(method: &'static str, taken: u32) {
    let (progress, running) = (Progress::default(), Counter::new());
    let methods = count(&progress, &running).into();
    let pair = Pair::new(methods, Concurrency::Limited(1));
    let request = pair.client.request(method, ()).slots(SLOTS);
    let mut items = request.stream::<u32>().await.unwrap();
    for number in 0..taken {
        assert_eq!(items.next_item().await, Ok(Some(number)));
        progress.take();
    }
    let _ = polled(items.next_item(), 1).await;
    drop(items);
    pair.finish().await;
    assert_eq!(running.now(), 0);
}

#[test]
fn a_stream_that_is_dropped_ends_its_handler() {
    explore(|| cut("task", 1));
    explore(|| cut("task", 3));
    explore(|| cut("thread", 1));
    explore(|| cut("thread", 3));
}
