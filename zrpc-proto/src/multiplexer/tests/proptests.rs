//! Sequences of operations, and what holds whatever their order.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::pair::{CLIENT, Happening, Pair, SERVER, happenings, item, no_extra};
use crate::multiplexer::peers::Totals;
use crate::multiplexer::{ChannelEvent, ChannelId, Config, Limits, SendError};
use crate::{Body, ChannelOptions, RemoteError};

#[derive(Clone, Debug)]
enum Op {
    Call { slots: u32 },
    Close(usize),
    Reply(usize),
    Item(usize),
    Done(usize),
    Fail(usize),
    Abandon(usize),
    Consume(usize),
    Drive,
    ClientLost,
    Garbage(Vec<u8>),
    Advance(u64),
    BlockClient,
    UnblockClient,
    BlockServer,
    UnblockServer,
    PeerLost,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (1_u32..5).prop_map(|slots| Op::Call { slots }),
        1 => any::<usize>().prop_map(Op::Close),
        2 => any::<usize>().prop_map(Op::Reply),
        8 => any::<usize>().prop_map(Op::Item),
        2 => any::<usize>().prop_map(Op::Done),
        1 => any::<usize>().prop_map(Op::Fail),
        1 => any::<usize>().prop_map(Op::Abandon),
        8 => any::<usize>().prop_map(Op::Consume),
        8 => Just(Op::Drive),
        1 => (0..20).prop_map(|_| Op::ClientLost),
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(Op::Garbage),
        2 => (0_u64..9000).prop_map(Op::Advance),
        1 => Just(Op::BlockClient),
        2 => Just(Op::UnblockClient),
        1 => Just(Op::BlockServer),
        2 => Just(Op::UnblockServer),
        1 => (0..20).prop_map(|_| Op::PeerLost),
    ]
}

/// What a channel has told its application.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Open { unconsumed: usize, slots: usize },
    Ended,
}

/// Both applications, and what they may rely on.
struct Model {
    pair: Pair,
    calls: HashMap<ChannelId, Told>,
    serving: Vec<ChannelId>,
    served: HashMap<ChannelId, Told>,
}

impl Model {
    fn new() -> Self {
        // Two or three replies that are not read hold further requests back.
        let limits = Limits {
            queued_bytes_per_peer: 256,
            ..Limits::default()
        };
        Self {
            pair: Pair::new(Config::client(), Config::server().with_limits(limits)),
            calls: HashMap::new(),
            serving: Vec::new(),
            served: HashMap::new(),
        }
    }

    fn apply(&mut self, op: Op) {
        let now = self.pair.now;
        match op {
            Op::Call { slots } => {
                let options = ChannelOptions::default().with_slots(slots);
                let call = self.pair.call(&options);
                let slots = usize::try_from(slots).unwrap();
                assert_eq!(
                    self.calls.insert(
                        call,
                        Told::Open {
                            unconsumed: 0,
                            slots
                        }
                    ),
                    None
                );
            }
            Op::Close(choice) => {
                if let Some(call) = self.choose_call(choice) {
                    self.pair.client.close(call).unwrap();
                    self.calls.insert(call, Told::Ended);
                }
            }
            Op::Consume(choice) => {
                if let Some(call) = self.choose_call(choice)
                    && let Some(Told::Open { unconsumed, .. }) = self.calls.get_mut(&call)
                    && *unconsumed > 0
                {
                    *unconsumed -= 1;
                    self.pair.client.consume(call, 1).unwrap();
                }
            }
            Op::Item(_) | Op::Reply(_) | Op::Done(_) | Op::Fail(_) | Op::Abandon(_) => {
                self.serve(op);
            }
            Op::Drive => self.pair.drive(),
            Op::ClientLost => self.pair.server.handle_peer_lost(&CLIENT),
            Op::Garbage(bytes) => {
                let payload = Bytes::from(bytes);
                drop(self.pair.server.handle_event(now, &CLIENT, payload.clone()));
                drop(self.pair.client.handle_event(now, &SERVER, payload));
            }
            Op::Advance(millis) => self.pair.advance(Duration::from_millis(millis)),
            Op::BlockClient => {
                if let Some(transmit) = self.pair.client.poll_transmit(now) {
                    self.pair.client.handle_blocked(transmit);
                }
            }
            Op::UnblockClient => self.pair.client.handle_unblocked(&SERVER),
            Op::BlockServer => {
                if let Some(transmit) = self.pair.server.poll_transmit(now) {
                    self.pair.server.handle_blocked(transmit);
                }
            }
            Op::UnblockServer => self.pair.server.handle_unblocked(&CLIENT),
            Op::PeerLost => self.pair.client.handle_peer_lost(&SERVER),
        }
        self.observe();
    }

    /// Applies what a server's application does.
    fn serve(&mut self, op: Op) {
        match op {
            Op::Item(choice) => self.with_serving(choice, |server, channel| {
                let writable = server.is_writable(channel);
                match server.stream_item(channel, item(1)) {
                    Ok(()) => assert!(writable),
                    Err(SendError::NoCredit(_) | SendError::Full(_)) => assert!(!writable),
                    Err(error) => panic!("{error}"),
                }
                true
            }),
            Op::Reply(choice) => self.with_serving(choice, |server, channel| {
                server.reply(channel, Body::nil()).unwrap();
                false
            }),
            Op::Done(choice) => self.with_serving(choice, |server, channel| {
                server.stream_done(channel, no_extra()).unwrap();
                false
            }),
            Op::Fail(choice) => self.with_serving(choice, |server, channel| {
                server
                    .fail(channel, &RemoteError::new("E", "m"), no_extra())
                    .unwrap();
                false
            }),
            Op::Abandon(choice) => self.with_serving(choice, |server, channel| {
                server.close(channel).unwrap();
                false
            }),
            op => panic!("{op:?} at a server"),
        }
    }

    fn choose_call(&self, choice: usize) -> Option<ChannelId> {
        let open = self.calls.iter().filter(|(_, told)| **told != Told::Ended);
        let mut open: Vec<_> = open.map(|(call, _)| *call).collect();
        open.sort_unstable();
        (!open.is_empty()).then(|| open[choice % open.len()])
    }

    fn with_serving(
        &mut self,
        choice: usize,
        act: impl FnOnce(&mut super::pair::Mux, ChannelId) -> bool,
    ) {
        if self.serving.is_empty() {
            return;
        }
        let choice = choice % self.serving.len();
        let channel = self.serving[choice];
        if !act(&mut self.pair.server, channel) {
            self.serving.swap_remove(choice);
            self.served.insert(channel, Told::Ended);
        }
    }

    fn observe(&mut self) {
        for event in happenings(&mut self.pair.client) {
            self.observe_client(&event);
        }
        for event in happenings(&mut self.pair.server) {
            let channel = event.channel();
            if let ChannelEvent::Request { .. } = event {
                let told = self.served.insert(
                    channel,
                    Told::Open {
                        unconsumed: 0,
                        slots: 0,
                    },
                );
                assert_eq!(told, None, "a channel is announced once");
                self.serving.push(channel);
                continue;
            }
            assert!(
                matches!(self.served.get(&channel), Some(Told::Open { .. })),
                "no event after the end: {event:?}"
            );
            if event.is_final() {
                self.served.insert(channel, Told::Ended);
                self.serving.retain(|serving| *serving != channel);
            }
        }
    }

    fn observe_client(&mut self, event: &Happening) {
        let told = self
            .calls
            .get_mut(&event.channel())
            .expect("events are about calls");
        let Told::Open { unconsumed, slots } = told else {
            panic!("no event after the end: {event:?}")
        };
        match event {
            ChannelEvent::StreamItem { .. } => {
                *unconsumed += 1;
                assert!(unconsumed <= slots, "credit is never exceeded");
            }
            event if event.is_final() => *told = Told::Ended,
            event => panic!("{event:?} at a client"),
        }
    }

    /// Lets everything come to an end, and checks that it does.
    fn settle(mut self) {
        self.pair.client.handle_unblocked(&SERVER);
        self.pair.server.handle_unblocked(&CLIENT);
        self.pair.drive();
        self.observe();
        // Requests may still come in while others are done with.
        while !self.serving.is_empty() {
            self.apply(Op::Done(0));
            self.pair.drive();
            self.observe();
        }
        for call in self.calls.keys().copied().collect::<Vec<_>>() {
            while let Some(Told::Open {
                unconsumed: 1.., ..
            }) = self.calls.get(&call)
            {
                self.apply_consume(call);
            }
        }
        self.pair.drive();
        self.pair.advance(Duration::from_secs(120));
        self.pair.drive();
        self.observe();
        assert!(
            self.calls.values().all(|told| *told == Told::Ended),
            "every call ends: {:?}",
            self.calls
        );
        assert_eq!(
            (
                self.pair.client.channel_count(),
                self.pair.server.channel_count()
            ),
            (0, 0)
        );
        assert_eq!(
            (
                self.pair.client.queued_count(),
                self.pair.server.queued_count()
            ),
            (0, 0)
        );
        for mux in [&self.pair.client, &self.pair.server] {
            assert_eq!(mux.peers.totals(), Totals::default());
            let accounts = mux.peers.iter().map(|peer| {
                (
                    peer.received_bytes(),
                    peer.queued_bytes(),
                    peer.reserved_bytes,
                    peer.stale(),
                )
            });
            assert!(
                accounts.into_iter().all(|account| account == (0, 0, 0, 0)),
                "every byte is given back"
            );
        }
    }

    fn apply_consume(&mut self, call: ChannelId) {
        if let Some(Told::Open { unconsumed, .. }) = self.calls.get_mut(&call) {
            *unconsumed -= 1;
            self.pair.client.consume(call, 1).unwrap();
        }
        self.pair.drive();
        self.observe();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn every_call_ends_exactly_once_and_leaves_nothing(ops in prop::collection::vec(op(), 0..120)) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
        }
        model.settle();
    }

    #[test]
    fn no_payload_harms_a_server(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..20)) {
        let mut model = Model::new();
        for payload in payloads {
            let event = [b"\x93\x81\xaamessage_id\x01", &payload[..]].concat();
            model.apply(Op::Garbage(event));
        }
        model.settle();
    }
}
