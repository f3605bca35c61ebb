//! Messages that a proxy passes on.

use std::time::Duration;

use rustix::process::Signal;
use zmtp::{PullSocket, PushSocket, Socket, SubSocket};
use zrpc::{Client, Server};

use super::running::Running;
use super::support::zrpc;

const FREE: &str = "tcp://127.0.0.1:*";

/// Far longer than a message takes.
const TOO_LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn calls_go_through_a_router_and_a_dealer() {
    let line = ["proxy", "queue", "--frontend", FREE, "--backend", FREE];
    let stats = ["--stats", "1000", "--output", "json"];
    let mut proxy = Running::start(&[&line[..], &stats].concat());
    let (frontend, backend) = (proxy.address(), proxy.address());
    let server = Server::builder()
        .method("double", |(number,): (u64,)| async move { number * 2 })
        .connect(backend);
    let server = server.build().await.unwrap();
    let client = Client::connect(frontend).await.unwrap();
    let answer: u64 = client.call("double", (21,)).await.unwrap();
    assert_eq!(answer, 42);
    drop((client, server));

    let run = proxy.stop(Signal::TERM);
    assert_eq!(run.code, Some(0));
    let statistics: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(
        statistics["from_frontend"]["messages"].as_u64() >= Some(1),
        "{statistics}"
    );
    assert!(
        statistics["to_frontend"]["messages"].as_u64() >= Some(1),
        "{statistics}"
    );
}

#[tokio::test]
async fn pushed_messages_go_on_and_a_copy_of_each_is_captured() {
    let mut puller = PullSocket::new();
    let address = puller.bind(FREE).await.unwrap().to_string();
    let line = [
        "proxy",
        "pull-push",
        "--frontend",
        FREE,
        "--connect-backend",
        &address,
        "--capture",
        FREE,
    ];
    let mut proxy = Running::start(&line);
    let frontend = proxy.address();
    proxy.address();
    let capture = proxy.address();

    let mut observer = SubSocket::new();
    observer.subscribe("");
    observer.connect(capture).await.unwrap();
    let mut pusher = PushSocket::new();
    pusher.connect(frontend).await.unwrap();
    // The copies begin with the subscription, which nobody announces.
    let copy = loop {
        pusher.send("hello").await.unwrap();
        let copy = tokio::time::timeout(Duration::from_millis(100), observer.recv()).await;
        if let Ok(copy) = copy {
            break copy.unwrap();
        }
    };
    assert_eq!(copy, zmtp::Message::from("hello"));
    let received = tokio::time::timeout(TOO_LONG, puller.recv()).await.unwrap();
    assert_eq!(received.unwrap(), zmtp::Message::from("hello"));
    let run = proxy.stop(Signal::INT);
    assert_eq!(run.code, Some(130));
}

#[test]
fn a_proxy_needs_two_sides_and_addresses_that_are_some() {
    let run = zrpc(&["proxy", "queue", "--frontend", FREE]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("--backend"), "{}", run.stderr);
    let run = zrpc(&["proxy", "queue", "--frontend", "here", "--backend", FREE]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("here is no address"), "{}", run.stderr);
    assert!(
        run.stderr.contains("tcp://127.0.0.1:4242"),
        "{}",
        run.stderr
    );
}
