//! Servers and workers that come and go, and clients that are told where they are.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use zmtp::{DealerSocket, RouterSocket, Socket};
use zrpc::{CallError, Client, ConnectError, Limits, Server, ServerBuilder};

use crate::support::{Counter, in_time, pair};

/// A service that says which server it is, and counts.
fn named(name: &'static str) -> ServerBuilder {
    Server::builder()
        .method("name", move |(): ()| async move { name })
        .stream("count", |(to,): (u64,)| futures_util::stream::iter(0..to))
}

async fn bound(name: &'static str) -> Server {
    let server = named(name).bind("tcp://127.0.0.1:*");
    server.build().await.unwrap()
}

async fn name(client: &Client) -> Result<String, CallError> {
    in_time(client.call::<String>("name", ())).await
}

/// Waits until the client has so many connections.
async fn connections(client: &Client, count: usize) {
    in_time(async {
        while client.connection_count() != count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn servers_are_added_and_left_while_the_client_runs() {
    let (first, second) = (bound("first").await, bound("second").await);
    let client = Client::connect(&first.endpoints()[0]).await.unwrap();
    in_time(client.connected()).await.unwrap();
    assert_eq!(client.connection_count(), 1);
    client.connect_to(&second.endpoints()[0]).await.unwrap();
    connections(&client, 2).await;
    let names = [name(&client).await.unwrap(), name(&client).await.unwrap()];
    assert!(names.contains(&"first".to_owned()) && names.contains(&"second".to_owned()));
    client.disconnect(&first.endpoints()[0]).unwrap();
    connections(&client, 1).await;
    for _ in 0..4 {
        assert_eq!(name(&client).await.unwrap(), "second");
    }
    let unknown = client.disconnect(&first.endpoints()[0]);
    assert!(matches!(unknown, Err(ConnectError::Endpoint { .. })));
}

#[tokio::test]
async fn calls_of_a_server_that_is_left_are_reported() {
    let begun = Counter::new();
    let begin = begun.clone();
    let hanging = Server::builder().method("hang", move |(): ()| {
        begin.count();
        std::future::pending::<()>()
    });
    let (server, client) = pair(hanging).await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.call::<()>("hang", ()).await }
    });
    begun.wait_for(1).await;
    client.disconnect(&server.endpoints()[0]).unwrap();
    let outcome = in_time(call).await.unwrap();
    assert_eq!(outcome, Err(CallError::Disconnected));
}

#[tokio::test]
async fn a_server_listens_and_connects_anew_while_it_runs() {
    let server = bound("server").await;
    let handle = server.handle();
    let second = in_time(handle.bind("tcp://127.0.0.1:*")).await.unwrap();
    assert!(!second.contains('*'), "{second}");
    let client = Client::connect(&second).await.unwrap();
    assert_eq!(name(&client).await.unwrap(), "server");
    in_time(handle.unbind(&second)).await.unwrap();
    connections(&client, 0).await;
    let request = client
        .request("name", ())
        .timeout(Duration::from_millis(100));
    in_time(request.call::<String>()).await.unwrap_err();
    // It comes to a client that listens.
    let listening = Client::builder()
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .unwrap();
    let extra = in_time(listening.bind("tcp://127.0.0.1:*")).await.unwrap();
    in_time(handle.connect(&extra)).await.unwrap();
    assert_eq!(name(&listening).await.unwrap(), "server");
    handle.disconnect(&extra).unwrap();
    connections(&listening, 0).await;
    in_time(listening.unbind(&extra)).await.unwrap();
    in_time(handle.close()).await;
    let late = in_time(handle.bind("tcp://127.0.0.1:*")).await;
    assert_eq!(late, Err(ConnectError::Closed));
}

#[tokio::test]
async fn whoever_waits_for_a_connection_hears_of_the_end() {
    let client = Client::builder()
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .unwrap();
    let waiting = client.clone();
    let waiting = tokio::spawn(async move { waiting.connected().await });
    tokio::task::yield_now().await;
    in_time(client.close()).await;
    let outcome = in_time(waiting).await.unwrap();
    assert_eq!(outcome, Err(ConnectError::Closed));
}

/// How the servers of a test get together with its client.
#[derive(Clone, Copy, PartialEq)]
enum Links {
    /// The client knows where the servers are.
    ClientConnects,
    /// The servers are workers that know where the client is.
    WorkersConnect,
}

/// Starts three servers, of which the one in the middle never answers and counts its calls.
async fn servers_of(links: Links, held: &Counter) -> (Vec<Server>, Client) {
    let listening = Client::builder().bind("tcp://127.0.0.1:*").build().await;
    let listening = listening.unwrap();
    let (mut servers, mut connecting) = (Vec::new(), Client::builder());
    for name in ["a", "b", "c"] {
        let hold = held.clone();
        let server = Server::builder().method("work", move |(number,): (u64,)| {
            let stays = name == "b";
            if stays {
                hold.count();
            }
            async move {
                if stays {
                    std::future::pending::<()>().await;
                }
                (name, number)
            }
        });
        let server = match links {
            Links::ClientConnects => server.bind("tcp://127.0.0.1:*"),
            Links::WorkersConnect => server.connect(&listening.endpoints()[0]),
        };
        let server = server.build().await.unwrap();
        connecting = connecting.connect(&server.endpoints()[0]);
        servers.push(server);
    }
    let client = match links {
        Links::ClientConnects => connecting.build().await.unwrap(),
        Links::WorkersConnect => listening,
    };
    connections(&client, 3).await;
    (servers, client)
}

/// One of several servers dies in the middle of its calls. Each call is answered, or reported once.
async fn one_dies(links: Links) {
    let held = Counter::new();
    let (mut servers, client) = servers_of(links, &held).await;
    let calls = tokio::spawn({
        let client = client.clone();
        let call = move |number: u64| {
            let client = client.clone();
            async move { client.call::<(String, u64)>("work", (number,)).await }
        };
        async move { join_all((0..60).map(call)).await }
    });
    held.wait_for(20).await;
    let dying = servers.remove(1);
    in_time(dying.handle().close()).await;
    drop(dying);
    let mut outcomes = HashMap::new();
    for (number, outcome) in (0..).zip(in_time(calls).await.unwrap()) {
        let outcome = match outcome {
            Ok((name, echoed)) => {
                assert_eq!(echoed, number);
                name
            }
            Err(CallError::Disconnected) => "lost".to_owned(),
            Err(other) => panic!("{other}"),
        };
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    let expected = [("a", 20), ("c", 20), ("lost", 20)];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(outcomes, HashMap::from(expected));
    // Nothing goes to the one that is gone.
    connections(&client, 2).await;
    let again = (0..10_u64).map(|number| client.call::<(String, u64)>("work", (number,)));
    assert!(in_time(join_all(again)).await.iter().all(Result::is_ok));
}

// B21.
#[tokio::test]
async fn b21_of_several_servers_one_dies_and_only_its_calls_are_lost() {
    one_dies(Links::ClientConnects).await;
}

// B21.
#[tokio::test]
async fn b21_of_several_workers_one_dies_and_only_its_calls_are_lost() {
    one_dies(Links::WorkersConnect).await;
}

/// A broker between clients and workers, that knows nothing of zerorpc.
struct Broker {
    clients: String,
    workers: String,
    task: tokio::task::JoinHandle<()>,
}

impl Broker {
    async fn start() -> Self {
        let (front, back) = (RouterSocket::new(), DealerSocket::new());
        let clients = front.bind("tcp://127.0.0.1:*").await.unwrap().to_string();
        let workers = back.bind("tcp://127.0.0.1:*").await.unwrap().to_string();
        let task = tokio::spawn(async move {
            // It ends with the test.
            let _ = zmtp::proxy(front, back).await;
        });
        Self {
            clients,
            workers,
            task,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn clients_share_a_worker_behind_a_broker() {
    let broker = Broker::start().await;
    let _worker = named("worker")
        .connect(&broker.workers)
        .build()
        .await
        .unwrap();
    let clients = [
        Client::connect(&broker.clients).await.unwrap(),
        Client::connect(&broker.clients).await.unwrap(),
    ];
    for client in &clients {
        assert_eq!(name(client).await.unwrap(), "worker");
    }
    // Credit and the end of streams find their way through it, for both at once.
    let streams = clients.iter().map(|client| async move {
        let mut items = client.stream::<u64>("count", (5000,)).await.unwrap();
        let mut next = 0;
        while let Some(item) = in_time(items.next_item()).await.unwrap() {
            assert_eq!(item, next);
            next += 1;
        }
        next
    });
    assert_eq!(join_all(streams).await, [5000, 5000]);
}

#[tokio::test]
async fn a_call_goes_to_a_server_that_has_room() {
    let server = || {
        let server = Server::builder()
            .method("hang", |(): ()| std::future::pending::<()>())
            .method("answer", |(): ()| async { 42 });
        server.bind("tcp://127.0.0.1:*").build()
    };
    let servers = [server().await.unwrap(), server().await.unwrap()];
    let mut limits = Limits::default();
    limits.channels_per_peer = 1;
    let client = Client::builder()
        .limits(limits)
        .connect(&servers[0].endpoints()[0])
        .connect(&servers[1].endpoints()[0])
        .build()
        .await
        .unwrap();
    connections(&client, 2).await;
    let _first = client.stream::<()>("hang", ()).await.unwrap();
    // Every second of these would be the turn of the server that has a call.
    for _ in 0..4 {
        let answer = in_time(client.call::<u8>("answer", ())).await;
        assert_eq!(answer, Ok(42));
    }
    let _second = client.stream::<()>("hang", ()).await.unwrap();
    let full = in_time(client.call::<u8>("answer", ())).await;
    assert_eq!(full, Err(CallError::TooManyCalls { limit: 1 }));
}

#[tokio::test]
async fn a_broker_spreads_calls_over_workers() {
    let broker = Broker::start().await;
    let mut workers = Vec::new();
    for name in ["a", "b"] {
        workers.push(named(name).connect(&broker.workers).build().await.unwrap());
    }
    let client = Client::connect(&broker.clients).await.unwrap();
    // Both have to be there before they share the work.
    let mut seen = std::collections::HashSet::new();
    while seen.len() < 2 {
        seen.insert(name(&client).await.unwrap());
    }
    let calls = join_all((0..40).map(|_| client.call::<String>("name", ())));
    let names: Vec<String> = in_time(calls)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(names.iter().filter(|name| *name == "a").count(), 20);
}
