//! The methods of the server, and the program that serves them.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt as _, stream};
use serde_bytes::ByteBuf;
use tokio::sync::watch;
use zrpc::{Heartbeat, Server, ServerBuilder};

/// The size of what a client gets that does not read it.
const BLOB: usize = 100 << 10;

/// Counts the handlers that are alive.
struct Open(Arc<AtomicU64>);

impl Open {
    fn new(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn methods() -> ServerBuilder {
    let count = Arc::new(AtomicU64::new(0));
    let (of_hold, of_count) = (Arc::clone(&count), Arc::clone(&count));
    let (release, released) = watch::channel(());
    Server::builder()
        .method("add", |(a, b): (u64, u64)| async move { a + b })
        .method("blob", |(_,): (u64,)| async {
            ByteBuf::from(vec![7; BLOB])
        })
        .method("hold", move |(number,): (u64,)| {
            let open = Open::new(&of_hold);
            let mut released = released.clone();
            released.mark_unchanged();
            async move {
                // Without anybody who could release it, nobody waits for it either.
                let _ = released.changed().await;
                drop(open);
                number
            }
        })
        .stream("count", move |(): ()| {
            let open = Open::new(&of_count);
            stream::iter(0_u64..).map(move |number| {
                let _still_open = &open;
                number
            })
        })
        .method("open", move |(): ()| {
            let count = count.load(Ordering::Relaxed);
            async move { count }
        })
        .method("release", move |(): ()| {
            release.send_replace(());
            async {}
        })
}

/// Serves until standard input is closed.
#[test]
#[ignore = "the server of the other test, which runs it as a process of its own"]
fn server() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _context = runtime.enter();
    let builder = methods()
        .heartbeat(Heartbeat::every(crate::Load::chosen().interval))
        .bind("tcp://127.0.0.1:*");
    let server = runtime.block_on(builder.build()).unwrap();
    writeln!(io::stdout(), "endpoint {}", server.endpoints()[0]).unwrap();
    let mut nothing = Vec::new();
    io::stdin().read_to_end(&mut nothing).unwrap();
    drop(server);
}
