//! Which peer of a ROUTER has which routing id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::driver::{DisconnectReason, Pattern, Peer, PeerId, lock};
use crate::message::Part;
use crate::pattern::RoutingId;
use crate::session::PeerInfo;

/// The peers of a ROUTER by routing id.
#[derive(Debug)]
pub(crate) struct RoutingTable {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    peers: HashMap<Part, Arc<Peer>>,
    routing_ids: HashMap<PeerId, Part>,
    next_generated: u32,
}

impl RoutingTable {
    /// The ids given to peers without one count up from `first_generated`; at random, so that a
    /// message to a peer of a restarted ROUTER does not reach another.
    pub(crate) fn new(first_generated: u32) -> Self {
        Self {
            state: Mutex::new(State {
                peers: HashMap::new(),
                routing_ids: HashMap::new(),
                next_generated: first_generated,
            }),
        }
    }

    /// The peer with `routing_id`.
    pub(crate) fn peer(&self, routing_id: &Part) -> Option<Arc<Peer>> {
        lock(&self.state).peers.get(routing_id).cloned()
    }
}

impl Pattern for RoutingTable {
    fn attach(&self, peer: &Arc<Peer>, info: &PeerInfo) -> Result<Vec<Part>, DisconnectReason> {
        let mut state = lock(&self.state);
        let routing_id = match &info.routing_id {
            // The newcomer goes, so that it cannot take over another's conversation; libzmq leaves
            // it connected to nothing.
            Some(id) if state.peers.contains_key(id.as_part()) => {
                return Err(DisconnectReason::DuplicateRoutingId);
            }
            Some(id) => id.as_part().clone(),
            None => state.generate(),
        };
        peer.inbox.set_routing_id(routing_id.clone());
        state.peers.insert(routing_id.clone(), Arc::clone(peer));
        state.routing_ids.insert(peer.id, routing_id);
        Ok(Vec::new())
    }

    fn detach(&self, peer: &Arc<Peer>) {
        let mut state = lock(&self.state);
        if let Some(routing_id) = state.routing_ids.remove(&peer.id) {
            state.peers.remove(&routing_id);
        }
    }
}

impl State {
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
