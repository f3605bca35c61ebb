//! The task context on its way across servers.

use zrpc::middleware::{Propagation, TaskContext};
use zrpc::{Client, Fault, Server};

use crate::support::{in_time, pair_with};

/// Which way a relay calls the next server.
#[derive(Debug, Clone, Copy)]
enum Relay {
    Directly,
    Spawned,
    Forked,
    Thread,
}

/// A server that tells the trace id that it sees, and a server that asks it.
async fn relay(relay: Relay) -> (Server, Server, Client) {
    let propagation = Propagation::of(["trace_id"]);
    let inner = Server::builder()
        .middleware(propagation.clone())
        .method("trace", |(): ()| async {
            TaskContext::current().get::<String>("trace_id").unwrap()
        });
    let client = Client::builder().middleware(propagation.clone());
    let (inner, next) = pair_with(inner, client).await;
    let ask = |next: Client| async move { next.call::<Option<String>>("trace", ()).await };
    let outer = Server::builder().middleware(propagation.clone());
    let outer = match relay {
        Relay::Thread => outer.blocking("trace", move |(): ()| {
            let next = next.clone();
            let asked = tokio::runtime::Handle::current().block_on(ask(next));
            asked.map_err(Fault::from)
        }),
        _ => outer.method("trace", move |(): ()| {
            let call = ask(next.clone());
            async move {
                match relay {
                    Relay::Spawned => tokio::spawn(call).await.unwrap(),
                    Relay::Forked => tokio::spawn(TaskContext::fork(call)).await.unwrap(),
                    Relay::Directly | Relay::Thread => call.await,
                }
            }
        }),
    };
    let client = Client::builder().middleware(propagation);
    let (outer, client) = pair_with(outer, client).await;
    (inner, outer, client)
}

#[tokio::test]
async fn a_trace_id_travels_across_two_servers() {
    for (way, arrives) in [
        (Relay::Directly, true),
        (Relay::Spawned, false),
        (Relay::Forked, true),
        (Relay::Thread, true),
    ] {
        let (_inner, _outer, client) = relay(way).await;
        let context = TaskContext::new().with("trace_id", "4bf92f35").unwrap();
        let context = context.with("private", "stays here").unwrap();
        let call = client.call::<Option<String>>("trace", ());
        let seen = in_time(context.scope(call)).await.unwrap();
        assert_eq!(seen.as_deref(), arrives.then_some("4bf92f35"), "{way:?}");
        // What one call brought is not there for the next.
        let call = client.call::<Option<String>>("trace", ());
        assert_eq!(in_time(call).await, Ok(None), "{way:?}");
    }
}
