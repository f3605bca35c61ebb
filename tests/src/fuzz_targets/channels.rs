//! Clients and a server that behave, on a network that does not.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use proto::{
    Body, ChannelEvent, ChannelId, ChannelOptions, Config, DecodeLimits, Event, Extra, IdSource,
    MessageId, RemoteError, Request, SendError, names,
};

type Multiplexer = proto::Multiplexer<usize>;
type Happening = ChannelEvent<usize>;

const CLIENTS: usize = 2;

/// What a client calls its only server.
const SERVER: usize = 0;

/// More payloads than this without an operation in between is multiplexers that talk for ever.
const MAX_PAYLOADS: usize = 10_000;

/// Clients and a server do what the input asks for, over a network that delays, blocks and fails:
/// no side sends without credit, nothing happens on a channel that has ended, items arrive in order
/// and all of them, and every call ends exactly once and leaves nothing behind.
pub fn channels(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let mut world = World::new();
    while !input.is_empty() {
        let Ok(operation) = input.arbitrary() else {
            return;
        };
        world.apply(operation);
        world.observe();
    }
    world.settle();
}

/// What happens. Each takes an octet for what it is, and one for whom.
enum Operation {
    Call { client: usize, slots: u32 },
    GiveUp { client: usize, choice: u8 },
    Serve { how: Serving, choice: u8 },
    Consume { client: usize, choice: u8 },
    Deliver { client: usize, count: u8 },
    DeliverAll,
    Advance(Duration),
    BlockClient { client: usize },
    BlockServer,
    Unblock,
    ServerLost { client: usize },
    ClientLost { client: usize },
}

/// What a handler does.
#[derive(Clone, Copy)]
enum Serving {
    Item,
    Reply,
    Done,
    Fail,
    Abandon,
}

impl<'a> Arbitrary<'a> for Operation {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (choice, how) = input.arbitrary::<(u8, u8)>()?;
        let client = usize::from(how) % CLIENTS;
        let (count, choice_of) = (how >> 1, how >> 1);
        let serve = |how, choice| Self::Serve { how, choice };
        Ok(match choice % 32 {
            0..=4 => Self::Call {
                client,
                slots: u32::from(how >> 1) % 5 + 1,
            },
            5 => Self::GiveUp {
                client,
                choice: choice_of,
            },
            6..=12 => serve(Serving::Item, how),
            13 | 14 => serve(Serving::Reply, how),
            15 => serve(Serving::Done, how),
            16 => serve(Serving::Fail, how),
            17 => serve(Serving::Abandon, how),
            18..=21 => Self::Consume {
                client,
                choice: choice_of,
            },
            22 | 23 => Self::Deliver { client, count },
            24 | 25 => Self::DeliverAll,
            26 => Self::Advance(Duration::from_millis(100) * u32::from(how)),
            27 => Self::BlockClient { client },
            28 => Self::BlockServer,
            29 => Self::Unblock,
            30 => Self::ServerLost { client },
            _ => Self::ClientLost { client },
        })
    }
}

/// A client, its calls, and what is on its way to it and from it.
struct Client {
    multiplexer: Multiplexer,
    calls: BTreeMap<ChannelId, Call>,
    to_server: VecDeque<Bytes>,
    to_client: VecDeque<Bytes>,
}

/// What a call has told its caller.
#[derive(Debug)]
struct Call {
    number: u32,
    slots: u32,
    unconsumed: u32,
    items: u32,
    state: State,
}

/// A request, and what its handler has sent.
struct Handling {
    number: u32,
    items: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
}

struct World {
    clients: [Client; CLIENTS],
    server: Multiplexer,
    now: Instant,
    handlings: BTreeMap<ChannelId, Handling>,
    /// The client of each call, by its number.
    callers: HashMap<u32, usize>,
    /// How many items and whether a result were sent for each call.
    sent: HashMap<u32, (u32, bool)>,
    /// What the server may still send on each channel, by client and id.
    credit: HashMap<(usize, MessageId), u64>,
}

impl World {
    fn new() -> Self {
        // A few replies that are not read hold further requests back.
        let mut limits = proto::Limits::default();
        limits.channels_per_peer = 8;
        limits.queued_bytes_per_peer = 256;
        let server = Config::server().with_limits(limits);
        let client = |seed| Client {
            multiplexer: Multiplexer::new(Config::client(), IdSource::new([seed; 12])),
            calls: BTreeMap::new(),
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
        };
        Self {
            clients: [client(1), client(2)],
            server: Multiplexer::new(server, IdSource::new([9; 12])),
            // Any fixed point will do: multiplexers see differences only.
            now: Instant::now(),
            handlings: BTreeMap::new(),
            callers: HashMap::new(),
            sent: HashMap::new(),
            credit: HashMap::new(),
        }
    }

    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Call { client, slots } => self.call(client, slots),
            Operation::GiveUp { client, choice } => {
                let client = &mut self.clients[client];
                if let Some((id, call)) = choose(&mut client.calls, choice, |call| call.state) {
                    assert_eq!(client.multiplexer.close(id), Ok(()));
                    call.state = State::Ended;
                }
            }
            Operation::Serve { how, choice } => self.serve(how, choice),
            Operation::Consume { client, choice } => self.clients[client].consume(choice),
            Operation::Deliver { client, count } => {
                self.transmit();
                for _ in 0..=count {
                    self.deliver_one(client);
                }
            }
            Operation::DeliverAll => self.deliver_all(),
            Operation::Advance(duration) => self.advance(duration),
            Operation::BlockClient { client } => {
                let client = &mut self.clients[client].multiplexer;
                if let Some(transmit) = client.poll_transmit(self.now) {
                    client.handle_blocked(transmit);
                }
            }
            Operation::BlockServer => {
                if let Some(transmit) = self.server.poll_transmit(self.now) {
                    self.server.handle_blocked(transmit);
                }
            }
            Operation::Unblock => self.unblock(),
            Operation::ServerLost { client } => {
                let client = &mut self.clients[client];
                client.to_client.clear();
                client.multiplexer.handle_peer_lost(&SERVER);
            }
            Operation::ClientLost { client } => {
                self.clients[client].to_server.clear();
                self.server.handle_peer_lost(&client);
            }
        }
    }

    fn call(&mut self, client: usize, slots: u32) {
        let number = u32::try_from(self.callers.len()).unwrap_or(u32::MAX);
        let Ok(args) = Body::args(&(number,)) else {
            panic!("a number is encoded");
        };
        let caller = &mut self.clients[client];
        let options = ChannelOptions::default().with_slots(slots);
        let request = Request::new("method", args);
        let opened = caller
            .multiplexer
            .open(self.now, &SERVER, request, &options);
        let Ok(id) = opened else {
            panic!("{opened:?}");
        };
        let call = Call {
            number,
            slots,
            unconsumed: 0,
            items: 0,
            state: State::Open,
        };
        assert!(caller.calls.insert(id, call).is_none(), "an id is new");
        self.callers.insert(number, client);
    }

    fn serve(&mut self, how: Serving, choice: u8) {
        let handlings = &mut self.handlings;
        let Some((id, handling)) = choose(handlings, choice, |handling| handling.state) else {
            return;
        };
        let Ok(value) = Body::value(&(handling.number, handling.items)) else {
            panic!("two numbers are encoded");
        };
        let server = &mut self.server;
        let (items, has_result) = self.sent.entry(handling.number).or_default();
        let result = match how {
            Serving::Item => {
                let is_writable = server.is_writable(id);
                match server.stream_item(id, value) {
                    Ok(()) => {
                        assert!(is_writable, "an item without credit");
                        handling.items += 1;
                        *items += 1;
                    }
                    Err(SendError::NoCredit(_) | SendError::Full(_)) => {
                        assert!(!is_writable, "what is writable takes an item");
                    }
                    Err(error) => panic!("{error}"),
                }
                return;
            }
            Serving::Reply => server.reply(id, value),
            Serving::Done => server.stream_done(id, Extra::new()),
            Serving::Fail => server.fail(id, &RemoteError::new("Error", "it"), Extra::new()),
            Serving::Abandon => server.close(id),
        };
        assert_eq!(result, Ok(()), "the handler was not told of an end");
        *has_result |= !matches!(how, Serving::Abandon);
        handling.state = State::Ended;
    }

    /// Hands everything that waits to the network, which checks the credit of the server.
    fn transmit(&mut self) {
        for client in &mut self.clients {
            let mut count = 0;
            while let Some(transmit) = client.multiplexer.poll_transmit(self.now) {
                client.to_server.push_back(transmit.payload);
                count += 1;
                assert!(count < MAX_PAYLOADS, "a multiplexer talks for ever");
            }
        }
        let mut count = 0;
        while let Some(transmit) = self.server.poll_transmit(self.now) {
            self.spend(transmit.peer, &transmit.payload);
            let client = &mut self.clients[transmit.peer];
            client.to_client.push_back(transmit.payload);
            count += 1;
            assert!(count < MAX_PAYLOADS, "a multiplexer talks for ever");
        }
    }

    fn spend(&mut self, client: usize, payload: &Bytes) {
        let event = decode(payload);
        let name = event.name.as_bytes();
        let replies = [names::OK, names::ERR, names::STREAM, names::STREAM_DONE];
        if replies.iter().any(|reply| reply.as_bytes() == name) {
            let Some(id) = event.header.response_to else {
                panic!("a reply to nothing");
            };
            let credit = self.credit.entry((client, id)).or_insert(1);
            let left = credit.checked_sub(1);
            assert!(left.is_some(), "a reply without credit");
            *credit = left.unwrap_or_default();
        }
    }

    fn earn(&mut self, client: usize, payload: &Bytes) {
        let event = decode(payload);
        if event.name.as_bytes() == names::MORE.as_bytes() {
            let granted = proto::decode::<(u64,)>(&event.args);
            let (Some(id), Ok((granted,))) = (event.header.response_to, granted) else {
                panic!("a grant without a channel or a number");
            };
            assert!(granted > 0, "a grant of nothing");
            *self.credit.entry((client, id)).or_insert(1) += granted;
        }
    }

    /// Brings one payload to the server and one to the client.
    fn deliver_one(&mut self, client: usize) {
        if let Some(payload) = self.clients[client].to_server.pop_front() {
            self.earn(client, &payload);
            let handled = self.server.handle_event(self.now, &client, payload);
            assert!(handled.is_ok(), "our own event is refused: {handled:?}");
        }
        let client = &mut self.clients[client];
        if let Some(payload) = client.to_client.pop_front() {
            let handled = client.multiplexer.handle_event(self.now, &SERVER, payload);
            assert!(handled.is_ok(), "our own event is refused: {handled:?}");
        }
    }

    fn deliver_all(&mut self) {
        for _ in 0..MAX_PAYLOADS {
            self.transmit();
            let waits = |client: &Client| client.to_server.len() + client.to_client.len() > 0;
            if !self.clients.iter().any(waits) {
                return;
            }
            for client in 0..CLIENTS {
                self.deliver_one(client);
            }
            self.observe();
        }
        panic!("multiplexers talk for ever");
    }

    /// Lets time pass, with a stop at every deadline. The network stands still.
    fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let clients = self.clients.iter().map(|client| &client.multiplexer);
            let all = clients.chain([&self.server]);
            let next = all.filter_map(Multiplexer::poll_timeout).min();
            self.now = next.unwrap_or(end).clamp(self.now, end);
            for client in &mut self.clients {
                expire(&mut client.multiplexer, self.now);
            }
            expire(&mut self.server, self.now);
            if next.is_none_or(|next| next > end) {
                return;
            }
        }
    }

    fn unblock(&mut self) {
        for (at, client) in self.clients.iter_mut().enumerate() {
            client.multiplexer.handle_unblocked(&SERVER);
            self.server.handle_unblocked(&at);
        }
    }

    fn observe(&mut self) {
        for client in &mut self.clients {
            while let Some(event) = client.multiplexer.poll_event() {
                client.note(&event, &self.sent);
            }
        }
        while let Some(event) = self.server.poll_event() {
            self.note(event);
        }
    }

    /// What the server tells its handlers.
    fn note(&mut self, event: Happening) {
        let id = event.channel();
        if let ChannelEvent::Request { peer, args, .. } = event {
            let Ok((number,)) = args.decode::<(u32,)>() else {
                panic!("other arguments");
            };
            assert_eq!(self.callers.get(&number), Some(&peer), "another's call");
            let handling = Handling {
                number,
                items: 0,
                state: State::Open,
            };
            let before = self.handlings.insert(id, handling);
            assert!(before.is_none(), "a channel is announced once");
            return;
        }
        let Some(handling) = self.handlings.get_mut(&id) else {
            panic!("{event:?} without a request");
        };
        assert_eq!(handling.state, State::Open, "{event:?} after the end");
        if event.is_final() {
            handling.state = State::Ended;
        }
    }

    /// Lets everything come to an end, and looks at what is left.
    fn settle(mut self) {
        self.unblock();
        self.deliver_all();
        self.observe();
        // Requests may still come in while others are done with.
        while self.handlings.values().any(|one| one.state == State::Open) {
            self.serve(Serving::Done, 0);
            self.deliver_all();
            self.observe();
        }
        for client in &mut self.clients {
            client.consume_all();
        }
        self.deliver_all();
        for _ in 0..120 {
            self.advance(Duration::from_secs(1));
            self.deliver_all();
            self.observe();
        }
        for client in &self.clients {
            let open = client.calls.values().find(|call| call.state == State::Open);
            assert!(open.is_none(), "a call without an end: {open:?}");
            assert_eq!(client.multiplexer.channel_count(), 0);
            assert_eq!(client.multiplexer.queued_count(), 0);
        }
        assert_eq!(self.server.channel_count(), 0);
        assert_eq!(self.server.queued_count(), 0);
    }
}

impl Client {
    fn consume(&mut self, choice: u8) {
        let calls = &mut self.calls;
        if let Some((id, call)) = choose(calls, choice, |call| call.state)
            && call.unconsumed > 0
        {
            call.unconsumed -= 1;
            assert_eq!(self.multiplexer.consume(id, 1), Ok(()));
        }
    }

    fn consume_all(&mut self) {
        for (id, call) in &mut self.calls {
            let count = usize::try_from(std::mem::take(&mut call.unconsumed)).unwrap_or_default();
            if count > 0 && call.state == State::Open {
                assert_eq!(self.multiplexer.consume(*id, count), Ok(()));
            }
        }
    }

    /// What the multiplexer tells the caller.
    fn note(&mut self, event: &Happening, sent: &HashMap<u32, (u32, bool)>) {
        let Some(call) = self.calls.get_mut(&event.channel()) else {
            panic!("{event:?} without a call");
        };
        assert_eq!(call.state, State::Open, "{event:?} after the end");
        let (items, has_result) = sent.get(&call.number).copied().unwrap_or_default();
        let expected = (call.number, call.items);
        match event {
            ChannelEvent::StreamItem { item, .. } => {
                assert_eq!(proto::decode(item), Ok(expected), "another item");
                call.items += 1;
                call.unconsumed += 1;
                assert!(call.unconsumed <= call.slots, "more than there is room for");
            }
            ChannelEvent::Reply { value, .. } => {
                assert_eq!(proto::decode(value), Ok(expected), "another result");
            }
            _ => assert!(event.is_final(), "{event:?} at a client"),
        }
        if let ChannelEvent::StreamDone { .. } = event {
            assert!(has_result, "an end that nobody sent");
            assert_eq!(call.items, items, "an item is missing");
        }
        if event.is_final() {
            call.state = State::Ended;
        }
    }
}

/// One of what is open.
fn choose<T>(
    all: &mut BTreeMap<ChannelId, T>,
    choice: u8,
    state: impl Fn(&T) -> State,
) -> Option<(ChannelId, &mut T)> {
    let open = || all.values().filter(|one| state(one) == State::Open);
    let count = open().count().max(1);
    let mut open = all
        .iter_mut()
        .filter(|(_, one)| state(one) == State::Open)
        .skip(usize::from(choice) % count);
    open.next().map(|(id, one)| (*id, one))
}

fn expire(multiplexer: &mut Multiplexer, now: Instant) {
    multiplexer.handle_timeout(now);
    let next = multiplexer.poll_timeout();
    assert!(next.is_none_or(|next| next > now), "a timer that spins");
}

/// What one of ours has sent.
fn decode(payload: &Bytes) -> Event {
    match Event::decode(payload, &DecodeLimits::default()) {
        Ok(event) => event,
        Err(error) => panic!("our own event is refused: {error}"),
    }
}
