//! Credit between a receiver and senders of every kind, whatever is on its way.

use std::collections::VecDeque;

use bytes::Bytes;
use proptest::prelude::*;

use super::{ClientSide, Progress, ReplyKind, SendCredit};

/// How a sender takes a grant. See `PROTOCOL.md`, "Credit".
#[derive(Clone, Copy, Debug)]
enum Sender {
    /// Adds it, as Python does.
    Additive(u32),
    /// Replaces what is left, as Node does.
    Absolute(u32),
    /// Adds it, up to the largest one: this implementation.
    Capped(SendCredit),
}

impl Sender {
    const KINDS: [fn() -> Self; 3] = [
        || Self::Additive(1),
        || Self::Absolute(1),
        || Self::Capped(SendCredit::new()),
    ];

    fn take(&mut self) -> Option<()> {
        match self {
            Self::Additive(left) | Self::Absolute(left) => {
                *left = left.checked_sub(1)?;
                Some(())
            }
            Self::Capped(credit) => credit.take(),
        }
    }

    fn grant(&mut self, granted: u32) {
        match self {
            Self::Additive(left) => *left += granted,
            Self::Absolute(left) => *left = granted,
            Self::Capped(credit) => credit.grant(granted.into()),
        }
    }
}

/// A stream: what its sender may send, what is on its way, and what its receiver thinks.
struct Stream {
    sender: Sender,
    client: ClientSide,
    to_client: VecDeque<usize>,
    to_sender: VecDeque<u32>,
    grants: usize,
    queued: usize,
    item_len: usize,
    room: usize,
    most: u32,
}

#[derive(Clone, Debug)]
enum Step {
    /// The application of the sender has so many items.
    Produce(u16),
    /// So many of them arrive.
    Arrive(u16),
    /// The application of the receiver takes so many, one at a time.
    Take(u16),
    /// So many grants arrive.
    Granted(u8),
    /// All that was produced arrives, is taken, and so on: nothing is slower than the producer.
    Flow(u16),
    /// Later items have another length.
    ItemLen(usize),
    /// There is more memory, or less.
    Room(usize),
    /// Other streams of the peer came or went.
    Most(u32),
}

impl Stream {
    fn new(sender: Sender, slots: u32) -> Self {
        Self {
            sender,
            client: ClientSide::new(slots, Bytes::new()),
            to_client: VecDeque::new(),
            to_sender: VecDeque::new(),
            grants: 0,
            queued: 0,
            item_len: 100,
            room: usize::MAX,
            most: u32::MAX,
        }
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Produce(items) => {
                for _ in 0..items {
                    self.send();
                }
            }
            Step::Arrive(items) => {
                for _ in 0..items {
                    self.arrive();
                }
            }
            Step::Take(items) => {
                for _ in 0..items {
                    self.consume();
                }
            }
            Step::Granted(grants) => {
                for _ in 0..grants {
                    self.hear();
                }
            }
            Step::Flow(items) => {
                for _ in 0..items {
                    self.send();
                    self.settle();
                }
            }
            Step::ItemLen(len) => self.item_len = len,
            Step::Room(room) => self.room = room,
            Step::Most(most) => self.most = most,
        }
    }

    fn send(&mut self) -> Option<()> {
        self.sender.take()?;
        self.to_client.push_back(self.item_len);
        Some(())
    }

    fn arrive(&mut self) -> Option<()> {
        let len = self.to_client.pop_front()?;
        let progress = self.client.recv_reply(ReplyKind::Stream, len);
        assert_eq!(
            progress,
            Progress::Open,
            "what is granted is never too much"
        );
        self.queued += 1;
        Some(())
    }

    fn consume(&mut self) -> Option<()> {
        self.queued = self.queued.checked_sub(1)?;
        self.client.release(1);
        if let Some(grant) = self.client.grant(1, self.room, self.most) {
            assert!(grant.count() > 0, "nothing is no grant");
            self.to_sender.push_back(grant.count());
            self.grants += 1;
        }
        Some(())
    }

    fn hear(&mut self) -> Option<()> {
        let granted = self.to_sender.pop_front()?;
        self.sender.grant(granted);
        Some(())
    }

    /// Lets everything arrive, and be taken.
    fn settle(&mut self) {
        while self.arrive().is_some() || self.consume().is_some() || self.hear().is_some() {}
    }

    /// Returns how many items pass before the stream is stuck, up to so many.
    fn pass(&mut self, items: usize) -> usize {
        let passes = |_: &usize| {
            let sent = self.send();
            self.settle();
            sent.is_some()
        };
        (0..items).take_while(passes).count()
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u16..400).prop_map(Step::Produce),
        4 => (1_u16..400).prop_map(Step::Arrive),
        4 => (1_u16..400).prop_map(Step::Take),
        4 => (1_u8..4).prop_map(Step::Granted),
        3 => (1_u16..800).prop_map(Step::Flow),
        2 => prop::sample::select(vec![1, 100, 6000, 20_000, 1 << 20]).prop_map(Step::ItemLen),
        1 => prop::sample::select(vec![0, 10_000, 1 << 20, usize::MAX]).prop_map(Step::Room),
        2 => prop::sample::select(vec![1, 4, 30, 100, u32::MAX]).prop_map(Step::Most),
    ]
}

#[test]
fn items_that_grow_after_the_window_did_do_not_stop_a_stream() {
    for sender in Sender::KINDS {
        let mut stream = Stream::new(sender(), 1024);
        assert_eq!(stream.pass(1000), 1000);
        stream.item_len = 6000;
        assert_eq!(stream.pass(5000), 5000, "{:?}", stream.sender);
    }
}

// Q5
#[test]
fn a_share_that_shrinks_does_not_stop_a_stream() {
    for sender in Sender::KINDS {
        let mut stream = Stream::new(sender(), 100);
        assert_eq!(stream.pass(60), 60);
        stream.most = 4;
        assert_eq!(stream.pass(500), 500, "{:?}", stream.sender);
    }
}

#[test]
fn a_share_that_grows_back_is_used() {
    for sender in Sender::KINDS {
        let mut stream = Stream::new(sender(), 100);
        assert_eq!(stream.pass(60), 60);
        stream.most = 4;
        assert_eq!(stream.pass(100), 100, "{:?}", stream.sender);
        (stream.most, stream.grants) = (80, 0);
        assert_eq!(stream.pass(1000), 1000, "{:?}", stream.sender);
        assert!(stream.grants <= 50, "{} {:?}", stream.grants, stream.sender);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_sender_is_stuck_or_sends_too_much(
        slots in prop::sample::select(vec![1_u32, 2, 10, 100, 1024, 5000]),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        for sender in Sender::KINDS {
            let mut stream = Stream::new(sender(), slots);
            for step in &steps {
                stream.apply(step);
            }
            stream.settle();
            let items = 2 * usize::try_from(slots).unwrap() + 200;
            prop_assert_eq!(stream.pass(items), items, "{:?} is stuck", stream.sender);
        }
    }
}
