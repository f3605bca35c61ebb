//! Each pattern beside a simple model of it: whatever is done in whatever order, sockets and model
//! agree on who may do what, and on who receives what.

mod manual;
mod patterns;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::test_runner::Config;
use tokio::task::yield_now;
use zmtp::{Message, Socket};

use crate::soon;

/// As many sockets of each kind take part.
const SOCKETS: usize = 3;

fn config() -> Config {
    Config::with_cases(24)
}

/// Runs one case on a runtime of its own, with a name of its own.
fn run<F: Future<Output = ()>>(case: impl FnOnce(String) -> F) {
    static CASE: AtomicU32 = AtomicU32::new(0);
    let number = CASE.fetch_add(1, Ordering::Relaxed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs little");
    runtime.block_on(soon(case(format!("inproc://model-{number}"))));
}

/// Waits until all `peers` are there.
async fn peers(socket: &impl Socket, peers: usize) {
    while socket.peers().len() < peers {
        yield_now().await;
    }
}

fn text(message: &Message) -> String {
    let last = message.iter().last().expect("a message has parts");
    String::from_utf8(last.to_vec()).expect("bodies are text")
}

/// How often a subscriber has asked for each topic.
#[derive(Debug, Default)]
struct Topics(BTreeMap<String, usize>);

impl Topics {
    /// Whether it is a new one.
    fn add(&mut self, topic: &str) -> bool {
        let count = self.0.entry(topic.to_owned()).or_default();
        *count += 1;
        *count == 1
    }

    /// Whether it was the last time.
    fn remove(&mut self, topic: &str) -> bool {
        let Some(count) = self.0.get_mut(topic) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.0.remove(topic);
            return true;
        }
        false
    }

    fn matches(&self, message: &str) -> bool {
        self.0.keys().any(|topic| message.starts_with(topic))
    }
}
