//! Calls and streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use tests::ledger::Account;
use tests::network::proxy::Proxy;
use tests::random::Random;
use tokio::task::JoinSet;
use zmtp::authenticator::AnyKey;
use zmtp::session::{self, Limits};
use zrpc::security::Security;
use zrpc::{
    CallError, Client, ClientBuilder, Fault, Heartbeat, IoRuntime, Server, ServerBuilder,
    SocketOptions,
};

use crate::support::{
    MAX_FRAME, STRIKES, Secured, Traffic, in_time, key_pair, network_before, random,
};

/// A port that is free.
pub(crate) const ANYWHERE: &str = "tcp://127.0.0.1:*";

/// Callers at the same time.
const CALLERS: u64 = 8;

/// A number that no caller gets to.
const LAST: u64 = u64::MAX / 4;

/// A stream has up to so many items, most of them more than its credit.
const ITEMS: u64 = 150;

/// What the server has run, by number of the call.
type Runs = Arc<Mutex<HashMap<u64, u64>>>;

pub(crate) fn quick() -> SocketOptions {
    let mut limits = Limits::default();
    limits.max_frame_size = MAX_FRAME;
    SocketOptions::new()
        .limits(limits)
        // Who waits for the rest of a length that has changed answers no PING.
        .heartbeat(session::Heartbeat::new(Duration::from_millis(300)))
        .reconnect_interval(Duration::from_millis(2))
        .reconnect_interval_max(Duration::from_millis(5))
}

/// Which of the two is bound; the other connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Server,
    /// The server is one of its workers.
    Client,
}

impl Bound {
    pub(crate) const BOTH: [Self; 2] = [Self::Server, Self::Client];
}

fn server(secured: Secured, runs: &Runs) -> ServerBuilder {
    let security = match secured {
        Secured::Not => Security::null(),
        Secured::WithCurve => Security::curve_server(key_pair(), AnyKey),
    };
    let [of_double, of_refuse, of_count] = [0, 1, 2].map(|_| Arc::clone(runs));
    let run = |runs: &Runs, number| *runs.lock().unwrap().entry(number).or_default() += 1;
    Server::builder()
        .io_runtime(IoRuntime::Current)
        .heartbeat(Heartbeat::every(Duration::from_secs(1)))
        .security(security)
        .socket(quick())
        .method("double", move |(number, padding): (u64, String)| {
            run(&of_double, number);
            async move { (2 * number, padding) }
        })
        .method("refuse", move |(number,): (u64,)| {
            run(&of_refuse, number);
            async move { Err::<(), _>(Fault::new("Refusal", number.to_string())) }
        })
        .stream("count", move |(number, to): (u64, u64)| {
            run(&of_count, number);
            stream::iter(0..to)
        })
}

fn client(secured: Secured) -> ClientBuilder {
    let security = match secured {
        Secured::Not => Security::null(),
        Secured::WithCurve => Security::curve_anonymous(key_pair().public_key()),
    };
    Client::builder()
        .io_runtime(IoRuntime::Current)
        .heartbeat(Heartbeat::every(Duration::from_secs(1)))
        .timeout(Duration::from_secs(20))
        .socket(quick())
        .security(security)
}

/// A server, a client, and the network between them.
async fn scene(
    (bound, secured): (Bound, Secured),
    random: Random,
    runs: &Runs,
) -> (Server, Client, Proxy) {
    let (server, client) = (server(secured, runs), client(secured));
    let network =
        |endpoint: &str| network_before(endpoint, Traffic::BothWays, random, secured.faults());
    match bound {
        Bound::Server => {
            let server = server.bind(ANYWHERE).build().await.unwrap();
            let network = network(&server.endpoints()[0]);
            let client = client.connect(network.endpoint()).build().await.unwrap();
            (server, client, network)
        }
        Bound::Client => {
            let client = client.bind(ANYWHERE).build().await.unwrap();
            let network = network(&client.endpoints()[0]);
            let server = server.connect(network.endpoint()).build().await.unwrap();
            (server, client, network)
        }
    }
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

async fn fail(client: &Client, number: u64) -> Outcome {
    match client.call::<()>("refuse", (number,)).await {
        Err(CallError::Remote(error)) => {
            let is_own = error.name == "Refusal" && error.message == number.to_string();
            if is_own {
                Outcome::Answered
            } else {
                Outcome::Wrong
            }
        }
        Err(error) => outcome_of(&error),
        Ok(()) => Outcome::Wrong,
    }
}

async fn stream(client: &Client, number: u64) -> Outcome {
    // Little credit is granted often.
    let slots = if number.is_multiple_of(2) { 4 } else { 100 };
    let count = 1 + number % ITEMS;
    let request = client.request("count", (number, count)).slots(slots);
    let mut items = match request.stream::<u64>().await {
        Ok(items) => items,
        Err(error) => return outcome_of(&error),
    };
    let mut next = 0;
    loop {
        match items.next_item().await {
            Ok(Some(item)) if item == next => next += 1,
            Ok(Some(_)) => return Outcome::Wrong,
            Ok(None) if next == count => return Outcome::Answered,
            Ok(None) => return Outcome::Wrong,
            Err(error) => return outcome_of(&error),
        }
    }
}

/// What a caller does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Call,
    /// A call that fails, with an error of the service.
    Fail,
    Stream,
}

/// Calls over and over while the network breaks, and returns how each ended.
async fn call_on(client: &Client, network: &Arc<Proxy>, act: Act) -> Vec<(u64, Outcome)> {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (client, network) = (client.clone(), Arc::clone(network));
        callers.spawn(async move {
            let mut outcomes = Vec::new();
            while network.cut_count() < STRIKES {
                let number = caller + CALLERS * u64::try_from(outcomes.len()).unwrap();
                let outcome = match act {
                    Act::Call => call(&client, number).await,
                    Act::Fail => fail(&client, number).await,
                    Act::Stream => stream(&client, number).await,
                };
                outcomes.push((number, outcome));
            }
            outcomes
        });
    }
    let outcomes = in_time("every call ends", callers.join_all()).await;
    outcomes.concat()
}

/// Every call ends, and once.
async fn account(pattern: &str, (bound, secured): (Bound, Secured), act: Act, random: Random) {
    let runs = Runs::default();
    let (_server, client, network) = scene((bound, secured), random, &runs).await;
    let network = Arc::new(network);
    let outcomes = call_on(&client, &network, act).await;
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
    let pattern = match bound {
        Bound::Server => pattern.to_owned(),
        Bound::Client => format!("{pattern}, worker"),
    };
    let account = Account {
        pattern: secured.name(&pattern),
        sent: u64::try_from(outcomes.len()).unwrap(),
        delivered: count(Outcome::Answered),
        reported: count(Outcome::Reported),
        wrong: count(Outcome::Wrong),
        doubled: runs.values().map(|times| times - 1).sum(),
        cuts: network.cut_count(),
        ..Account::default()
    };
    account.show();
    assert_eq!(count(Outcome::Hung), 0, "calls hung: {account}");
    account.assert_settled();
    assert_ne!(account.delivered, 0, "{account}");
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

/// Several schedules, whoever is bound, in clear and encrypted, where octets change as well.
async fn accounts(pattern: &str, act: Act) {
    let mut random = random();
    for bound in Bound::BOTH {
        for secured in [Secured::Not, Secured::WithCurve] {
            account(pattern, (bound, secured), act, random.fork()).await;
        }
    }
}

#[tokio::test]
async fn calls_are_answered_rightly_or_reported_and_run_once_at_most() {
    accounts("calls", Act::Call).await;
}

#[tokio::test]
async fn calls_that_fail_tell_their_own_error_or_are_reported() {
    accounts("calls that fail", Act::Fail).await;
}

#[tokio::test]
async fn streams_are_complete_or_reported() {
    accounts("streams", Act::Stream).await;
}
