//! Options that make no sense are errors of the builder, never of the first call.

use std::time::Duration;

use zrpc::security::Security;
use zrpc::{
    BuildError, CallError, Client, ClientBuilder, ConnectError, Heartbeat, Limits, OptionError,
    Server, ServerBuilder, SocketOptions,
};

use crate::support::{in_time, pair};

const ENDPOINT: &str = "tcp://127.0.0.1:*";

async fn client_error(builder: ClientBuilder) -> ConnectError {
    in_time(builder.bind(ENDPOINT).build()).await.unwrap_err()
}

async fn server_error(builder: ServerBuilder) -> BuildError {
    in_time(builder.bind(ENDPOINT).build()).await.unwrap_err()
}

/// Expects an error of an option from both builders.
async fn both(client: ClientBuilder, server: ServerBuilder, expected: OptionError) {
    assert_eq!(client_error(client).await, ConnectError::Option(expected));
    match server_error(server).await {
        BuildError::Option(error) => assert_eq!(error, expected),
        other => panic!("an error of an option was expected: {other}"),
    }
}

#[tokio::test]
async fn a_heartbeat_that_no_network_keeps_is_refused() {
    for interval in [Duration::ZERO, Duration::from_millis(1)] {
        for heartbeat in [Heartbeat::every(interval), Heartbeat::passive(interval)] {
            let expected = OptionError::HeartbeatTooShort {
                interval,
                min: Heartbeat::MIN_INTERVAL,
            };
            let (client, server) = (Client::builder(), Server::builder());
            let (client, server) = (client.heartbeat(heartbeat), server.heartbeat(heartbeat));
            both(client, server, expected).await;
        }
    }
}

#[tokio::test]
async fn a_heartbeat_that_is_off_is_not_passive() {
    let builder = Client::builder()
        .heartbeat(Heartbeat::off())
        .passive_heartbeat();
    let error = client_error(builder).await;
    let expected = OptionError::PassiveWithoutHeartbeat;
    assert_eq!(error, ConnectError::Option(expected));
}

#[tokio::test]
async fn a_client_without_any_time_or_room_is_refused() {
    let client = Client::builder;
    for (builder, option) in [
        (client().timeout(Duration::ZERO), "timeout"),
        (client().slots(0), "slots"),
        (
            client().max_received_bytes_per_server(0),
            "received_bytes_per_peer",
        ),
    ] {
        let expected = ConnectError::Option(OptionError::Zero { option });
        assert_eq!(client_error(builder).await, expected);
    }
}

#[tokio::test]
async fn a_server_without_any_room_is_refused() {
    let server = Server::builder;
    for (builder, option) in [
        (server().max_concurrency(0), "max_concurrency"),
        (server().max_blocking(0), "max_blocking"),
        (server().max_calls_per_peer(0), "channels_per_peer"),
        (
            server().max_received_bytes_per_peer(0),
            "received_bytes_per_peer",
        ),
        (server().max_request_len(0), "event_len"),
    ] {
        let error = server_error(builder).await;
        let expected = OptionError::Zero { option };
        assert!(
            matches!(error, BuildError::Option(error) if error == expected),
            "{option}: {error}"
        );
    }
}

#[tokio::test]
async fn limits_that_contradict_each_other_are_refused() {
    let mut limits = Limits::default();
    limits.channels_total = limits.channels_per_peer - 1;
    let expected = OptionError::Exceeds {
        option: "channels_per_peer",
        bound: "channels_total",
    };
    let (client, server) = (Client::builder(), Server::builder());
    let (client, server) = (client.limits(limits.clone()), server.limits(limits));
    both(client, server, expected).await;
}

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
async fn socket_options_that_make_no_sense_are_refused() {
    let options = SocketOptions::new;
    for (options, expected) in [
        (
            options().max_connections(0),
            OptionError::Zero {
                option: "max_connections",
            },
        ),
        (
            options().handshake_timeout(Duration::ZERO),
            OptionError::Zero {
                option: "handshake_timeout",
            },
        ),
        (
            options()
                .reconnect_interval(Duration::from_secs(2))
                .reconnect_interval_max(Duration::from_secs(1)),
            OptionError::Exceeds {
                option: "reconnect_interval",
                bound: "reconnect_interval_max",
            },
        ),
        (
            options().max_connections(5).max_half_open(6),
            OptionError::Exceeds {
                option: "max_half_open",
                bound: "max_connections",
            },
        ),
    ] {
        let (client, server) = (Client::builder(), Server::builder());
        let (client, server) = (client.socket(options.clone()), server.socket(options));
        both(client, server, expected).await;
    }
}

#[tokio::test]
async fn a_domain_without_an_authenticator_is_refused() {
    let security = || Security::null().with_domain("test").unwrap();
    let (client, server) = (Client::builder(), Server::builder());
    let (client, server) = (client.security(security()), server.security(security()));
    both(client, server, OptionError::DomainWithoutAuthenticator).await;
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
