//! What a call costs: the steps of its way, each as often as one asks for.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use zrpc_proto::{
    Body, ChannelEvent, ChannelOptions, Config, DecodeLimits, Event, IdSource, Multiplexer,
    Request, decode,
};

/// A step, under its name. It gets its machines ready, and returns what makes so many calls.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) prepare: fn() -> Box<dyn FnMut(u64)>,
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "event-encode",
        prepare: event_encode,
    },
    Case {
        name: "event-decode",
        prepare: event_decode,
    },
    Case {
        name: "call-round-trip",
        prepare: || round_trips(1),
    },
    Case {
        name: "call-100-in-flight",
        prepare: || round_trips(100),
    },
];

fn text() -> String {
    "x".repeat(64)
}

fn request(text: &str) -> Request {
    Request::new("echo", Body::args(&(text,)).expect("a text can be encoded"))
}

fn event_encode() -> Box<dyn FnMut(u64)> {
    let text = text();
    let mut ids = IdSource::new([1; 12]);
    Box::new(move |calls| {
        for _ in 0..calls {
            black_box(request(black_box(&text)).into_payload(&mut ids));
        }
    })
}

fn event_decode() -> Box<dyn FnMut(u64)> {
    let payload: Bytes = request(&text()).into_payload(&mut IdSource::new([1; 12]));
    let limits = DecodeLimits::default();
    Box::new(move |calls| {
        for _ in 0..calls {
            let event = Event::decode(black_box(&payload), &limits);
            black_box(event.expect("a valid event"));
        }
    })
}

/// Calls from one multiplexer to another and back, so many under way at a time.
fn round_trips(in_flight: u64) -> Box<dyn FnMut(u64)> {
    #[expect(clippy::disallowed_methods, reason = "a driver reads the clock")]
    let now = Instant::now();
    let mut client = Multiplexer::new(Config::client(), IdSource::new([1; 12]));
    let mut server = Multiplexer::new(Config::server(), IdSource::new([2; 12]));
    let options = ChannelOptions::default();
    let text = text();
    Box::new(move |calls| {
        for _ in 0..calls.div_ceil(in_flight) {
            for _ in 0..in_flight {
                let opened = client.open(now, &"server", request(&text), &options);
                opened.expect("room for a channel");
            }
            while let Some(transmit) = client.poll_transmit(now) {
                let handled = server.handle_event(now, &"client", transmit.payload);
                handled.expect("a valid event");
            }
            while let Some(event) = server.poll_event() {
                if let ChannelEvent::Request { channel, args, .. } = event {
                    let (text,): (String,) = args.decode().expect("one text");
                    let body = Body::value(&text).expect("a text can be encoded");
                    server.reply(channel, body).expect("a channel that waits");
                }
            }
            while let Some(transmit) = server.poll_transmit(now) {
                let handled = client.handle_event(now, &"server", transmit.payload);
                handled.expect("a valid event");
            }
            let mut replies = 0;
            while let Some(event) = client.poll_event() {
                if let ChannelEvent::Reply { value, .. } = event {
                    let reply: String = decode(&value).expect("a text");
                    assert_eq!(reply.len(), text.len());
                    replies += 1;
                }
            }
            assert_eq!(replies, in_flight, "a call without a reply");
        }
    })
}
