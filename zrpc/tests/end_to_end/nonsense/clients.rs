//! Clients.

use zrpc::middleware::Logging;
use zrpc::security::{PublicKey, Security};
use zrpc::{Client, ClientBuilder, Compat, Heartbeat, IoRuntime, OptionError, SocketOptions};

use super::table::*;

const CLIENT: &[Row<ClientBuilder>] = &[
    ("connect", |it| it.connect(""), Endpoint),
    ("connect", |it| it.connect("tcp://127.0.0.1"), Endpoint),
    ("connect", |it| it.connect("tcp://127.0.0.1:0"), Endpoint),
    (
        "connect",
        |it| it.connect("tcp://127.0.0.1:70000"),
        Endpoint,
    ),
    ("connect", |it| it.connect("udp://127.0.0.1:1"), Endpoint),
    ("connect", |it| it.connect(NOWHERE).connect(NOWHERE), Builds),
    ("bind", |it| it.bind("tcp://127.0.0.1"), Endpoint),
    ("bind", |it| it.bind("nonsense"), Endpoint),
    ("bind", |it| it.bind(NOWHERE).bind(NOWHERE), Endpoint),
    ("bind", |it| it.connect(NOWHERE).bind(NOWHERE), Endpoint),
    ("bind", |it| it.bind(ANYWHERE).bind(ANYWHERE), Builds),
    ("timeout", |it| it.timeout(NO_TIME), zero("timeout")),
    ("timeout", |it| it.timeout(FOREVER), Builds),
    ("timeout", |it| it.timeout(None), Builds),
    (
        "item_timeout",
        |it| it.item_timeout(NO_TIME),
        zero("item_timeout"),
    ),
    ("item_timeout", |it| it.item_timeout(FOREVER), Builds),
    (
        "heartbeat",
        |it| it.heartbeat(Heartbeat::every(NO_TIME)),
        too_short(NO_TIME),
    ),
    (
        "heartbeat",
        |it| it.heartbeat(Heartbeat::every(MOMENT)),
        too_short(MOMENT),
    ),
    (
        "heartbeat",
        |it| it.heartbeat(Heartbeat::passive(NO_TIME)),
        too_short(NO_TIME),
    ),
    (
        "heartbeat",
        |it| it.heartbeat(Heartbeat::every(FOREVER)),
        Builds,
    ),
    ("heartbeat", |it| it.heartbeat(Heartbeat::off()), Builds),
    (
        "passive_heartbeat",
        |it| it.heartbeat(Heartbeat::off()).passive_heartbeat(),
        Refused(OptionError::PassiveWithoutHeartbeat),
    ),
    (
        "passive_heartbeat",
        |it| it.heartbeat(Heartbeat::every(NO_TIME)).passive_heartbeat(),
        too_short(NO_TIME),
    ),
    // What is said last counts.
    (
        "passive_heartbeat",
        |it| {
            it.heartbeat(Heartbeat::off())
                .passive_heartbeat()
                .heartbeat(Heartbeat::default())
        },
        Builds,
    ),
    ("slots", |it| it.slots(0), zero("slots")),
    ("slots", |it| it.slots(u32::MAX), Builds),
    (
        "max_received_bytes_per_server",
        |it| it.max_received_bytes_per_server(0),
        zero("max_received_bytes_per_server"),
    ),
    (
        "max_received_bytes_per_server",
        |it| it.max_received_bytes_per_server(usize::MAX),
        exceeds("max_received_bytes_per_server", "received_bytes_total"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.decode.event_len = 0)),
        zero("event_len"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.decode.depth = 0)),
        zero("depth"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.decode.depth = 513)),
        too_large("depth", 512),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.decode.depth = 512)),
        Builds,
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.decode.values = 0)),
        zero("values"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.decode.header_entries = 0)),
        zero("header_entries"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.decode.header_len = 0)),
        zero("header_len"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.channels_per_peer = 0)),
        zero("channels_per_peer"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.channels_total = 0)),
        zero("channels_total"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.received_bytes_per_peer = 0)),
        zero("received_bytes_per_peer"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.received_bytes_total = 0)),
        zero("received_bytes_total"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.queued_bytes_per_peer = 0)),
        zero("queued_bytes_per_peer"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.queued_bytes_total = 0)),
        zero("queued_bytes_total"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.unread_bytes_per_peer = 0)),
        zero("unread_bytes_per_peer"),
    ),
    (
        "limits",
        |it| it.limits(limits(|it| it.channels_total = it.channels_per_peer - 1)),
        exceeds("channels_per_peer", "channels_total"),
    ),
    (
        "limits",
        |it| {
            it.limits(limits(|it| {
                it.received_bytes_total = it.received_bytes_per_peer - 1;
            }))
        },
        exceeds("received_bytes_per_peer", "received_bytes_total"),
    ),
    (
        "limits",
        |it| {
            it.limits(limits(|it| {
                it.queued_bytes_per_peer = it.unread_bytes_per_peer + 1;
            }))
        },
        exceeds("queued_bytes_per_peer", "unread_bytes_per_peer"),
    ),
    // The connection would end before the event is found to be too long.
    (
        "limits",
        |it| it.limits(limits(|it| it.decode.event_len = 1 << 30)),
        exceeds("event_len", "max_message_size"),
    ),
    (
        "limits",
        |it| {
            let (limits, socket) = unlimited();
            it.limits(limits).socket(socket)
        },
        Builds,
    ),
    ("compat", |it| it.compat(Compat::ANY), Builds),
    ("linger", |it| it.linger(NO_TIME), Builds),
    ("linger", |it| it.linger(FOREVER), Builds),
    ("io_runtime", |it| it.io_runtime(IoRuntime::Current), Builds),
    (
        "security",
        |it| it.security(Security::null().with_domain("domain").unwrap()),
        Refused(OptionError::DomainWithoutAuthenticator),
    ),
    (
        "security",
        |it| it.security(Security::curve_anonymous(PublicKey::from_octets([0; 32]))),
        Refused(OptionError::WeakServerKey),
    ),
    (
        "socket",
        |it| it.socket(SocketOptions::new().backlog(0)),
        zero("backlog"),
    ),
    ("middleware", |it| it.middleware(Logging::new()), Builds),
];

#[tokio::test]
async fn a_client_is_built_of_what_makes_sense() {
    assert_complete(CLIENT, include_str!("../../../src/client/builder.rs"));
    for (option, set, expected) in CLIENT {
        assert_eq!(
            build_client(set(Client::builder())).await,
            *expected,
            "{option}"
        );
    }
}
