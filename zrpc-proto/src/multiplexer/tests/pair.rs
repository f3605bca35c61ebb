//! Two multiplexers, or one and a scripted peer, on a clock that only the test moves.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rmpv::Value;

use crate::event::{Extra, IdSource, names};
use crate::multiplexer::{ChannelEvent, ChannelId, Config, Multiplexer, Request, Transmit};
use crate::{Body, ChannelOptions, DecodeLimits, Event};

pub(super) type Mux = Multiplexer<&'static str>;
pub(super) type Happening = ChannelEvent<&'static str>;

pub(super) const CLIENT: &str = "client";
pub(super) const SERVER: &str = "server";

pub(super) const SECOND: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "the origin of virtual time")]
pub(super) fn origin() -> Instant {
    Instant::now()
}

/// A client and a server with a wire between them.
pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) client: Mux,
    pub(super) server: Mux,
    pub(super) to_client: VecDeque<Bytes>,
    pub(super) to_server: VecDeque<Bytes>,
}

impl Pair {
    pub(super) fn new(client: Config, server: Config) -> Self {
        Self {
            now: origin(),
            client: Mux::new(client, IdSource::new([0xc1; 12])),
            server: Mux::new(server, IdSource::new([0x5e; 12])),
            to_client: VecDeque::new(),
            to_server: VecDeque::new(),
        }
    }

    pub(super) fn call(&mut self, options: &ChannelOptions) -> ChannelId {
        let request = Request::new("method", Body::args(&(1, "two")).unwrap());
        self.client
            .open(self.now, &SERVER, request, options)
            .unwrap()
    }

    /// Carries everything that is to be sent, until nothing is.
    pub(super) fn drive(&mut self) {
        loop {
            self.to_server
                .extend(transmitted(&mut self.client, self.now));
            self.to_client
                .extend(transmitted(&mut self.server, self.now));
            if self.to_server.is_empty() && self.to_client.is_empty() {
                return;
            }
            while let Some(payload) = self.to_server.pop_front() {
                self.server
                    .handle_event(self.now, &CLIENT, payload)
                    .unwrap();
            }
            while let Some(payload) = self.to_client.pop_front() {
                self.client
                    .handle_event(self.now, &SERVER, payload)
                    .unwrap();
            }
        }
    }

    /// Lets time pass, stopping at every deadline.
    pub(super) fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = earliest(&self.client, &self.server).filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
            let next = earliest(&self.client, &self.server);
            assert!(
                next.is_none_or(|next| next > self.now),
                "what was due is done"
            );
            self.drive();
        }
        self.now = end;
    }

    /// Opens a call and returns it as both sides know it.
    pub(super) fn accepted(&mut self, options: &ChannelOptions) -> (ChannelId, ChannelId) {
        let call = self.call(options);
        self.drive();
        match self.server.poll_event() {
            Some(ChannelEvent::Request { channel, .. }) => (call, channel),
            other => panic!("no request but {other:?}"),
        }
    }
}

fn earliest(client: &Mux, server: &Mux) -> Option<Instant> {
    client
        .poll_timeout()
        .into_iter()
        .chain(server.poll_timeout())
        .min()
}

pub(super) fn transmitted(mux: &mut Mux, now: Instant) -> Vec<Bytes> {
    std::iter::from_fn(|| mux.poll_transmit(now))
        .map(|transmit| transmit.payload)
        .collect()
}

pub(super) fn happenings(mux: &mut Mux) -> Vec<Happening> {
    std::iter::from_fn(|| mux.poll_event()).collect()
}

/// One multiplexer, and a peer that the test plays.
pub(super) struct Scripted {
    pub(super) now: Instant,
    pub(super) mux: Mux,
}

pub(super) const PEER: &str = "peer";

impl Scripted {
    pub(super) fn server(config: Config) -> Self {
        Self {
            now: origin(),
            mux: Mux::new(config, IdSource::new([0x5e; 12])),
        }
    }

    pub(super) fn client() -> Self {
        Self::server(Config::client())
    }

    pub(super) fn open(&mut self, options: &ChannelOptions) -> (ChannelId, Value) {
        let request = Request::new("method", Body::args(&()).unwrap());
        let channel = self.mux.open(self.now, &PEER, request, options).unwrap();
        let sent = self.sent();
        assert_eq!(sent.len(), 1);
        (channel, header(&sent[0].0, names::MESSAGE_ID).unwrap())
    }

    pub(super) fn recv_from(
        &mut self,
        peer: &'static str,
        header: Value,
        name: &str,
        args: &Value,
    ) {
        let event = Value::Array(vec![header, Value::from(name), args.clone()]);
        let payload = Body::value(&event).unwrap().into_encoded();
        self.mux.handle_event(self.now, &peer, payload).unwrap();
    }

    pub(super) fn recv(&mut self, header: Value, name: &str, args: &Value) {
        self.recv_from(PEER, header, name, args);
    }

    /// Receives a version 3 event on the channel `id`.
    pub(super) fn recv_on(&mut self, id: &Value, name: &str, args: &Value) {
        self.recv(reply_header(id), name, args);
    }

    /// Receives a version 3 request and returns its channel.
    pub(super) fn accept(&mut self, id: &Value) -> ChannelId {
        self.recv(request_header(id), "method", &Value::Array(vec![]));
        self.accepted()
    }

    pub(super) fn accepted(&mut self) -> ChannelId {
        match self.mux.poll_event() {
            Some(ChannelEvent::Request { channel, .. }) => channel,
            other => panic!("no request but {other:?}"),
        }
    }

    /// Returns what was sent: headers, names, arguments.
    pub(super) fn sent(&mut self) -> Vec<(Value, String, Value)> {
        transmitted(&mut self.mux, self.now)
            .iter()
            .map(parse)
            .collect()
    }

    pub(super) fn sent_names(&mut self) -> Vec<String> {
        self.sent().into_iter().map(|(_, name, _)| name).collect()
    }

    /// Lets time pass, stopping at every deadline; returns the names of what is sent meanwhile.
    pub(super) fn advance(&mut self, duration: Duration) -> Vec<String> {
        let end = self.now + duration;
        let mut names = Vec::new();
        while let Some(next) = self.mux.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.mux.handle_timeout(self.now);
            let next = self.mux.poll_timeout();
            assert!(
                next.is_none_or(|next| next > self.now),
                "what was due is done"
            );
            names.extend(self.sent_names());
        }
        self.now = end;
        names
    }

    pub(super) fn events(&mut self) -> Vec<Happening> {
        happenings(&mut self.mux)
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit<&'static str>> {
        self.mux.poll_transmit(self.now)
    }
}

pub(super) fn parse(payload: &Bytes) -> (Value, String, Value) {
    Event::decode(payload, &DecodeLimits::default()).unwrap();
    match crate::decode::<Value>(payload).unwrap() {
        Value::Array(mut parts) if parts.len() == 3 => {
            let args = parts.pop().unwrap();
            let name = parts.pop().unwrap().as_str().unwrap().to_owned();
            (parts.pop().unwrap(), name, args)
        }
        other => panic!("no event but {other}"),
    }
}

pub(super) fn header(header: &Value, key: &str) -> Option<Value> {
    let entries = header.as_map().unwrap();
    entries
        .iter()
        .find(|(name, _)| name.as_str() == Some(key))
        .map(|(_, value)| value.clone())
}

pub(super) fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(
        entries
            .iter()
            .map(|(key, value)| (Value::from(*key), value.clone()))
            .collect(),
    )
}

pub(super) fn request_header(id: &Value) -> Value {
    map(&[("message_id", id.clone()), ("v", Value::from(3))])
}

pub(super) fn reply_header(id: &Value) -> Value {
    let own = Value::Binary(b"of the peer".to_vec());
    map(&[
        ("message_id", own),
        ("v", Value::from(3)),
        ("response_to", id.clone()),
    ])
}

pub(super) fn array(values: &[Value]) -> Value {
    Value::Array(values.to_vec())
}

pub(super) fn item(number: usize) -> Body {
    Body::value(&number).unwrap()
}

pub(super) fn no_extra() -> Extra {
    Extra::new()
}
