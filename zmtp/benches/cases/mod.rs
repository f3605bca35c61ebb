//! What a message costs: the steps of its path, each as often as one asks for.

use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use zmtp::mechanism::Randomness;
use zmtp::pattern::SocketType;
use zmtp::session::{Event, Session, SessionConfig, Side};
use zmtp::wire::frame::{self, FrameDecoder, FrameLimits, RawFrame};
use zmtp::{Message, More, Part, PullSocket, PushSocket, Socket};

/// A step, under its name. It gets its machines ready, and returns what takes so many messages
/// through them.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) prepare: fn() -> Box<dyn FnMut(u64)>,
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "encode-part-16",
        prepare: || encode(16),
    },
    Case {
        name: "encode-part-1024",
        prepare: || encode(1024),
    },
    Case {
        name: "decode-frame-16",
        prepare: || decode(16),
    },
    Case {
        name: "session-input-16",
        prepare: || session(16),
    },
    Case {
        name: "session-input-256",
        prepare: || session(256),
    },
    Case {
        name: "session-input-1024",
        prepare: || session(1024),
    },
    Case {
        name: "push-pull-inproc-16",
        prepare: || push_pull("inproc://bench", 16),
    },
    Case {
        name: "push-pull-tcp-16",
        prepare: || push_pull("tcp://127.0.0.1:*", 16),
    },
    Case {
        name: "push-pull-tcp-256",
        prepare: || push_pull("tcp://127.0.0.1:*", 256),
    },
    Case {
        name: "push-pull-tcp-1024",
        prepare: || push_pull("tcp://127.0.0.1:*", 1024),
    },
];

/// What one read brings at most.
const READ: usize = 64 * 1024;

fn encode(size: usize) -> Box<dyn FnMut(u64)> {
    let body = vec![b'x'; size];
    let mut buffer = BytesMut::with_capacity(2 * READ);
    Box::new(move |messages| {
        for _ in 0..messages {
            frame::encode_part(&mut buffer, More::Last, black_box(&body));
            if buffer.len() >= READ {
                buffer.clear();
            }
        }
    })
}

/// As many whole messages as fit into one read.
fn batch(size: usize) -> (u64, BytesMut) {
    let body = vec![b'x'; size];
    let mut octets = BytesMut::new();
    let mut messages = 0;
    while octets.len() < READ - size {
        frame::encode_part(&mut octets, More::Last, &body);
        messages += 1;
    }
    (messages, octets)
}

/// Calls `take` with a buffer of messages, again and again, until it took enough of them.
///
/// The buffer is filled as a read would do it, which is part of what is measured.
fn feed(size: usize, mut take: impl FnMut(&mut BytesMut) + 'static) -> Box<dyn FnMut(u64)> {
    let (messages, octets) = batch(size);
    let mut buffer = BytesMut::with_capacity(READ);
    Box::new(move |wanted| {
        for _ in 0..wanted.div_ceil(messages) {
            buffer.reserve(READ);
            buffer.extend_from_slice(&octets);
            take(&mut buffer);
            assert!(buffer.is_empty(), "a message was left over");
        }
    })
}

fn decode(size: usize) -> Box<dyn FnMut(u64)> {
    let mut decoder = FrameDecoder::new(FrameLimits::DEFAULT);
    feed(size, move |buffer| {
        while let Ok(Some(frame)) = decoder.decode(buffer) {
            let RawFrame::Message(frame) = frame else {
                panic!("not a message");
            };
            black_box(&frame);
        }
    })
}

fn session(size: usize) -> Box<dyn FnMut(u64)> {
    let now = Instant::now();
    let mut receiver = established(now);
    feed(size, move |buffer| {
        while let Ok(Some(event)) = receiver.handle_input(now, buffer) {
            assert!(matches!(event, Event::Frame(_)), "not a message");
            black_box(&event);
        }
    })
}

/// The session of a PULL after its handshake with a PUSH.
fn established(now: Instant) -> Session {
    let session = |socket_type, side, octet| {
        let randomness = Randomness::generate(|octets| octets.fill(octet));
        Session::new(SessionConfig::new(socket_type, side), now, randomness)
    };
    let mut receiver = session(SocketType::Pull, Side::Listener, 1);
    let mut sender = session(SocketType::Push, Side::Connector, 2);
    let (mut to_receiver, mut to_sender) = (BytesMut::new(), BytesMut::new());
    loop {
        sender.poll_transmit(&mut to_receiver);
        receiver.poll_transmit(&mut to_sender);
        let one = receiver.handle_input(now, &mut to_receiver);
        let other = sender.handle_input(now, &mut to_sender);
        other.expect("the peers fit");
        if let Some(Event::Established) = one.expect("the peers fit") {
            return receiver;
        }
    }
}

/// From `send` to `recv`, with both sockets on one thread.
fn push_pull(endpoint: &'static str, size: usize) -> Box<dyn FnMut(u64)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (push, mut pull) = runtime.block_on(async {
        let (push, pull) = (PushSocket::new(), PullSocket::new());
        let endpoint = pull.bind(endpoint).await.expect("a free endpoint");
        push.connect(endpoint).await.expect("a listener");
        (push, pull)
    });
    let mut push = Some(push);
    let body = Bytes::from(vec![b'x'; size]);
    Box::new(move |messages| {
        let mut sender = push.take().expect("the socket was given back");
        let body = body.clone();
        push = Some(runtime.block_on(async {
            let sending = tokio::spawn(async move {
                for _ in 0..messages {
                    let sent = sender.send(outgoing(&body)).await;
                    sent.expect("an open socket");
                }
                sender
            });
            for _ in 0..messages {
                let message = pull.recv().await.expect("an open socket");
                black_box(&message);
            }
            sending.await.expect("no panic")
        }));
    })
}

/// A small body is copied into the value, a large one is shared.
fn outgoing(body: &Bytes) -> Message {
    if body.len() <= Part::INLINE_CAPACITY {
        Message::from(&body[..])
    } else {
        Message::from(body.clone())
    }
}
