//! Publishers, pushers, subscribers and pullers.

use zrpc::middleware::Logging;
use zrpc::security::Security;
use zrpc::{
    Compat, EmitterBuilder, MethodSet, OptionError, Publisher, Pusher, ReceiverBuilder,
    SocketOptions, Subscriber,
};

use super::table::*;
use crate::support::in_time;

const EMITTER: &[Row<EmitterBuilder<Publisher>>] = &[
    ("bind", |it| it.bind(NOWHERE).bind(NOWHERE), Endpoint),
    ("connect", |it| it.connect("tcp:127.0.0.1:1"), Endpoint),
    ("connect", |it| it.connect(NOWHERE).connect(NOWHERE), Builds),
    ("compat", |it| it.compat(Compat::ANY), Builds),
    ("linger", |it| it.linger(NO_TIME), Builds),
    ("linger", |it| it.linger(FOREVER), Builds),
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
    ("immediate", EmitterBuilder::immediate, Builds),
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
    (
        "wait_for_slow_subscribers",
        EmitterBuilder::wait_for_slow_subscribers,
        Builds,
    ),
];

const RECEIVER: &[Row<ReceiverBuilder<Subscriber>>] = &[
    (
        "method",
        |it| {
            it.method("one", |(): ()| async {})
                .method("one", |(): ()| async {})
        },
        Outcome::Method,
    ),
    (
        "blocking",
        |it| it.register(one()).blocking("one", |(): ()| 1),
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
    ("bind", |it| it.bind(NOWHERE).connect(NOWHERE), Endpoint),
    ("connect", |it| it.connect("inproc://"), Endpoint),
    ("connect", |it| it.connect(NOWHERE).connect(NOWHERE), Builds),
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
        "receive_high_water_mark",
        |it| it.receive_high_water_mark(0),
        Builds,
    ),
    (
        "receive_high_water_mark",
        |it| it.receive_high_water_mark(usize::MAX),
        Builds,
    ),
    (
        "max_event_len",
        |it| it.max_event_len(0),
        zero("max_event_len"),
    ),
    (
        "max_event_len",
        |it| it.max_event_len(usize::MAX),
        exceeds("max_event_len", "max_message_size"),
    ),
    // Who asks for what is the default has asked for it.
    (
        "max_event_len",
        |it| {
            let short = messages(|it| it.max_message_size = 1 << 20);
            it.max_event_len(limits(|_| {}).decode.event_len)
                .socket(SocketOptions::new().limits(short))
        },
        exceeds("max_event_len", "max_message_size"),
    ),
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
    ("on_error", |it| it.on_error(|_| {}), Builds),
    (
        "topic",
        |it| it.topic("").topic("").topic([0xff; 1000]),
        Builds,
    ),
];

#[tokio::test]
async fn publishers_and_subscribers_are_built_of_what_makes_sense() {
    assert_complete(
        EMITTER,
        include_str!("../../../src/one_way/emitter_builder.rs"),
    );
    for (option, set, expected) in EMITTER {
        let builder = set(Publisher::builder()).bind(ANYWHERE);
        let outcome = of_connect(in_time(builder.build()).await.map(drop));
        assert_eq!(outcome, *expected, "{option}");
    }
    assert_complete(
        RECEIVER,
        include_str!("../../../src/one_way/receiver_builder.rs"),
    );
    for (option, set, expected) in RECEIVER {
        let builder = set(Subscriber::builder()).bind(ANYWHERE);
        let outcome = of_build(in_time(builder.build()).await.map(drop));
        assert_eq!(outcome, *expected, "{option}");
    }
}

/// A mark that is set beside the other options of the socket counts, whichever is said first.
#[tokio::test]
async fn the_mark_of_a_pusher_counts_beside_its_socket_options() {
    for socket_first in [true, false] {
        let builder = Pusher::builder();
        let builder = match socket_first {
            true => builder.socket(SocketOptions::new()).send_high_water_mark(3),
            false => builder.send_high_water_mark(3).socket(SocketOptions::new()),
        };
        let pusher = builder.connect(NOWHERE).build().await.unwrap();
        let pushed = (0..10).take_while(|_| pusher.try_push("note", ()).is_ok());
        assert_eq!(pushed.count(), 3);
    }
}
