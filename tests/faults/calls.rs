//! Calls, streams and events.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use tests::ledger::{Account, Book};
use tests::network::plan::Fault;
use tests::network::proxy::Proxy;
use tokio::task::JoinSet;
use zmtp::authenticator::AnyKey;
use zrpc::security::Security;
use zrpc::{
    CallError, Client, Heartbeat, IoRuntime, Publisher, Puller, Pusher, Server, SocketOptions,
    Subscriber,
};

use crate::support::{STRIKES, Secured, Traffic, in_time, key_pair, network_before, random};

/// Callers at the same time.
const CALLERS: u64 = 8;

/// A number that no caller gets to.
const LAST: u64 = u64::MAX / 4;

/// Items of each stream, which are more than its credit.
const ITEMS: u64 = 150;

/// What the server has run, by number of the call.
type Runs = Arc<Mutex<HashMap<u64, u64>>>;

fn quick() -> SocketOptions {
    SocketOptions::new()
        .reconnect_interval(Duration::from_millis(2))
        .reconnect_interval_max(Duration::from_millis(5))
}

async fn server(secured: Secured, runs: &Runs) -> Server {
    let security = match secured {
        Secured::Not => Security::null(),
        Secured::WithCurve => Security::curve_server(key_pair(), AnyKey),
    };
    let (of_double, of_count) = (Arc::clone(runs), Arc::clone(runs));
    let run = |runs: &Runs, number| *runs.lock().unwrap().entry(number).or_default() += 1;
    Server::builder()
        .io_runtime(IoRuntime::Current)
        .heartbeat(Heartbeat::every(Duration::from_secs(1)))
        .security(security)
        .method("double", move |(number, padding): (u64, String)| {
            run(&of_double, number);
            async move { (2 * number, padding) }
        })
        .stream("count", move |(number, to): (u64, u64)| {
            run(&of_count, number);
            stream::iter(0..to)
        })
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .unwrap()
}

async fn client(secured: Secured, network: &Proxy) -> Client {
    let security = match secured {
        Secured::Not => Security::null(),
        Secured::WithCurve => Security::curve_anonymous(*key_pair().public_key()),
    };
    Client::builder()
        .io_runtime(IoRuntime::Current)
        .heartbeat(Heartbeat::every(Duration::from_secs(1)))
        .timeout(Duration::from_secs(20))
        .socket(quick())
        .security(security)
        .connect(network.endpoint())
        .build()
        .await
        .unwrap()
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// With the right answer.
    Answered,
    /// With an error that says that the answer was lost.
    Reported,
    /// With nothing but a timeout, though no fault lasts longer than the heartbeat does.
    Hung,
    /// With an answer to something else.
    Wrong,
}

/// Tells a lost connection from a call that hung. Nothing else may be wrong.
fn outcome_of(error: &CallError) -> Outcome {
    match error {
        CallError::Disconnected | CallError::LostRemote { .. } => Outcome::Reported,
        CallError::Timeout { .. } => Outcome::Hung,
        error => panic!("{error}"),
    }
}

async fn call(client: &Client, number: u64) -> Outcome {
    let padding = "x".repeat(usize::try_from(number % 3000).unwrap());
    match client
        .call::<(u64, String)>("double", (number, &padding))
        .await
    {
        Ok(answer) if answer == (2 * number, padding) => Outcome::Answered,
        Ok(_) => Outcome::Wrong,
        Err(error) => outcome_of(&error),
    }
}

async fn stream(client: &Client, number: u64) -> Outcome {
    // Little credit is granted often.
    let slots = if number.is_multiple_of(2) { 4 } else { 100 };
    let request = client.request("count", (number, ITEMS)).slots(slots);
    let mut items = match request.stream::<u64>().await {
        Ok(items) => items,
        Err(error) => return outcome_of(&error),
    };
    let mut next = 0;
    loop {
        match items.next_item().await {
            Ok(Some(item)) if item == next => next += 1,
            Ok(Some(_)) => return Outcome::Wrong,
            Ok(None) if next == ITEMS => return Outcome::Answered,
            Ok(None) => return Outcome::Wrong,
            Err(error) => return outcome_of(&error),
        }
    }
}

/// What a caller does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Call,
    Stream,
}

/// Calls over and over while the network breaks; every call ends, and once.
async fn account(pattern: &'static str, secured: Secured, act: Act) {
    let runs = Runs::default();
    let server = server(secured, &runs).await;
    let endpoint = &server.endpoints()[0];
    let network = network_before(endpoint, Traffic::BothWays, random(), &Fault::LOSSES);
    let network = Arc::new(network);
    let client = client(secured, &network).await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (client, network) = (client.clone(), Arc::clone(&network));
        callers.spawn(async move {
            let mut outcomes = Vec::new();
            while network.struck_count() < STRIKES {
                let number = caller + CALLERS * u64::try_from(outcomes.len()).unwrap();
                let outcome = match act {
                    Act::Call => call(&client, number).await,
                    Act::Stream => stream(&client, number).await,
                };
                outcomes.push((number, outcome));
            }
            outcomes
        });
    }
    let outcomes = in_time("every call ends", callers.join_all())
        .await
        .concat();
    in_time("the network calms down", network.calm_down()).await;
    in_time("calls are answered again", async {
        while call(&client, LAST).await != Outcome::Answered {}
    })
    .await;

    let mut runs = runs.lock().unwrap().clone();
    runs.remove(&LAST);
    let count = |wanted| {
        let such = outcomes.iter().filter(|(_, outcome)| *outcome == wanted);
        u64::try_from(such.count()).unwrap()
    };
    let account = Account {
        pattern: pattern.to_owned(),
        sent: u64::try_from(outcomes.len()).unwrap(),
        delivered: count(Outcome::Answered),
        reported: count(Outcome::Reported),
        wrong: count(Outcome::Wrong),
        doubled: runs.values().map(|times| times - 1).sum(),
        cuts: network.struck_count(),
        ..Account::default()
    };
    account.show();
    assert_eq!(count(Outcome::Hung), 0, "calls hung: {account}");
    account.assert_settled();
    for (number, outcome) in &outcomes {
        let ran = runs.contains_key(number);
        assert!(
            ran || *outcome != Outcome::Answered,
            "{number} was answered by nobody"
        );
    }
    // Nothing of all that is left.
    let open = in_time("the client tells", client.stats()).await.unwrap();
    assert_eq!(open.open_channels, 0, "{open:?}");
}

#[tokio::test]
async fn calls_are_answered_rightly_or_reported_and_run_once_at_most() {
    account("calls", Secured::Not, Act::Call).await;
}

#[tokio::test]
async fn encrypted_calls_are_answered_rightly_or_reported() {
    account("calls with CURVE", Secured::WithCurve, Act::Call).await;
}

#[tokio::test]
async fn streams_are_complete_or_reported() {
    account("streams", Secured::Not, Act::Stream).await;
}

/// An event is told of at most once, and after those before it.
fn enter(book: &mut Book, event: &zrpc::Event) {
    let (number,) = event.args::<(u64,)>().unwrap();
    book.enter(number);
}

fn settle_events(pattern: &'static str, sent: u64, network: &Proxy, mut book: Book) {
    book.close(sent);
    let account = Account {
        pattern: pattern.to_owned(),
        sent,
        delivered: book.delivered,
        // Nobody is told of events that come to nothing, or may ask how many octets they were.
        in_flight: book.missing(),
        doubled: book.doubled,
        overtaken: book.overtaken,
        cuts: network.struck_count(),
        ..Account::default()
    };
    account.show();
    account.assert_settled();
    let gaps = u64::try_from(book.gaps.len()).unwrap();
    assert!(gaps <= network.struck_count() + 1, "{gaps} gaps: {account}");
}

#[tokio::test]
async fn pushed_events_come_once_in_order_with_gaps_at_cuts_alone() {
    let mut puller = Puller::builder()
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .unwrap();
    let endpoint = &puller.endpoints()[0];
    let network = network_before(endpoint, Traffic::Forwards, random(), &Fault::LOSSES);
    let builder = Pusher::builder().socket(quick()).send_high_water_mark(10);
    let builder = builder.linger(Duration::ZERO);
    let pusher = builder.connect(network.endpoint()).build().await.unwrap();
    let mut book = Book::default();
    let mut sent = 0_u64;
    in_time("the network breaks", async {
        while network.struck_count() < STRIKES {
            if pusher.try_push("note", (sent,)).is_ok() {
                sent += 1;
            }
            while let Ok(Some(event)) = tokio::time::timeout(Duration::ZERO, puller.recv()).await {
                enter(&mut book, &event);
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    in_time("the network calms down", network.calm_down()).await;
    in_time("events come again", async {
        while book.expected() < sent || book.expected() == 0 {
            let next = puller.recv();
            match tokio::time::timeout(Duration::from_millis(20), next).await {
                Ok(event) => enter(&mut book, &event.unwrap()),
                // The last ones may be those that are lost.
                Err(_) if pusher.try_push("note", (sent,)).is_ok() => sent += 1,
                Err(_) => {}
            }
        }
    })
    .await;
    settle_events("Pusher, Puller", sent, &network, book);
}

#[tokio::test]
async fn published_events_come_once_in_order_with_gaps_at_cuts_alone() {
    let publisher = Publisher::bind("tcp://127.0.0.1:*").await.unwrap();
    let endpoint = &publisher.endpoints()[0];
    let network = network_before(endpoint, Traffic::Backwards, random(), &Fault::LOSSES);
    let builder = Subscriber::builder().socket(quick());
    let mut subscriber = builder.connect(network.endpoint()).build().await.unwrap();
    let mut book = Book::default();
    let mut sent = 0_u64;
    let mut calm_at = None;
    in_time("events come, and again in the end", async {
        loop {
            publisher.try_publish("note", (sent,)).unwrap();
            sent += 1;
            let next = subscriber.recv();
            if let Ok(event) = tokio::time::timeout(Duration::from_millis(1), next).await {
                enter(&mut book, &event.unwrap());
            }
            if calm_at.is_none() && network.struck_count() >= STRIKES {
                network.calm_down().await;
                calm_at = Some(sent);
            }
            if calm_at.is_some_and(|calm_at| book.expected() > calm_at) {
                break;
            }
        }
    })
    .await;
    in_time("the last events come", async {
        while book.expected() < sent {
            enter(&mut book, &subscriber.recv().await.unwrap());
        }
    })
    .await;
    settle_events("Publisher, Subscriber", sent, &network, book);
}
