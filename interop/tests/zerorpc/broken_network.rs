//! Python and we on two sides of a network that breaks: every call is answered once and rightly, or
//! reported as lost, and both sides go on.
//!
//! What Python loses: a call whose request or reply was on its way when the connection broke is
//! `LostRemote` after two heartbeats. Its socket keeps what it has not sent, so that a call that was
//! reported as lost may still be run later, once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{future::join_all, stream};
use interop::{Failure, Peer, TestResult};
use serde_json::{Value, json};
use tests::{
    ledger::Account,
    network::{
        plan::{Fault, Schedule},
        proxy::Proxy,
    },
    random::Random,
};
use tokio::time::timeout;
use zrpc::{CallError, Client, Heartbeat, Server, SocketOptions};

use crate::support::{python, python_call, python_client, python_server, soon};

/// How many connections break.
const STRIKES: u64 = 8;

/// Within so many octets, which are those of a few dozen calls.
const WITHIN: [u64; 2] = [4000, 4000];

/// Calls at the same time.
const CALLS: u64 = 8;

/// Items of each stream, which are more than its credit.
const ITEMS: u64 = 150;

/// Soon, so that a call that is lost is known to be; the faults of the network are shorter.
const BEAT: Duration = Duration::from_millis(500);

/// Until it has broken so often, nothing takes longer than this.
const PATIENCE: Duration = Duration::from_secs(180);

/// Puts a network that breaks in front of a server.
fn network_before(endpoint: &str) -> Result<Arc<Proxy>, Failure> {
    let random = Random::from_environment("NETWORK_SEED", 1);
    let schedule = Schedule::new(random, &Fault::LOSSES, WITHIN);
    let target = endpoint.trim_start_matches("tcp://").parse()?;
    Ok(Arc::new(Proxy::start(target, schedule)?))
}

/// What the calls of Python have come to.
fn enter_call(account: &mut Account, outcome: &Value) {
    account.sent += 1;
    match outcome["raised"]["kind"].as_str() {
        None if outcome["result"] == "as expected" => account.delivered += 1,
        Some("LostRemote") => account.reported += 1,
        _ => panic!("{outcome}"),
    }
}

/// And its streams.
fn enter_stream(account: &mut Account, outcome: &Value) {
    account.sent += 1;
    assert_eq!(outcome["in_order"], true, "{outcome}");
    match outcome["raised"]["kind"].as_str() {
        None if outcome["count"] == ITEMS => account.delivered += 1,
        Some("LostRemote") => account.reported += 1,
        _ => panic!("{outcome}"),
    }
}

/// One stream and some calls of Python at the same time.
async fn python_round(peer: &mut Peer, first: u64, account: &mut Account) -> TestResult {
    peer.request(
        json!({"op": "start_stream", "id": "stream", "client": "c", "method": "count",
        "args": [ITEMS]}),
    )
    .await?;
    for number in first..first + CALLS {
        peer.request(
            json!({"op": "start", "id": number.to_string(), "client": "c",
            "method": "double", "args": [number], "expect": 2 * number}),
        )
        .await?;
    }
    for number in first..first + CALLS {
        let joined = peer.request(json!({"op": "join", "id": number.to_string()}));
        enter_call(account, &soon(joined).await??);
    }
    let joined = peer.request(json!({"op": "join", "id": "stream"}));
    enter_stream(account, &soon(joined).await??);
    Ok(())
}

/// Calls of Python until the network has broken often enough; returns the first number that was not
/// asked for.
async fn python_rounds(
    peer: &mut Peer,
    network: &Proxy,
    account: &mut Account,
) -> Result<u64, Failure> {
    let rounds = async {
        let mut next = 0;
        while network.struck_count() < STRIKES {
            python_round(peer, next, account).await?;
            next += CALLS;
        }
        Ok(next)
    };
    timeout(PATIENCE, rounds).await?
}

#[tokio::test]
async fn a_python_client_in_a_network_that_breaks_gets_its_answers_or_knows() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let runs = Arc::<Mutex<HashMap<u64, u64>>>::default();
    let server = Server::builder()
        .heartbeat(Heartbeat::every(BEAT))
        .method("double", {
            let runs = Arc::clone(&runs);
            move |(number,): (u64,)| {
                *runs.lock().unwrap().entry(number).or_default() += 1;
                async move { 2 * number }
            }
        })
        .stream("count", |(to,): (u64,)| stream::iter(0..to))
        .bind("tcp://127.0.0.1:*")
        .build()
        .await?;
    let endpoint = server.endpoints()[0].clone();
    let network = network_before(&endpoint)?;
    let options = json!({"heartbeat": BEAT.as_secs_f64()});
    let mut peer = python_client(python, &network.endpoint(), options).await?;
    let mut account = Account {
        pattern: "Python client, our server".to_owned(),
        ..Account::default()
    };
    let mut next = python_rounds(&mut peer, &network, &mut account).await?;
    soon(network.calm_down()).await?;
    // It answers again, on the connection that is left or on the next one.
    soon(async {
        loop {
            let outcome = python_call(&mut peer, "double", json!([next])).await?;
            if outcome["result"] == 2 * next {
                return Ok::<_, Failure>(());
            }
            next += 1;
        }
    })
    .await??;
    account.cuts = network.struck_count();
    account.doubled = runs.lock().unwrap().values().map(|times| times - 1).sum();
    account.show();
    account.assert_settled();
    assert!(account.delivered > 0, "{account}");
    // Whoever did not notice anything is served all the time, and nothing is left behind.
    let client = Client::connect(&endpoint).await?;
    assert_eq!(
        client.call::<u64>("double", (u64::MAX / 2,)).await?,
        u64::MAX - 1
    );
    client.close().await;
    drop(peer);
    soon(async {
        while server.handle().stats().await?.open_channels > 0 {
            tokio::time::sleep(BEAT / 10).await;
        }
        Ok::<_, Failure>(())
    })
    .await?
}

/// How a call or stream of ours ended: with the right answer, or an error that says that it was lost.
async fn our_call(client: &Client, number: u64) -> Result<(), CallError> {
    if !number.is_multiple_of(CALLS) {
        let answer = client.call::<u64>("work", (number, 0)).await?;
        assert_eq!(answer, number);
        return Ok(());
    }
    let mut items = client.stream::<u64>("count", (ITEMS,)).await?;
    let mut next = 0;
    while let Some(item) = items.next_item().await? {
        assert_eq!(item, next);
        next += 1;
    }
    assert_eq!(next, ITEMS, "a stream that ends is complete");
    Ok(())
}

/// Calls and a stream of ours at the same time.
async fn our_round(client: &Client, account: &mut Account) -> TestResult {
    let numbers = account.sent..account.sent + CALLS;
    let calls = numbers.map(|number| our_call(client, number));
    for ended in soon(join_all(calls)).await? {
        account.sent += 1;
        match ended {
            Ok(()) => account.delivered += 1,
            Err(CallError::Disconnected | CallError::LostRemote { .. }) => account.reported += 1,
            Err(error) => panic!("{error}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_python_server_in_a_network_that_breaks_answers_or_our_client_knows() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut server = python_server(python, json!({"heartbeat": BEAT.as_secs_f64()})).await?;
    let endpoint = server.endpoint()?.to_owned();
    let network = network_before(&endpoint)?;
    let quick = SocketOptions::new()
        .reconnect_interval(Duration::from_millis(2))
        .reconnect_interval_max(Duration::from_millis(5));
    let client = Client::builder()
        .heartbeat(Heartbeat::every(BEAT))
        .socket(quick)
        .connect(network.endpoint())
        .build()
        .await?;
    let mut account = Account {
        pattern: "our client, Python server".to_owned(),
        ..Account::default()
    };
    timeout(PATIENCE, async {
        while network.struck_count() < STRIKES {
            our_round(&client, &mut account).await?;
        }
        Ok::<_, Failure>(())
    })
    .await??;
    soon(network.calm_down()).await?;
    let mut number = account.sent;
    soon(async {
        while our_call(&client, number).await.is_err() {
            number += 1;
        }
    })
    .await?;
    let works = server.request(json!({"op": "works"})).await?;
    let mut works: Vec<_> = works
        .as_array()
        .into_iter()
        .flatten()
        .map(Value::as_u64)
        .collect();
    let ran = works.len();
    works.sort_unstable();
    works.dedup();
    account.cuts = network.struck_count();
    account.doubled = u64::try_from(ran - works.len())?;
    account.show();
    account.assert_settled();
    assert!(account.delivered > 0, "{account}");
    let open = client.stats().await?;
    assert_eq!(open.open_channels, 0, "{open:?}");
    // Others are served as well.
    let mut other = python_client(python, &endpoint, json!({})).await?;
    let outcome = python_call(&mut other, "add", json!([1, 2])).await?;
    assert_eq!(outcome["result"], 3, "{outcome}");
    Ok(())
}
