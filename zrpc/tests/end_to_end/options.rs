//! Lists of endpoints, and limits and options of single calls. What builders refuse is in `nonsense`.

use std::time::Duration;

use zrpc::{
    CallError, Client, ClientBuilder, ConnectError, Heartbeat, Limits, OptionError, Server,
};

use crate::support::{in_time, pair};

const ENDPOINT: &str = "tcp://127.0.0.1:*";

#[tokio::test]
async fn a_request_beyond_the_limits_of_its_peer_fails_and_the_next_does_not() {
    let mut limits = Limits::default();
    limits.decode.event_len = 10_000;
    limits.decode.header_len = 200;
    let server = Server::builder().method("len", |(text,): (String,)| async move { text.len() });
    let (_server, client) = pair(server.limits(limits)).await;
    let error = in_time(client.call::<usize>("len", ("x".repeat(20_000),)))
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        CallError::Remote(error) if error.name == "ProtocolError" && error.message.contains("10000")
    ));
    let request = client
        .request("len", ("x",))
        .header("note", &"y".repeat(300));
    let error = in_time(request.call::<usize>()).await.unwrap_err();
    assert!(matches!(
        error,
        CallError::Remote(error) if error.name == "ProtocolError" && error.message.contains("header")
    ));
    assert_eq!(in_time(client.call::<usize>("len", ("x",))).await, Ok(1));
}

#[tokio::test]
async fn lists_of_endpoints_have_to_make_sense() {
    let error = in_time(Client::builder().build()).await.unwrap_err();
    assert_eq!(error, ConnectError::NoEndpoint);
    let twice = |builder: ClientBuilder| in_time(builder.build());
    let address = "tcp://127.0.0.1:4242";
    for builder in [
        Client::builder().bind(address).connect(address),
        Client::builder().bind(address).bind(address),
    ] {
        let expected = ConnectError::DuplicateEndpoint {
            endpoint: address.to_owned(),
        };
        assert_eq!(twice(builder).await.unwrap_err(), expected);
    }
    // What is free is another one each time.
    let client = Client::builder().bind(ENDPOINT).bind(ENDPOINT);
    assert_eq!(in_time(client.build()).await.unwrap().endpoints().len(), 2);
    // The second is found before the first is used.
    let builder = Client::builder().bind(ENDPOINT).connect("tcp:/127.0.0.1");
    let error = in_time(builder.build()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Endpoint { .. }), "{error}");
}

#[tokio::test]
async fn options_of_a_call_that_make_no_sense_are_an_error_of_that_call() {
    let server = Server::builder().method("one", |(): ()| async { 1_u8 });
    let (_server, client) = pair(server).await;
    let request = || client.request("one", ());
    for (request, expected) in [
        (
            request().timeout(Duration::ZERO),
            OptionError::Zero { option: "timeout" },
        ),
        (request().slots(0), OptionError::Zero { option: "slots" }),
        (
            request().heartbeat(Heartbeat::off()).passive_heartbeat(),
            OptionError::PassiveWithoutHeartbeat,
        ),
        (
            request().heartbeat(Heartbeat::every(Duration::ZERO)),
            OptionError::HeartbeatTooShort {
                interval: Duration::ZERO,
                min: Heartbeat::MIN_INTERVAL,
            },
        ),
    ] {
        let error = in_time(request.call::<u8>()).await.unwrap_err();
        assert_eq!(error, CallError::Option(expected));
    }
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
}
