//! Servers.

use zrpc::middleware::Logging;
use zrpc::security::Security;
use zrpc::{
    CallContext, Compat, Heartbeat, Introspection, IoRuntime, MethodSet, OptionError, Server,
    ServerBuilder, SocketOptions, Tracebacks,
};

use super::table::*;

const SERVER: &[Row<ServerBuilder>] = &[
    ("name", |it| it.name(""), Builds),
    (
        "method",
        |it| {
            it.method("one", |(): ()| async {})
                .method("one", |(): ()| async {})
        },
        Outcome::Method,
    ),
    (
        "method",
        |it| it.method("_zerorpc_ping", |(): ()| async {}),
        Outcome::Method,
    ),
    (
        "blocking",
        |it| it.register(one()).blocking("one", |(): ()| 1),
        Outcome::Method,
    ),
    (
        "stream",
        |it| {
            it.register(one())
                .stream("one", |(): ()| futures_util::stream::iter([1]))
        },
        Outcome::Method,
    ),
    (
        "blocking_stream",
        |it| it.register(one()).blocking_stream("one", |(): ()| [1]),
        Outcome::Method,
    ),
    (
        "register",
        |it| it.register(one()).register(one()),
        Outcome::Method,
    ),
    (
        "service",
        |it| {
            it.register(one())
                .service(MethodSet::new("set").with(one()))
        },
        Outcome::Method,
    ),
    (
        "service_with_prefix",
        |it| it.service_with_prefix("_zerorpc_", MethodSet::new("set").with(one())),
        Outcome::Method,
    ),
    ("bind", |it| it.bind(NOWHERE).bind(NOWHERE), Endpoint),
    ("bind", |it| it.bind("tcp://*"), Endpoint),
    ("connect", |it| it.connect("tcp://*:1"), Endpoint),
    ("connect", |it| it.connect(NOWHERE).connect(NOWHERE), Builds),
    (
        "heartbeat",
        |it| it.heartbeat(Heartbeat::every(NO_TIME)),
        too_short(NO_TIME),
    ),
    (
        "heartbeat",
        |it| it.heartbeat(Heartbeat::passive(MOMENT)),
        too_short(MOMENT),
    ),
    (
        "heartbeat",
        |it| it.heartbeat(Heartbeat::every(FOREVER)),
        Builds,
    ),
    (
        "max_concurrency",
        |it| it.max_concurrency(0),
        zero("max_concurrency"),
    ),
    (
        "max_concurrency",
        |it| it.max_concurrency(usize::MAX),
        Builds,
    ),
    (
        "max_blocking",
        |it| it.max_blocking(0),
        zero("max_blocking"),
    ),
    ("max_blocking", |it| it.max_blocking(usize::MAX), Builds),
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
    (
        "max_request_len",
        |it| it.max_request_len(0),
        zero("max_request_len"),
    ),
    (
        "max_request_len",
        |it| it.max_request_len(1 << 30),
        exceeds("max_request_len", "max_message_size"),
    ),
    // Who asks for what is the default has asked for it.
    (
        "max_request_len",
        |it| {
            let short = messages(|it| it.max_message_size = 1 << 20);
            it.max_request_len(limits(|_| {}).decode.event_len)
                .socket(SocketOptions::new().limits(short))
        },
        exceeds("max_request_len", "max_message_size"),
    ),
    (
        "socket",
        |it| {
            let short = messages(|it| it.max_message_size = 1 << 20);
            it.socket(SocketOptions::new().limits(short))
        },
        Builds,
    ),
    (
        "max_calls_per_peer",
        |it| it.max_calls_per_peer(0),
        zero("max_calls_per_peer"),
    ),
    (
        "max_calls_per_peer",
        |it| it.max_calls_per_peer(usize::MAX),
        exceeds("max_calls_per_peer", "channels_total"),
    ),
    (
        "max_received_bytes_per_peer",
        |it| it.max_received_bytes_per_peer(0),
        zero("max_received_bytes_per_peer"),
    ),
    (
        "max_received_bytes_per_peer",
        |it| it.max_received_bytes_per_peer(usize::MAX),
        exceeds("max_received_bytes_per_peer", "received_bytes_total"),
    ),
    (
        "authorize",
        |it| it.authorize(|_: &CallContext| Ok(())),
        Builds,
    ),
    (
        "introspection",
        |it| it.introspection(Introspection::Hidden),
        Builds,
    ),
    ("tracebacks", |it| it.tracebacks(Tracebacks::Sent), Builds),
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
        "socket",
        |it| it.socket(SocketOptions::new().backlog(0)),
        zero("backlog"),
    ),
    ("middleware", |it| it.middleware(Logging::new()), Builds),
];

#[tokio::test]
async fn a_server_is_built_of_what_makes_sense() {
    assert_complete(SERVER, include_str!("../../../src/server/builder.rs"));
    for (option, set, expected) in SERVER {
        assert_eq!(
            build_server(set(Server::builder())).await,
            *expected,
            "{option}"
        );
    }
}
