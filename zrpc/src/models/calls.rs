//! Calls: each is answered once, no more handlers run than may, and who goes away leaves nothing.

use shuttle::future::yield_now;

use super::network::{Counter, Pair, Tasks, explore, polled};
use crate::Method;
use crate::server::Concurrency;

/// As many calls as each caller makes.
const COUNT: u32 = 2;

/// A method that gives its argument back, and counts who runs it.
fn echo(running: &Counter) -> Method {
    let running = running.clone();
    Method::new("echo", move |(value,): (u32,)| {
        let counted = running.count();
        async move {
            yield_now().await;
            drop(counted);
            value
        }
    })
}

/// The same on a thread.
fn echo_on_thread(running: &Counter) -> Method {
    let running = running.clone();
    Method::blocking("echo_on_thread", move |(value,): (u32,)| {
        let counted = running.count();
        shuttle::thread::yield_now();
        drop(counted);
        value
    })
}

async fn callers(limit: usize) {
    let running = Counter::new();
    let method = {
        let running = running.clone();
        Method::new("echo", move |(value,): (u32,)| {
            let counted = running.count();
            assert!(running.now() <= limit);
            async move {
                yield_now().await;
                drop(counted);
                value
            }
        })
    };
    let pair = Pair::new(vec![method], Concurrency::Limited(limit));
    let mut tasks = Tasks::default();
    for caller in 0..3 {
        let client = pair.client.clone();
        tasks.spawn(async move {
            for number in 0..COUNT {
                let value = caller * COUNT + number;
                assert_eq!(client.call("echo", (value,)).await, Ok(value));
            }
        });
    }
    tasks.join().await;
    assert_eq!((running.now(), running.total()), (0, 6));
    pair.finish().await;
}

#[test]
fn each_caller_gets_the_answer_to_its_own_call() {
    explore(|| callers(3));
}

#[test]
fn calls_that_wait_for_a_place_get_it_in_the_end() {
    explore(|| callers(1));
}

async fn on_threads() {
    let running = Counter::new();
    let methods = vec![echo(&running), echo_on_thread(&running)];
    let pair = Pair::new(methods, Concurrency::Limited(2));
    let mut tasks = Tasks::default();
    for (value, method) in [(0, "echo_on_thread"), (1, "echo"), (2, "echo_on_thread")] {
        let client = pair.client.clone();
        tasks.spawn(async move {
            assert_eq!(client.call(method, (value,)).await, Ok(value));
        });
    }
    tasks.join().await;
    assert_eq!((running.now(), running.total()), (0, 3));
    pair.finish().await;
}

#[test]
fn threads_and_tasks_answer_side_by_side() {
    explore(on_threads);
}

/// Callers that go away wherever they are, and one behind them that stays.
async fn gone(limit: usize) {
    let running = Counter::new();
    let stay = {
        let running = running.clone();
        Method::new("stay", move |(): ()| {
            let counted = running.count();
            async move {
                let _counted = counted;
                std::future::pending::<()>().await;
            }
        })
    };
    let methods = vec![echo(&running), echo_on_thread(&running), stay];
    let pair = Pair::new(methods, Concurrency::Limited(limit));
    let mut tasks = Tasks::default();
    for (method, polls) in [("echo", 3), ("echo_on_thread", 2), ("stay", 4)] {
        let client = pair.client.clone();
        tasks.spawn(async move {
            if method == "stay" {
                // From the first reply on the server is told of callers that are gone.
                assert_eq!(client.call("echo", (9,)).await, Ok(9));
                assert_eq!(polled(client.call::<()>(method, ()), polls).await, None);
            } else if let Some(answer) = polled(client.call(method, (polls,)), polls).await {
                assert_eq!(answer, Ok(polls));
            }
        });
    }
    tasks.join().await;
    assert_eq!(pair.client.call("echo", (7,)).await, Ok(7));
    // It ends only when every handler has.
    pair.finish().await;
    assert_eq!(running.now(), 0);
    assert!(running.total() <= 5, "{running:?}");
}

#[test]
fn callers_that_go_away_leave_no_handler_and_hold_no_place() {
    explore(|| gone(3));
    explore(|| gone(1));
}
