//! The socket under each of them.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use zmtp::session::Heartbeat as Ping;
use zmtp::{PairSocket, ReconnectStop, Socket, SocksProxy, TcpKeepAlive};
use zrpc::security::{AnyKey, KeyPair, Passwords, Security};
use zrpc::{Client, OptionError, Puller, Pusher, Server, SocketOptions};

use super::table::*;
use crate::support::in_time;

const SOCKET: &[Row<SocketOptions>] = &[
    (
        "reconnect_interval",
        |it| it.reconnect_interval(NO_TIME),
        zero("reconnect_interval"),
    ),
    (
        "reconnect_interval",
        |it| it.reconnect_interval(FOREVER),
        Builds,
    ),
    (
        "reconnect_interval",
        |it| {
            it.reconnect_interval(2 * MOMENT)
                .reconnect_interval_max(MOMENT)
        },
        exceeds("reconnect_interval", "reconnect_interval_max"),
    ),
    (
        "reconnect_interval_max",
        |it| it.reconnect_interval_max(NO_TIME),
        zero("reconnect_interval_max"),
    ),
    (
        "reconnect_interval_max",
        |it| it.reconnect_interval_max(FOREVER),
        Builds,
    ),
    (
        "no_reconnect",
        |it| it.no_reconnect().reconnect_interval_max(MOMENT),
        Refused(OptionError::Excluded {
            option: "reconnect_interval_max",
            by: "no_reconnect",
        }),
    ),
    (
        "reconnect_stop",
        |it| {
            it.reconnect_stop([ReconnectStop::ConnectionRefused])
                .no_reconnect()
        },
        Refused(OptionError::Excluded {
            option: "reconnect_stop",
            by: "no_reconnect",
        }),
    ),
    ("reconnect_stop", |it| it.reconnect_stop([]), Builds),
    (
        "connect_timeout",
        |it| it.connect_timeout(NO_TIME),
        zero("connect_timeout"),
    ),
    ("connect_timeout", |it| it.connect_timeout(FOREVER), Builds),
    (
        "handshake_timeout",
        |it| it.handshake_timeout(NO_TIME),
        zero("handshake_timeout"),
    ),
    (
        "handshake_timeout",
        |it| it.handshake_timeout(FOREVER),
        Builds,
    ),
    (
        "heartbeat",
        |it| it.heartbeat(Ping::new(NO_TIME)),
        zero("heartbeat.interval"),
    ),
    (
        "heartbeat",
        |it| it.heartbeat(Ping::new(MOMENT).with_timeout(NO_TIME)),
        zero("heartbeat.timeout"),
    ),
    ("heartbeat", |it| it.heartbeat(Ping::new(FOREVER)), Builds),
    (
        "max_connections",
        |it| it.max_connections(0),
        zero("max_connections"),
    ),
    (
        "max_connections",
        |it| it.max_connections(usize::MAX),
        Builds,
    ),
    (
        "max_half_open",
        |it| it.max_half_open(0),
        zero("max_half_open"),
    ),
    ("max_half_open", |it| it.max_half_open(usize::MAX), Builds),
    (
        "max_half_open",
        |it| it.max_half_open(2).max_connections(1),
        exceeds("max_half_open", "max_connections"),
    ),
    ("backlog", |it| it.backlog(0), zero("backlog")),
    ("backlog", |it| it.backlog(u32::MAX), Builds),
    ("send_buffer", |it| it.send_buffer(0), zero("send_buffer")),
    ("send_buffer", |it| it.send_buffer(1), Builds),
    (
        "send_buffer",
        |it| it.send_buffer(1 << 31),
        Refused(OptionError::TooLarge {
            option: "send_buffer",
            max: (1 << 31) - 1,
        }),
    ),
    (
        "receive_buffer",
        |it| it.receive_buffer(0),
        zero("receive_buffer"),
    ),
    ("receive_buffer", |it| it.receive_buffer(1), Builds),
    ("accept_networks", |it| it.accept_networks([]), Builds),
    (
        "limits",
        |it| it.limits(messages(|it| it.max_frame_size = 0)),
        zero("max_frame_size"),
    ),
    (
        "limits",
        |it| it.limits(messages(|it| it.max_message_size = 0)),
        zero("max_message_size"),
    ),
    (
        "limits",
        |it| it.limits(messages(|it| it.max_command_size = 0)),
        zero("max_command_size"),
    ),
    (
        "limits",
        |it| it.limits(messages(|it| it.max_handshake_command_size = 0)),
        zero("max_handshake_command_size"),
    ),
    (
        "limits",
        |it| it.limits(messages(|it| it.max_parts_per_message = 0)),
        zero("max_parts_per_message"),
    ),
    (
        "limits",
        |it| it.limits(messages(|it| it.max_metadata_properties = 0)),
        zero("max_metadata_properties"),
    ),
    (
        "limits",
        |it| it.limits(messages(|it| it.max_pending_pongs = 0)),
        zero("max_pending_pongs"),
    ),
    (
        "send_high_water_mark",
        |it| it.send_high_water_mark(0),
        Builds,
    ),
    (
        "send_high_water_mark",
        |it| it.send_high_water_mark(usize::MAX),
        Builds,
    ),
    (
        "receive_high_water_mark",
        |it| it.receive_high_water_mark(0),
        Builds,
    ),
    (
        "receive_high_water_mark",
        |it| it.receive_high_water_mark(usize::MAX),
        Builds,
    ),
    ("busy_wait", |it| it.busy_wait(NO_TIME), Builds),
    ("busy_wait", |it| it.busy_wait(MOMENT), Builds),
    ("ipv6", SocketOptions::ipv6, Builds),
    (
        "tcp_keepalive",
        |it| it.tcp_keepalive(TcpKeepAlive::new()),
        Builds,
    ),
    (
        "tcp_keepalive",
        |it| it.tcp_keepalive(keep_alive(LONGEST, LONGEST, 127)),
        Builds,
    ),
    (
        "tcp_keepalive",
        |it| it.tcp_keepalive(keep_alive(MOMENT, LONGEST, 127)),
        Refused(OptionError::KeepAliveOutOfRange),
    ),
    (
        "tcp_keepalive",
        |it| it.tcp_keepalive(keep_alive(LONGEST, FOREVER, 127)),
        Refused(OptionError::KeepAliveOutOfRange),
    ),
    (
        "tcp_keepalive",
        |it| it.tcp_keepalive(keep_alive(LONGEST, LONGEST, 128)),
        Refused(OptionError::KeepAliveOutOfRange),
    ),
    (
        "socks_proxy",
        |it| it.socks_proxy(SocksProxy::new("127.0.0.1:1").unwrap()),
        Builds,
    ),
];

/// The longest times of a keep-alive.
const LONGEST: Duration = Duration::from_secs(32_767);

fn keep_alive(idle: Duration, interval: Duration, count: u32) -> TcpKeepAlive {
    let times = TcpKeepAlive::new().idle(idle).interval(interval);
    times.count(count)
}

#[tokio::test]
async fn the_socket_of_everything_is_built_of_what_makes_sense() {
    assert_complete(SOCKET, include_str!("../../../src/socket_options.rs"));
    for (option, set, expected) in SOCKET {
        let options = || set(SocketOptions::new());
        let outcome = build_client(Client::builder().socket(options())).await;
        assert_eq!(outcome, *expected, "{option} of a client");
        let outcome = build_server(Server::builder().socket(options())).await;
        assert_eq!(outcome, *expected, "{option} of a server");
        let builder = Pusher::builder().socket(options()).bind(ANYWHERE);
        let outcome = of_connect(in_time(builder.build()).await.map(drop));
        assert_eq!(outcome, *expected, "{option} of a pusher");
        let builder = Puller::builder().socket(options()).bind(ANYWHERE);
        let outcome = of_build(in_time(builder.build()).await.map(drop));
        assert_eq!(outcome, *expected, "{option} of a puller");
    }
}

/// Calls have an empty part in front of their events; events need none.
#[tokio::test]
async fn limits_let_the_shortest_message_through_that_the_socket_exchanges() {
    for (parts, size, of_calls, of_events) in [
        (2, 129, Builds, Builds),
        (2, 128, too_small("max_message_size", 129), Builds),
        (1, 129, too_small("max_parts_per_message", 2), Builds),
        (1, 65, too_small("max_message_size", 129), Builds),
        (
            1,
            64,
            too_small("max_message_size", 129),
            too_small("max_message_size", 65),
        ),
    ] {
        let options = || {
            SocketOptions::new().limits(messages(|it| {
                it.max_parts_per_message = parts;
                it.max_message_size = size;
            }))
        };
        let case = (parts, size);
        let client = build_client(Client::builder().socket(options())).await;
        assert_eq!(client, of_calls, "{case:?}");
        let server = build_server(Server::builder().socket(options())).await;
        assert_eq!(server, of_calls, "{case:?}");
        let builder = Pusher::builder().socket(options()).bind(ANYWHERE);
        let pusher = of_connect(in_time(builder.build()).await.map(drop));
        assert_eq!(pusher, of_events, "{case:?}");
        let builder = Puller::builder().socket(options()).bind(ANYWHERE);
        let puller = of_build(in_time(builder.build()).await.map(drop));
        assert_eq!(puller, of_events, "{case:?}");
    }
}

/// A heartbeat of the peer must not end the connection.
#[tokio::test]
async fn limits_let_the_longest_heartbeat_through() {
    let options = |size| SocketOptions::new().limits(messages(|it| it.max_command_size = size));
    let client = build_client(Client::builder().socket(options(22))).await;
    assert_eq!(client, too_small("max_command_size", 23));
    let server = build_server(Server::builder().socket(options(22))).await;
    assert_eq!(server, too_small("max_command_size", 23));
    let client = build_client(Client::builder().socket(options(23))).await;
    assert_eq!(client, Builds);
    let server = Server::builder().socket(options(23)).bind(ANYWHERE);
    let server = in_time(server.build()).await.unwrap();
    let address = server.endpoints()[0].to_string();
    let mut peer = TcpStream::connect(&address["tcp://".len()..])
        .await
        .unwrap();
    in_time(async {
        peer.write_all(&GREETING).await.unwrap();
        let mut greeting = [0; 64];
        peer.read_exact(&mut greeting).await.unwrap();
        let ready = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER";
        peer.write_all(ready).await.unwrap();
        assert!(next_command(&mut peer).await.starts_with(b"\x05READY"));
        // The longest context there may be, behind the name and the time.
        let ping = b"\x04\x17\x04PING\0\0sixteen octets..";
        peer.write_all(ping).await.unwrap();
        while next_command(&mut peer).await != b"\x04PONGsixteen octets.." {}
    })
    .await;
}

/// That of ZMTP 3.1, with the mechanism NULL.
const GREETING: [u8; 64] = {
    let mut greeting = [0; 64];
    let (head, _) = greeting.split_at_mut(16);
    head.copy_from_slice(b"\xff\0\0\0\0\0\0\0\0\x7f\x03\x01NULL");
    greeting
};

/// Reads the next frame, which is a short command, and returns its body.
async fn next_command(peer: &mut TcpStream) -> Vec<u8> {
    assert_eq!(peer.read_u8().await.unwrap(), 4, "a short command");
    let size = peer.read_u8().await.unwrap();
    let mut body = vec![0; usize::from(size)];
    peer.read_exact(&mut body).await.unwrap();
    body
}

/// What each side of a mechanism receives at least, with which a call works, and without which none could.
#[tokio::test]
async fn limits_let_the_shortest_handshake_through() {
    let passwords = || {
        let mut passwords = Passwords::new();
        passwords.insert("ann", "secret").unwrap();
        passwords
    };
    let pair = KeyPair::generate();
    for (of_server, server_min, of_client, client_min) in [
        (Security::null(), 28, Security::null(), 28),
        (
            Security::plain_server(passwords()),
            31,
            Security::plain_client("ann", "secret").unwrap(),
            28,
        ),
        (
            Security::curve_server(pair.clone(), AnyKey),
            279,
            Security::curve_anonymous(pair.public_key()),
            168,
        ),
    ] {
        let options =
            |size| SocketOptions::new().limits(messages(|it| it.max_handshake_command_size = size));
        let server = |size| {
            let builder = Server::builder().register(one()).socket(options(size));
            builder.security(of_server.clone())
        };
        let client = |size| {
            let builder = Client::builder().socket(options(size));
            builder.security(of_client.clone())
        };
        let refused = |min| too_small("max_handshake_command_size", min);
        let outcome = build_server(server(server_min - 1)).await;
        assert_eq!(outcome, refused(server_min), "{of_server:?}");
        let outcome = build_client(client(client_min - 1)).await;
        assert_eq!(outcome, refused(client_min), "{of_client:?}");
        let server = in_time(server(server_min).bind(ANYWHERE).build());
        let server = server.await.unwrap();
        let client = client(client_min).connect(&server.endpoints()[0]);
        let client = in_time(client.build()).await.unwrap();
        let called = in_time(client.call::<u8>("one", ())).await;
        assert_eq!(called, Ok(1), "{of_server:?}");
    }
    let pusher = Pusher::builder()
        .socket(SocketOptions::new().limits(messages(|it| it.max_handshake_command_size = 24)))
        .bind(ANYWHERE);
    let outcome = of_connect(in_time(pusher.build()).await.map(drop));
    assert_eq!(outcome, too_small("max_handshake_command_size", 25));
}

#[test]
fn a_socket_beside_them_is_secured_with_what_makes_sense() {
    let security = Security::null().with_domain("domain").unwrap();
    let refused = security.apply(PairSocket::builder()).err();
    assert_eq!(refused, Some(OptionError::DomainWithoutAuthenticator));
    assert!(Security::null().apply(PairSocket::builder()).is_ok());
}
