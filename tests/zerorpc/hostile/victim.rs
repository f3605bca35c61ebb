//! The server and the client that are attacked, and a healthy client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream;
use rmpv::Value;
use serde_bytes::ByteBuf;
use tests::raw_peer::RawPeer;
use tests::victim::{self, Plan, Victim, Witness};
use zrpc::security::{Passwords, Security};
use zrpc::{CallContext, Client, Fault, Heartbeat, Introspection, Server, ServerBuilder};

/// How much a victim may grow where nothing large is legal.
pub(crate) const LITTLE: u64 = 16 << 20;

/// What the arguments of one peer may hold, of a victim with limits.
pub(crate) const RECEIVED: usize = 64 << 20;

/// What no log line and no error may ever have in it.
const SECRETS: &[&str] = &["correct-horse-battery", "guest-staple"];

/// How long anything takes that works, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// The heartbeat of a server that a test waits for.
const BRISK: Duration = Duration::from_secs(1);

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

pub(crate) async fn start(role: &'static str) -> Victim {
    plan(role).start().await.unwrap()
}

pub(crate) fn plan(role: &'static str) -> Plan {
    Plan::new("hostile::victim::the_victim_itself", role)
}

/// The process that the other tests attack; a test of its own only in name.
#[tokio::test]
async fn the_victim_itself() {
    let Some(role) = victim::role() else {
        return;
    };
    victim::watch_log(SECRETS);
    let playing = async {
        match &*role {
            "client" => call().await,
            "guarded" => serve(guarded()).await,
            // Gives no call up while a test counts them.
            "patient" => serve(methods().heartbeat(Heartbeat::every(LONG))).await,
            // In a hurry, but in none that a busy machine could not keep up with.
            "brisk" => serve(methods().heartbeat(Heartbeat::every(BRISK))).await,
            "limited" => {
                let patient = methods().heartbeat(Heartbeat::every(LONG));
                serve(patient.max_received_bytes_per_peer(RECEIVED)).await;
            }
            _ => serve(methods()).await,
        }
    };
    tokio::select! {
        () = victim::until_orphaned() => {}
        () = playing => {}
    }
}

fn methods() -> ServerBuilder {
    let [calls, held, replies, streams, items] = [const { AtomicU64::new(0) }; 5].map(Arc::new);
    let counters = [
        ("calls", &calls),
        ("held", &held),
        ("replies", &replies),
        ("streams", &streams),
        ("items", &items),
    ];
    let mut builder = Server::builder();
    for (name, counter) in counters {
        let counter = Arc::clone(counter);
        builder = builder.method(name, move |(): ()| {
            let count = counter.load(Ordering::Relaxed);
            async move { count }
        });
    }
    builder
        .method("add", |(a, b): (i64, i64)| async move { a + b })
        .method("echo", |(value,): (Value,)| async move { value })
        .method("hold", move |(value,): (Value,)| {
            calls.fetch_add(1, Ordering::Relaxed);
            let holding = Holding::new(&held);
            async move {
                std::future::pending::<()>().await;
                drop((value, holding));
            }
        })
        .method("blob", move |(): ()| {
            replies.fetch_add(1, Ordering::Relaxed);
            async { ByteBuf::from(vec![7; 100 << 10]) }
        })
        .stream("blobs", move |(): ()| {
            streams.fetch_add(1, Ordering::Relaxed);
            let items = Arc::clone(&items);
            stream::repeat_with(move || {
                items.fetch_add(1, Ordering::Relaxed);
                ByteBuf::from(vec![7; 10 << 10])
            })
        })
}

/// Counts the calls that are held.
struct Holding(Arc<AtomicU64>);

impl Holding {
    fn new(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What only one user may call, and nobody else whatever he calls it or himself.
fn guarded() -> ServerBuilder {
    let ran = || async {
        let user = CallContext::current().and_then(|call| call.user_id().map(<[u8]>::to_vec));
        victim::say(&format!(
            "ran for {}",
            user.unwrap_or_default().escape_ascii()
        ));
        "done"
    };
    let mut passwords = Passwords::new();
    passwords.insert("admin", SECRETS[0]).unwrap();
    passwords.insert("guest", SECRETS[1]).unwrap();
    Server::builder()
        .method("add", |(a, b): (i64, i64)| async move { a + b })
        .method("wait", |(): ()| std::future::pending::<()>())
        .method("shutdown", move |(): ()| ran())
        .introspection(Introspection::Hidden)
        .authorize(|call: &CallContext| match (call.method(), call.user_id()) {
            ("shutdown", user) if user != Some(b"admin") => {
                Err(Fault::new("PermissionError", "only for administrators"))
            }
            _ => Ok(()),
        })
        .security(Security::plain_server(passwords))
}

async fn serve(builder: ServerBuilder) {
    let server = builder.bind("tcp://127.0.0.1:*").build().await.unwrap();
    victim::say(&format!("endpoint {}", server.endpoints()[0]));
    let _ = server.run().await;
}

/// Calls a server that is not to be trusted, and one that is.
async fn call() {
    let peers = victim::peers();
    let client = |peer: &str| {
        let builder = Client::builder().heartbeat(Heartbeat::every(Duration::from_secs(2)));
        builder.timeout(PATIENCE).connect(peer).build()
    };
    let (hostile, healthy) = (client(&peers[0]), client(&peers[1]));
    let (hostile, healthy) = (hostile.await.unwrap(), healthy.await.unwrap());
    // Nobody connects to a client.
    victim::say("endpoint tcp://127.0.0.1:9");
    let trusting = async {
        for number in 0_u32.. {
            let called = hostile.call::<Value>("method", (number,)).await;
            let told = match called {
                Ok(_) => "a value".to_owned(),
                Err(error) => error.to_string(),
            };
            victim::check(&told, SECRETS);
            victim::say(&format!(
                "called {}",
                told.chars().take(80).collect::<String>()
            ));
            let mut items = hostile.stream::<Value>("items", ()).await.unwrap();
            // Whoever takes items as they come gives credit for more. What is answered next comes behind
            // all of those that were sent without asking, or is the end of this call.
            let _ = hostile.call::<Value>("method", (number,)).await;
            let told = loop {
                match items.next_item().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break "the end".to_owned(),
                    Err(error) => break error.to_string(),
                }
            };
            victim::check(&told, SECRETS);
            victim::say(&format!("streamed {told}"));
        }
    };
    let calling = async {
        loop {
            let sum = healthy.call::<i64>("add", (1, 2)).await;
            victim::say(&format!("sum {sum:?}"));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(trusting, calling);
}

/// A client that does nothing wrong, and whom nothing of what others do may concern.
pub(crate) struct Healthy {
    client: Client,
    calls: i64,
}

impl Healthy {
    pub(crate) async fn connect(victim: &Victim) -> Self {
        Self::connect_with(victim, Security::null()).await
    }

    pub(crate) async fn connect_with(victim: &Victim, security: Security) -> Self {
        // Some victims send a heartbeat once an hour. Only the timeout is to bound how long a call takes
        // while they are attacked.
        let builder = Client::builder().heartbeat(Heartbeat::off());
        let builder = builder.timeout(PATIENCE).security(security);
        let client = builder.connect(victim.endpoint()).build().await.unwrap();
        let mut healthy = Self { client, calls: 0 };
        healthy.call().await;
        healthy
    }

    pub(crate) async fn call(&mut self) {
        self.calls += 1;
        let sum = self.client.call::<i64>("add", (self.calls, 1)).await;
        assert_eq!(sum, Ok(self.calls + 1));
    }

    /// What the victim has counted: its `calls` of "hold" and those of them that are `held`, its
    /// `replies` of 100 KiB, its `streams` and their `items`.
    pub(crate) async fn counted(&self, what: &str) -> u64 {
        self.client.call(what, ()).await.unwrap()
    }

    /// Waits until the victim has counted so much.
    pub(crate) async fn until_counted(&self, what: &str, expected: u64) {
        let mut count = None;
        let counting = async {
            while count != Some(expected) {
                tokio::time::sleep(Duration::from_millis(5)).await;
                count = Some(self.counted(what).await);
            }
        };
        let counted = tokio::time::timeout(PATIENCE, counting).await;
        assert!(counted.is_ok(), "{what}: {count:?} and not {expected}");
    }

    /// Returns what the victim has counted when that goes on no more.
    pub(crate) async fn counted_at_rest(&self, what: &str) -> u64 {
        let mut count = self.counted(what).await;
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let next = self.counted(what).await;
            if next == count {
                return count;
            }
            count = next;
        }
    }

    /// Makes calls for as long as `attack` goes on, and one afterwards.
    pub(crate) async fn beside<T>(&mut self, attack: impl Future<Output = T>) -> T {
        tokio::pin!(attack);
        loop {
            tokio::select! {
                done = &mut attack => {
                    self.call().await;
                    return done;
                }
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
            let calling = self.call();
            tokio::pin!(calling);
            tokio::select! {
                done = &mut attack => {
                    calling.await;
                    return done;
                }
                () = &mut calling => {}
            }
        }
    }
}

impl Witness for Healthy {
    /// None of its calls failed so far, and neither does another.
    async fn testify(mut self, _what: &str, _victim: &Victim) {
        self.call().await;
    }
}

/// A raw client of a victim, after its handshake.
pub(crate) async fn raw(victim: &Victim) -> RawPeer {
    let mut peer = RawPeer::connect(victim.address()).await.unwrap();
    peer.handshake("DEALER").await.unwrap();
    peer
}
