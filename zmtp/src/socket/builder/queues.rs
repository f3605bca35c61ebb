//! What waits where, and what becomes of it when the socket closes.

use std::time::Duration;

use super::Builder;
use crate::driver::{Conflation, Queueing};
use crate::socket::{Conflating, Socket};

impl<S: Conflating> Builder<S> {
    /// Keeps the last message alone for each peer, and from each peer: a newer one takes the place of
    /// one that was not yet sent, or not yet received. High-water marks mean nothing then, sending
    /// never waits for room, and messages to be sent have one part. Default: all messages are kept.
    pub fn conflate(mut self) -> Self {
        self.options.conflation = Conflation::LastMessage;
        self
    }
}

impl<S: Socket> Builder<S> {
    /// How many messages wait for one peer before sending waits (PUB: before messages to it are
    /// dropped); 0 for no mark. Default: 1000.
    ///
    /// Where sending waits, a connection also queues no more than about 1 MiB.
    pub fn send_high_water_mark(mut self, messages: usize) -> Self {
        self.options.send_high_water_mark = messages;
        self
    }

    /// How many messages from one peer wait to be received before no more are read from it; 0 for
    /// no mark. Default: 1000.
    ///
    /// A connection also queues no more than about 1 MiB.
    pub fn receive_high_water_mark(mut self, messages: usize) -> Self {
        self.options.receive_high_water_mark = messages;
        self
    }

    /// How long a receiver that finds nothing keeps looking before it sleeps. Default: not at all.
    ///
    /// To be woken up takes some ten microseconds, which is most of a round trip between two
    /// programs of one machine or of a fast network. A receiver that keeps looking saves them, and
    /// uses a core up for as long, each time that it waits: a few times the usual round trip is a
    /// good choice, where there is a core for each program. Other tasks have their turns meanwhile.
    /// It helps where socket and receiver are on the same current-thread runtime. For the sockets of
    /// the module `blocking`, whose callers are on another thread, it costs as much and gains
    /// nothing. A receiver that has gone to sleep looks again when it was not asked for as long.
    pub fn busy_wait(mut self, patience: Duration) -> Self {
        self.options.busy_wait = patience;
        self
    }

    /// How long a closed or dropped socket still sends what is queued; zero drops it.
    /// Default: until all is sent.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.options.linger = Some(linger);
        self
    }

    /// Queues messages only for peers that are connected, and drops what is still queued for a peer
    /// when its connection ends. Default: messages for a peer that the socket connects to wait until
    /// it comes, or comes back.
    pub fn immediate(mut self) -> Self {
        self.options.queueing = Queueing::WhileConnected;
        self
    }
}
