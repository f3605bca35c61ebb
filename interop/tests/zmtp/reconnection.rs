//! Peers that come late, go away and come back.

use std::io::Error;
use std::process::Stdio;

use interop::{During as _, Failure, TestResult};
use serde_json::json;
use tests::reserved_port::ReservedPort;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use zmtp::{DealerSocket, Message, PullSocket, PushSocket, Socket, SocketEvent, SubSocket};

use crate::support::{Receives, Sends, bind_libzmq, disconnected, libzmq, python, soon};

#[tokio::test]
async fn we_connect_before_libzmq_binds() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let port = ReservedPort::new()?;
    let mut dealer = DealerSocket::new();
    let mut monitor = dealer.monitor();
    dealer.connect(port.endpoint()).await?;
    dealer.give(Message::from("early")).await?;
    let retried = async {
        while !matches!(
            monitor.recv().await,
            Some(SocketEvent::ConnectRetried { .. })
        ) {}
    };
    soon(retried).await?;

    let mut peer = libzmq(python, "DEALER", json!({})).await?;
    bind_libzmq(&mut peer, &port.endpoint()).await?;

    peer.request(json!({"op": "recv", "name": "z", "expect": ["early"]}))
        .await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["welcome"]}))
        .await?;
    assert_eq!(dealer.take().await?, Message::from("welcome"));
    Ok(())
}

#[tokio::test]
async fn libzmq_connects_before_we_bind() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let port = ReservedPort::new()?;
    let endpoint = port.endpoint();
    let mut peer = libzmq(python, "PUSH", json!({})).await?;
    peer.request(json!({"op": "connect", "name": "z", "endpoint": endpoint}))
        .await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["early"]}))
        .await?;

    let mut pull = PullSocket::new();
    pull.bind(endpoint.as_str()).await?;

    assert_eq!(pull.take().await?, Message::from("early"));
    Ok(())
}

#[tokio::test]
async fn a_libzmq_server_that_was_killed_is_found_again() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let port = ReservedPort::new()?;
    let endpoint = port.endpoint();
    let mut push = PushSocket::new();
    let mut monitor = push.monitor();
    let mut peer = libzmq(python, "PULL", json!({})).await?;
    bind_libzmq(&mut peer, &endpoint).await?;
    push.connect(endpoint.as_str()).await?;
    push.give(Message::from("before")).await?;
    peer.request(json!({"op": "recv", "name": "z", "expect": ["before"]}))
        .await?;

    peer.kill().await?;
    // What is written into a dying connection is lost, as with libzmq.
    disconnected(&mut monitor).await?;
    push.give(Message::from("meanwhile")).await?;
    let mut peer = libzmq(python, "PULL", json!({})).await?;
    bind_libzmq(&mut peer, &endpoint).await?;

    peer.request(json!({"op": "recv", "name": "z", "expect": ["meanwhile"]}))
        .await?;
    push.give(Message::from("after")).await?;
    peer.request(json!({"op": "recv", "name": "z", "expect": ["after"]}))
        .await?;
    Ok(())
}

#[tokio::test]
async fn subscriptions_are_repeated_to_a_publisher_that_came_back() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut subscriber = SubSocket::new();
    subscriber.subscribe("news");
    let mut peer = libzmq(python, "XPUB", json!({})).await?;
    let port = ReservedPort::new()?;
    let endpoint = bind_libzmq(&mut peer, &port.endpoint()).await?;
    subscriber.connect(endpoint.as_str()).await?;
    let subscription = json!([{"$bytes": "016e657773"}]);
    peer.request(json!({"op": "recv", "name": "z", "expect": subscription}))
        .await?;

    peer.kill().await?;
    let mut peer = libzmq(python, "XPUB", json!({})).await?;
    bind_libzmq(&mut peer, &endpoint).await?;

    peer.request(json!({"op": "recv", "name": "z", "expect": subscription}))
        .await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["news", "item"]}))
        .await?;
    assert_eq!(subscriber.take().await?, Message::from(["news", "item"]));
    Ok(())
}

#[tokio::test]
async fn libzmq_finds_us_again_after_we_closed_and_bound_the_same_port() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let port = ReservedPort::new()?;
    let endpoint = port.endpoint();
    let mut pull = PullSocket::new();
    pull.bind(endpoint.as_str()).await?;
    let mut peer = libzmq(python, "PUSH", json!({"RECONNECT_IVL": 50})).await?;
    peer.request(json!({"op": "monitor", "name": "z"})).await?;
    peer.request(json!({"op": "connect", "name": "z", "endpoint": endpoint}))
        .await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["before"]}))
        .await?;
    assert_eq!(pull.take().await?, Message::from("before"));

    pull.close().await;
    let gone = json!({"op": "await_event", "name": "z", "event": "DISCONNECTED"});
    peer.request(gone).await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["after"]}))
        .await?;
    let mut pull = PullSocket::new();
    pull.bind(endpoint.as_str()).await?;

    assert_eq!(pull.take().await?, Message::from("after"));
    Ok(())
}

/// Set for the process that is killed: how it comes to its endpoint, and to which.
const OURS: [&str; 2] = ["ZMTP_TEST_KILLED_BY", "ZMTP_TEST_KILLED_AT"];

/// A process with a PULL socket of ours that says what it receives.
struct OurProcess {
    process: Child,
    says: Lines<BufReader<ChildStdout>>,
}

impl OurProcess {
    fn start(how: &str, endpoint: &str) -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--exact", "reconnection::what_is_killed", "--nocapture"])
            .envs(OURS.into_iter().zip([how, endpoint]))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process
            .stdout
            .take()
            .ok_or_else(|| Error::other("no output"))?;
        let says = BufReader::new(stdout).lines();
        Ok(Self { process, says })
    }

    /// Waits until it has received a message.
    async fn expect(&mut self, message: &str) -> TestResult {
        let wanted = format!("received {message}");
        soon(async {
            while let Some(line) = self.says.next_line().await? {
                if line.ends_with(&wanted) {
                    return Ok(());
                }
            }
            Err(Failure::from(Error::other(format!("it never {wanted}"))))
        })
        .await?
    }
}

/// Does nothing, except in the process that the test below kills.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the test that kills it reads this")]
async fn what_is_killed() -> TestResult {
    let [Ok(how), Ok(endpoint)] = OURS.map(std::env::var) else {
        return Ok(());
    };
    let mut pull = PullSocket::new();
    match how.as_str() {
        "bind" => drop(pull.bind(&endpoint).await?),
        _ => drop(pull.connect(&endpoint).await?),
    }
    loop {
        let message = pull.recv().await?;
        println!("received {}", String::from_utf8_lossy(&message[0]));
    }
}

#[tokio::test]
async fn libzmq_goes_on_with_the_next_process_of_ours_after_one_was_killed() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for how in ["bind", "connect"] {
        let port = ReservedPort::new()?;
        let endpoint = port.endpoint();
        let mut peer = libzmq(python, "PUSH", json!({"RECONNECT_IVL": 50})).await?;
        peer.request(json!({"op": "monitor", "name": "z"})).await?;
        let theirs = if how == "bind" { "connect" } else { "bind" };
        peer.request(json!({"op": theirs, "name": "z", "endpoint": endpoint}))
            .await?;
        for message in ["first", "second", "third"] {
            let round = async {
                let mut ours = OurProcess::start(how, &endpoint)?;
                peer.request(json!({"op": "send", "name": "z", "parts": [message]}))
                    .await?;
                ours.expect(message).await?;
                // Whatever else has ended, such as an attempt to connect to the last process.
                peer.request(json!({"op": "events", "name": "z"})).await?;
                ours.process.kill().await?;
                let gone = json!({"op": "await_event", "name": "z", "event": "DISCONNECTED"});
                peer.request(gone).await?;
                if theirs == "bind" {
                    peer.request(json!({"op": "await_alone", "name": "z"}))
                        .await?;
                }
                Ok::<_, Failure>(())
            };
            round
                .await
                .during(format_args!("we {how}, {message} process"))?;
        }
    }
    Ok(())
}
