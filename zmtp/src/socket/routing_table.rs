//! Which peer of a ROUTER has which routing id.

use std::collections::HashMap;
use std::sync::Arc;

use crate::driver::sync::atomic::{AtomicBool, Ordering};
use crate::driver::sync::{Mutex, lock};
use crate::driver::{DisconnectReason, Notice, Pattern, Peer, PeerId, Retention, TakenRoutingId};
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
    /// Whom the last message was for: the next one is often for the same, and needs no hash, which takes
    /// its time with what peers may choose. Gone with each change of `peers`.
    last: Option<(Part, Arc<Peer>)>,
    routing_ids: HashMap<PeerId, Named>,
    next_generated: u32,
}

/// The routing id of a peer and who chose it.
#[derive(Debug)]
enum Named {
    /// The peer, or this table: it may have another name when it comes back. It goes to nobody but
    /// the user whom an authenticator found there.
    ByPeer {
        routing_id: Part,
        user_id: Option<Part>,
    },
    /// The application, when it connected: the name stays.
    ByApplication(Part),
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
                last: None,
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
        self.is_turn_over() && self.turn_is_over.swap(false, Ordering::Relaxed)
    }

    /// Whether [`Self::take_turn`] would tell the sender to wait.
    #[inline]
    pub(crate) fn is_turn_over(&self) -> bool {
        self.turn_is_over.load(Ordering::Relaxed)
    }

    /// The peer with `routing_id`.
    pub(crate) fn peer(&self, routing_id: &Part) -> Option<Arc<Peer>> {
        let state = &mut *lock(&self.state);
        if let Some((last, peer)) = &state.last
            && last == routing_id
        {
            return Some(Arc::clone(peer));
        }
        let (routing_id, peer) = state.peers.get_key_value(routing_id)?;
        state.last = Some((routing_id.clone(), Arc::clone(peer)));
        Some(Arc::clone(peer))
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
        let named = Named::ByApplication(routing_id.clone());
        state.assign(peer, routing_id.clone(), named);
        Ok(())
    }
}

impl Pattern for RoutingTable {
    fn attach(&self, peer: &Arc<Peer>, info: &PeerInfo) -> Result<Vec<Part>, DisconnectReason> {
        let mut state = lock(&self.state);
        let announced = info.routing_id.as_ref().map(RoutingId::as_part);
        let is_known = match state.routing_ids.get_mut(&peer.id) {
            Some(Named::ByApplication(_)) => true,
            // It has come back.
            Some(Named::ByPeer {
                routing_id,
                user_id,
            }) => {
                let is_same = announced.is_none_or(|id| id == routing_id);
                if is_same {
                    user_id.clone_from(&info.user_id);
                }
                is_same
            }
            None => false,
        };
        if is_known {
            return Ok(Vec::new());
        }
        let routing_id = match announced {
            Some(id) => id.clone(),
            None => state.generate(),
        };
        if peer.outbox.is_ending() {
            // It comes for its last messages; its name may be that of another by now.
            peer.inbox.set_routing_id(routing_id);
            return Ok(Vec::new());
        }
        if let Some(owner) = state.owner(&routing_id) {
            // The newcomer goes, so that it cannot take over another's conversation; libzmq leaves
            // it connected to nothing.
            if self.if_taken == TakenRoutingId::Refuse || !state.is_of_user(owner, &info.user_id) {
                return Err(DisconnectReason::DuplicateRoutingId);
            }
            owner.dismiss(DisconnectReason::RoutingIdHandedOver);
        }
        state.release(peer);
        let named = Named::ByPeer {
            routing_id: routing_id.clone(),
            user_id: info.user_id.clone(),
        };
        state.assign(peer, routing_id, named);
        Ok(Vec::new())
    }

    fn detach(&self, peer: &Arc<Peer>) -> Notice {
        // One that the socket connected to keeps its name while it is away: what is sent to it
        // waits, and it is the same when it comes back.
        if peer.retention == Retention::Connection {
            lock(&self.state).release(peer);
        }
        Notice::None
    }

    fn forget(&self, peer: &Arc<Peer>) {
        lock(&self.state).release(peer);
    }
}

impl State {
    /// Who has `routing_id`, unless it is a peer that the socket parts from.
    fn owner(&self, routing_id: &Part) -> Option<&Arc<Peer>> {
        let owner = self.peers.get(routing_id)?;
        (!owner.outbox.is_ending()).then_some(owner)
    }

    /// Takes the name of `peer` from it, if it has one.
    fn release(&mut self, peer: &Peer) {
        if let Some(Named::ByPeer { routing_id, .. } | Named::ByApplication(routing_id)) =
            self.routing_ids.remove(&peer.id)
        {
            self.last = None;
            self.peers.remove(&routing_id);
        }
    }

    /// Whether `peer` has a name that it chose itself, as this user.
    fn is_of_user(&self, peer: &Peer, newcomer: &Option<Part>) -> bool {
        match self.routing_ids.get(&peer.id) {
            Some(Named::ByPeer { user_id, .. }) => user_id == newcomer,
            Some(Named::ByApplication(_)) | None => false,
        }
    }

    /// Gives `routing_id` to `peer`, and takes it from whoever had it.
    fn assign(&mut self, peer: &Arc<Peer>, routing_id: Part, named: Named) {
        peer.inbox.set_routing_id(routing_id.clone());
        self.last = None;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{Hub, NoPattern, SocketOptions};
    use crate::pattern::SocketType;
    use crate::session::{SessionConfig, Side};

    struct Setup {
        table: RoutingTable,
        hub: Hub,
    }

    impl Setup {
        fn new() -> Self {
            let options = SocketOptions::default();
            Self {
                table: RoutingTable::new(1, TakenRoutingId::Refuse),
                hub: Hub::new(SocketType::Router, options, Arc::new(NoPattern)),
            }
        }

        fn attach(
            &self,
            peer: &Arc<Peer>,
            announced: Option<&str>,
        ) -> Result<(), DisconnectReason> {
            let mut config = SessionConfig::new(SocketType::Dealer, Side::Listener);
            config.routing_id = announced.map(name);
            let info = PeerInfo::in_process(SocketType::Router, &config).unwrap();
            self.table.attach(peer, &info).map(drop)
        }

        fn owner(&self, routing_id: &[u8]) -> Option<PeerId> {
            let peer = self.table.peer(&Part::copy_from_slice(routing_id));
            peer.map(|peer| peer.id)
        }
    }

    fn name(name: &str) -> RoutingId {
        RoutingId::new(name).unwrap()
    }

    // REQREP-040
    #[test]
    fn a_peer_that_was_connected_to_keeps_its_name_until_it_is_forgotten() {
        let setup = Setup::new();
        let peer = setup.hub.new_peer(Retention::Queue);
        let generated = RoutingId::generated(1).into_part();
        for _ in 0..2 {
            setup.attach(&peer, None).unwrap();
            let _ = setup.table.detach(&peer);
            assert_eq!(setup.owner(&generated), Some(peer.id));
        }
        setup.attach(&peer, Some("other")).unwrap();
        assert_eq!(setup.owner(&generated), None);
        assert_eq!(setup.owner(b"other"), Some(peer.id));
        let _ = setup.table.detach(&peer);
        setup.table.forget(&peer);
        assert_eq!(setup.owner(b"other"), None);
    }

    // INT-046
    #[test]
    fn numbers_that_start_over_pass_over_the_names_in_use() {
        let setup = Setup::new();
        let peer = || setup.hub.new_peer(Retention::Connection);
        let first = [peer(), peer()];
        for peer in &first {
            setup.attach(peer, None).unwrap();
        }
        lock(&setup.table.state).next_generated = u32::MAX;
        let later = [peer(), peer(), peer()];
        for peer in &later {
            setup.attach(peer, None).unwrap();
        }
        let owner = |number| setup.owner(&RoutingId::generated(number).into_part());
        let [one, two] = first.map(|peer| Some(peer.id));
        let [last, zero, three] = later.map(|peer| Some(peer.id));
        assert_eq!([owner(1), owner(2)], [one, two]);
        assert_eq!([owner(u32::MAX), owner(0), owner(3)], [last, zero, three]);
    }

    // REQREP-041
    #[test]
    fn the_name_of_an_accepted_peer_goes_with_its_connection() {
        let setup = Setup::new();
        let peer = setup.hub.new_peer(Retention::Connection);
        setup.attach(&peer, Some("name")).unwrap();
        let _ = setup.table.detach(&peer);
        assert_eq!(setup.owner(b"name"), None);
    }

    // REQREP-053
    #[test]
    fn a_name_that_the_application_gave_is_free_when_the_peer_is_forgotten() {
        let setup = Setup::new();
        let peer = setup.hub.new_peer(Retention::Queue);
        setup.table.name(&peer, &name("given")).unwrap();
        setup.attach(&peer, Some("other")).unwrap();
        let _ = setup.table.detach(&peer);
        assert_eq!(setup.owner(b"given"), Some(peer.id));
        setup.table.forget(&peer);
        assert_eq!(setup.owner(b"given"), None);
    }

    // REQREP-045
    #[test]
    fn a_peer_that_the_socket_parts_from_leaves_its_name_to_the_next() {
        let setup = Setup::new();
        let [leaving, next] = [0, 1].map(|_| setup.hub.new_peer(Retention::Queue));
        setup.table.name(&leaving, &name("same")).unwrap();
        setup.hub.part(&leaving);
        setup.table.name(&next, &name("same")).unwrap();
        // It comes for its last messages.
        setup.attach(&leaving, Some("same")).unwrap();
        setup.table.forget(&leaving);
        assert_eq!(setup.owner(b"same"), Some(next.id));
    }
}
