//! Which peer of a ROUTER has which routing id.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::driver::{DisconnectReason, Notice, Pattern, Peer, PeerId, TakenRoutingId, lock};
use crate::message::Part;
use crate::pattern::RoutingId;
use crate::session::PeerInfo;

/// The peers of a ROUTER by routing id.
#[derive(Debug)]
pub(crate) struct RoutingTable {
    state: Mutex<State>,
    if_taken: TakenRoutingId,
    /// Whether a queue has filled up since the connections had their turn.
    turn_is_over: AtomicBool,
}

#[derive(Debug)]
struct State {
    peers: HashMap<Part, Arc<Peer>>,
    routing_ids: HashMap<PeerId, Named>,
    next_generated: u32,
}

/// The routing id of a peer and who chose it.
#[derive(Debug)]
enum Named {
    /// The peer, or this table: the name goes with the connection.
    ByPeer(Part),
    /// The application, when it connected: the name stays.
    ByApplication,
}

/// Another peer has the routing id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoutingIdTaken;

impl RoutingTable {
    /// The ids given to peers without one count up from `first_generated`; at random, so that a
    /// message to a peer of a restarted ROUTER does not reach another.
    pub(crate) fn new(first_generated: u32, if_taken: TakenRoutingId) -> Self {
        Self {
            state: Mutex::new(State {
                peers: HashMap::new(),
                routing_ids: HashMap::new(),
                next_generated: first_generated,
            }),
            if_taken,
            turn_is_over: AtomicBool::new(false),
        }
    }

    /// Gives the connections their turn before the next message.
    pub(crate) fn end_turn(&self) {
        self.turn_is_over.store(true, Ordering::Relaxed);
    }

    /// Whether the connections should have a turn before the next message, so that what is sent in
    /// one go is not dropped for want of one.
    #[inline]
    pub(crate) fn take_turn(&self) -> bool {
        self.turn_is_over.load(Ordering::Relaxed)
            && self.turn_is_over.swap(false, Ordering::Relaxed)
    }

    /// The peer with `routing_id`.
    pub(crate) fn peer(&self, routing_id: &Part) -> Option<Arc<Peer>> {
        lock(&self.state).peers.get(routing_id).cloned()
    }

    /// Names a peer before there is a connection to it, whatever it will say of itself.
    pub(crate) fn name(
        &self,
        peer: &Arc<Peer>,
        routing_id: &RoutingId,
    ) -> Result<(), RoutingIdTaken> {
        let mut state = lock(&self.state);
        let routing_id = routing_id.as_part();
        if state.owner(routing_id).is_some() {
            return Err(RoutingIdTaken);
        }
        state.assign(peer, routing_id.clone(), Named::ByApplication);
        Ok(())
    }
}

impl Pattern for RoutingTable {
    fn attach(&self, peer: &Arc<Peer>, info: &PeerInfo) -> Result<Vec<Part>, DisconnectReason> {
        let mut state = lock(&self.state);
        if state.routing_ids.contains_key(&peer.id) {
            return Ok(Vec::new());
        }
        let routing_id = match &info.routing_id {
            Some(id) => id.as_part().clone(),
            None => state.generate(),
        };
        if let Some(owner) = state.owner(&routing_id) {
            match self.if_taken {
                // The newcomer goes, so that it cannot take over another's conversation; libzmq
                // leaves it connected to nothing.
                TakenRoutingId::Refuse => return Err(DisconnectReason::DuplicateRoutingId),
                TakenRoutingId::HandOver => {
                    owner.dismiss(DisconnectReason::RoutingIdHandedOver);
                }
            }
        }
        let named = Named::ByPeer(routing_id.clone());
        state.assign(peer, routing_id, named);
        Ok(Vec::new())
    }

    fn detach(&self, peer: &Arc<Peer>) -> Notice {
        let mut state = lock(&self.state);
        if let Some(Named::ByPeer(routing_id)) = state.routing_ids.get(&peer.id) {
            let routing_id = routing_id.clone();
            state.peers.remove(&routing_id);
            state.routing_ids.remove(&peer.id);
        }
        Notice::None
    }
}

impl State {
    /// Who has `routing_id`, unless it is a peer that never comes back.
    fn owner(&self, routing_id: &Part) -> Option<&Arc<Peer>> {
        let owner = self.peers.get(routing_id)?;
        (!owner.outbox.is_closed()).then_some(owner)
    }

    /// Gives `routing_id` to `peer`, and takes it from whoever had it.
    fn assign(&mut self, peer: &Arc<Peer>, routing_id: Part, named: Named) {
        peer.inbox.set_routing_id(routing_id.clone());
        if let Some(before) = self.peers.insert(routing_id, Arc::clone(peer)) {
            self.routing_ids.remove(&before.id);
        }
        self.routing_ids.insert(peer.id, named);
    }

    fn generate(&mut self) -> Part {
        loop {
            let id = RoutingId::generated(self.next_generated).into_part();
            self.next_generated = self.next_generated.wrapping_add(1);
            if !self.peers.contains_key(&id) {
                return id;
            }
        }
    }
}
