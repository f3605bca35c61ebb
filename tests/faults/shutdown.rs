//! Clients, servers, one-way sockets and runtimes that go away at any moment, in the middle of everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use tests::ledger::Book;
use tests::random::Random;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::sleep;
use zmtp::{PullSocket, PushSocket, Socket};
use zrpc::{CallError, Client, IoRuntime, Puller, Pusher, Server};

use crate::calls::{ANYWHERE, Bound};
use crate::support::{in_time, quick, random};

/// Each way of ending is tried so often, each time at another moment.
pub(crate) const TIMES: usize = 12;

/// How long a socket lingers that has somebody who takes what it sends.
pub(crate) const LINGER: Duration = Duration::from_secs(20);

/// How long one lingers that has nobody.
pub(crate) const SHORT: Duration = Duration::from_millis(50);

/// Longer than lingering, on a machine that has other things to do.
pub(crate) const LATE: Duration = Duration::from_secs(10);

/// What still comes when everything has come does so within this.
pub(crate) const QUIET: Duration = Duration::from_millis(30);

/// What a server has run, by number of the call.
type Runs = Arc<Mutex<HashMap<u64, u64>>>;

/// A moment in the first milliseconds of a life.
pub(crate) fn moment(random: &mut Random) -> Duration {
    Duration::from_micros(random.below(20_000))
}

fn methods(runs: &Runs) -> zrpc::ServerBuilder {
    let runs = Arc::clone(runs);
    Server::builder()
        .io_runtime(IoRuntime::Current)
        .linger(LINGER)
        .method("double", move |(number,): (u64,)| {
            *runs.lock().unwrap().entry(number).or_default() += 1;
            async move { 2 * number }
        })
        .stream("count", |(to,): (u64,)| stream::iter(0..to))
}

/// A server and a client, whichever of them is bound.
async fn scene(bound: Bound, runs: &Runs) -> (Server, Client) {
    let client = Client::builder()
        .io_runtime(IoRuntime::Current)
        .timeout(Duration::from_secs(2));
    match bound {
        Bound::Server => {
            let server = methods(runs).bind(ANYWHERE).build().await.unwrap();
            let client = client.connect(&server.endpoints()[0]);
            (server, client.build().await.unwrap())
        }
        Bound::Client => {
            let client = client.bind(ANYWHERE).build().await.unwrap();
            let server = methods(runs).connect(&client.endpoints()[0]);
            (server.build().await.unwrap(), client)
        }
    }
}

/// How a call ended whose server went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Answered,
    /// It says that it did not run.
    Refused,
    /// Its connection has gone: whether it ran is unknown.
    Lost,
    /// Nobody said anything: whether it ran is unknown.
    TimedOut,
}

/// Calls until one fails, and returns how each ended.
async fn call_until_the_end(client: Client, caller: u64) -> Vec<(u64, Ended)> {
    let mut ends = Vec::new();
    for number in (caller..).step_by(8) {
        let ended = match client.call::<u64>("double", (number,)).await {
            Ok(answer) => {
                assert_eq!(answer, 2 * number);
                Ended::Answered
            }
            Err(CallError::Remote(error)) if error.name == "ServerStopping" => Ended::Refused,
            Err(CallError::Disconnected | CallError::Closed | CallError::LostRemote { .. }) => {
                Ended::Lost
            }
            Err(CallError::Timeout { .. }) => Ended::TimedOut,
            Err(error) => panic!("{error}"),
        };
        let goes_on = ended == Ended::Answered;
        ends.push((number, ended));
        if !goes_on {
            break;
        }
    }
    ends
}

fn callers(client: &Client) -> JoinSet<Vec<(u64, Ended)>> {
    let mut callers = JoinSet::new();
    for caller in 0..8 {
        callers.spawn(call_until_the_end(client.clone(), caller));
    }
    callers
}

/// Each of the two is bound that often.
fn both_often() -> impl Iterator<Item = (Bound, usize)> {
    let bound = Bound::BOTH.into_iter();
    bound.flat_map(|bound| (0..TIMES).map(move |time| (bound, time)))
}

/// No call is run twice.
fn assert_run_once(ran: &HashMap<u64, u64>) {
    assert!(ran.values().all(|times| *times == 1), "{ran:?}");
}

/// Everything that a server that shuts down has begun is answered.
#[tokio::test]
async fn a_server_that_shuts_down_under_load_answers_what_it_ran() {
    let mut random = random();
    for (bound, time) in both_often() {
        let ran = Runs::default();
        let (server, client) = scene(bound, &ran).await;
        let callers = callers(&client);
        sleep(moment(&mut random)).await;
        match time % 2 {
            0 => in_time("the server shuts down", server.handle().shutdown()).await,
            _ => {
                let handle = server.handle();
                let drained = in_time("the server drains", handle.drain(LATE))
                    .await
                    .unwrap();
                assert_eq!(drained.cut.len(), 0, "{drained:?}");
            }
        }
        drop(server);
        let ends = in_time("every call ends", callers.join_all())
            .await
            .concat();
        let ran = ran.lock().unwrap();
        assert_run_once(&ran);
        for (number, ended) in &ends {
            match ended {
                Ended::Answered => assert!(ran.contains_key(number), "{number}"),
                // It was refused, or sent when nobody was there any more.
                Ended::Refused | Ended::Lost => {
                    assert!(!ran.contains_key(number), "{number}, {ended:?}");
                }
                // On a slow machine it may have been answered later.
                Ended::TimedOut => {}
            }
        }
    }
}

/// A server that is dropped, and a client that is closed, end every call.
#[tokio::test]
async fn every_call_ends_when_a_client_or_a_server_does() {
    let mut random = random();
    for (bound, time) in both_often() {
        let ran = Runs::default();
        let (server, client) = scene(bound, &ran).await;
        let callers = callers(&client);
        let mut items = client.stream::<u64>("count", (u64::MAX,)).await.unwrap();
        let reading = tokio::spawn(async move {
            let mut next = 0;
            while let Ok(Some(item)) = items.next_item().await {
                assert_eq!(item, next);
                next += 1;
            }
        });
        sleep(moment(&mut random)).await;
        match time % 4 {
            0 => drop(server),
            1 => in_time("the server closes", server.handle().close()).await,
            2 => in_time("the client closes", client.close()).await,
            _ => {
                let server = tokio::spawn(server.run());
                tokio::task::yield_now().await;
                server.abort();
            }
        }
        let ends = in_time("every call ends", callers.join_all())
            .await
            .concat();
        in_time("the stream ends", reading).await.unwrap();
        let ran = ran.lock().unwrap();
        assert_run_once(&ran);
        for (number, ended) in &ends {
            assert!(
                *ended != Ended::Answered || ran.contains_key(number),
                "{number}"
            );
        }
    }
}

/// A pusher that closes has delivered what it accepted, and a puller that shuts down ends.
#[tokio::test]
async fn events_that_were_accepted_before_a_pusher_closes_are_pulled() {
    let mut random = random();
    for _ in 0..TIMES {
        let builder = Puller::builder().bind("tcp://127.0.0.1:*");
        let mut puller = builder.build().await.unwrap();
        let builder = Pusher::builder().linger(LINGER);
        let builder = builder.connect(&puller.endpoints()[0]);
        let pusher = builder.build().await.unwrap();
        let handle = puller.handle();
        let pulling = tokio::spawn(async move {
            let mut book = Book::default();
            while let Some(event) = puller.recv().await {
                book.enter(event.args::<(u64,)>().unwrap().0);
            }
            book
        });
        let until = tokio::time::Instant::now() + moment(&mut random);
        let mut accepted = 0_u64;
        while tokio::time::Instant::now() < until || accepted == 0 {
            in_time("there is room", pusher.push("note", (accepted,)))
                .await
                .unwrap();
            accepted += 1;
        }
        in_time("the pusher closes", pusher.close()).await;
        // What the system has of a connection that has ended is read to its end.
        let seen = async {
            while handle.stats().handled < accepted {
                sleep(Duration::from_millis(1)).await;
            }
        };
        in_time("all events come", seen).await;
        in_time("the puller shuts down", handle.shutdown()).await;
        let book = in_time("the puller ends", pulling).await.unwrap();
        let faults = (book.missing(), book.doubled, book.overtaken);
        assert_eq!((book.delivered, faults), (accepted, (0, 0, 0)));
    }
}

/// INT-045, under load: nothing panics or hangs when a runtime goes away with all that runs on it.
#[test]
fn a_runtime_goes_away_under_load() {
    let mut random = random();
    for (bound, time) in both_often() {
        let runtime = Runtime::new().unwrap();
        let ran = Runs::default();
        let (server, client, push) = runtime.block_on(async {
            let (server, client) = scene(bound, &ran).await;
            let mut callers = callers(&client);
            tokio::spawn(async move { while callers.join_next().await.is_some() {} });
            let mut pull: PullSocket = quick().build();
            let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
            let push: PushSocket = quick().build();
            push.connect(&endpoint).await.unwrap();
            tokio::spawn(async move { while pull.recv().await.is_ok() {} });
            let mut sending = push.clone();
            tokio::spawn(async move { while sending.send(vec![7; 5000]).await.is_ok() {} });
            sleep(moment(&mut random)).await;
            (server, client, push)
        });
        match time % 3 {
            0 => drop(runtime),
            1 => runtime.shutdown_background(),
            _ => runtime.shutdown_timeout(LATE),
        }
        // What outlives its runtime says so, on another one.
        let other = Runtime::new().unwrap();
        other.block_on(async {
            let called = in_time("a call ends", client.call::<u64>("double", (1,))).await;
            // Tasks of a runtime that goes in the background may still be there, and work.
            let is_end = matches!(
                called,
                Ok(2) | Err(CallError::Closed | CallError::Disconnected)
            );
            assert!(is_end, "{called:?}");
            in_time("the client closes", client.close()).await;
            in_time("the server closes", server.handle().close()).await;
            in_time("the socket closes", push.close()).await;
        });
    }
}
