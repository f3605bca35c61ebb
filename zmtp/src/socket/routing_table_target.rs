//! The body of the fuzz target `router`: a routing table against one that is slow and obvious.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::routing_table::RoutingTable;
use crate::driver::{Hub, NoPattern, Pattern, Peer, Retention, SocketOptions, TakenRoutingId};
use crate::message::Part;
use crate::pattern::{RoutingId, SocketType};
use crate::session::{PeerInfo, SessionConfig, Side};

/// Peers of a ROUTER come, go, and ask for routing ids, as the octets say: each is found under its
/// own alone, nobody takes another's, and what a ROUTER makes up is new.
///
/// The first octet says what becomes of a routing id that is taken, the others are operations: an
/// octet for what happens, and one for whom and with what.
///
/// # Panics
///
/// Panics if the table is not what it should be.
pub fn router(data: &[u8]) {
    let Some((choice, operations)) = data.split_first() else {
        return;
    };
    let if_taken = match choice % 2 {
        0 => TakenRoutingId::Refuse,
        _ => TakenRoutingId::HandOver,
    };
    let mut world = World::new(if_taken, *choice);
    for operation in operations.chunks(2) {
        if let [operation, how] = operation {
            world.apply(*operation, *how);
            world.compare();
        }
    }
}

/// Which routing ids peers ask for; some of them none.
const NAMES: [Option<&str>; 4] = [None, Some("a"), Some("b"), Some("abc")];

/// Who peers are; some of them nobody.
const USERS: [Option<&str>; 2] = [None, Some("joe")];

const PEERS: usize = 6;

struct World {
    table: RoutingTable,
    hub: Hub,
    peers: Vec<Known>,
    if_taken: TakenRoutingId,
    /// The number of the next routing id that the table makes up, and all that it made.
    next_generated: u32,
    generated: Vec<Part>,
}

/// A peer, and what should be in the table about it.
struct Known {
    peer: Arc<Peer>,
    name: Option<Named>,
    stage: Stage,
}

#[derive(Clone, PartialEq)]
struct Named {
    name: Part,
    by: By,
}

#[derive(Clone, PartialEq)]
enum By {
    Peer { user_id: Option<Part> },
    Application,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Away,
    Attached,
    /// The socket parts from it, or another has taken its name over.
    Parting,
}

impl World {
    fn new(if_taken: TakenRoutingId, first_generated: u8) -> Self {
        let options = SocketOptions::default();
        let hub = Hub::new(SocketType::Router, options, Arc::new(NoPattern));
        // Numbers that run over are like any others.
        let next_generated = u32::MAX - u32::from(first_generated % 8);
        let mut world = Self {
            table: RoutingTable::new(next_generated, if_taken),
            next_generated,
            hub,
            peers: Vec::new(),
            if_taken,
            generated: Vec::new(),
        };
        for at in 0..PEERS {
            let known = world.new_peer(at);
            world.peers.push(known);
        }
        world
    }

    /// Half of the peers were connected to, the others came.
    fn new_peer(&self, at: usize) -> Known {
        let retention = match at % 2 {
            0 => Retention::Connection,
            _ => Retention::Queue,
        };
        Known {
            peer: self.hub.new_peer(retention),
            name: None,
            stage: Stage::Away,
        }
    }

    fn apply(&mut self, operation: u8, how: u8) {
        let how = usize::from(how);
        let at = how % PEERS;
        let name = NAMES[how / PEERS % NAMES.len()];
        let user = USERS[how / PEERS / NAMES.len() % USERS.len()];
        match operation % 8 {
            0..=2 => self.attach(at, name, user),
            3 => self.detach(at),
            4 => self.forget(at),
            5 => self.name(at, name.unwrap_or("given")),
            6 => self.part(at),
            _ => self.forget_parting(at),
        }
    }

    fn attach(&mut self, at: usize, announced: Option<&str>, user: Option<&str>) {
        if self.peers[at].stage == Stage::Attached {
            return;
        }
        let mut config = SessionConfig::new(SocketType::Dealer, Side::Listener);
        config.routing_id = announced.and_then(|name| RoutingId::new(name).ok());
        let Ok(mut info) = PeerInfo::in_process(SocketType::Router, &config) else {
            return;
        };
        info.user_id = user.map(Part::from);
        let result = self.table.attach(&self.peers[at].peer, &info);
        let announced = announced.map(Part::from);
        let expected = self.expect_attach(at, announced, info.user_id);
        assert_eq!(result.is_ok(), expected, "{result:?}");
    }

    /// Changes what should be in the table, and returns whether the peer may come.
    fn expect_attach(&mut self, at: usize, announced: Option<Part>, user_id: Option<Part>) -> bool {
        let is_parting = self.peers[at].stage == Stage::Parting;
        if let Some(named) = &mut self.peers[at].name {
            let is_same = match &mut named.by {
                By::Application => true,
                By::Peer { user_id: before } => {
                    let is_same = announced.as_ref().is_none_or(|id| *id == named.name);
                    if is_same {
                        before.clone_from(&user_id);
                    }
                    is_same
                }
            };
            if is_same {
                if !is_parting {
                    self.peers[at].stage = Stage::Attached;
                }
                return true;
            }
        }
        let name = announced.unwrap_or_else(|| self.generate());
        if is_parting {
            return true;
        }
        if let Some(owner) = self.owner(&name) {
            let by = By::Peer {
                user_id: user_id.clone(),
            };
            let owned = self.peers[owner].name.as_ref();
            let is_of_user = owned.is_some_and(|named| named.by == by);
            if self.if_taken == TakenRoutingId::Refuse || !is_of_user {
                return false;
            }
            // The socket lets go of it, whether or not it is there.
            self.peers[owner].stage = Stage::Parting;
        }
        self.assign(at, name, By::Peer { user_id });
        self.peers[at].stage = Stage::Attached;
        true
    }

    /// The routing id that the table makes up.
    fn generate(&mut self) -> Part {
        loop {
            let name = RoutingId::generated(self.next_generated).into_part();
            self.next_generated = self.next_generated.wrapping_add(1);
            let is_of = |known: &Known| known.name.as_ref().is_some_and(|named| named.name == name);
            if !self.peers.iter().any(is_of) {
                assert!(!self.generated.contains(&name), "{name:?} twice");
                self.generated.push(name.clone());
                return name;
            }
        }
    }

    fn assign(&mut self, at: usize, name: Part, by: By) {
        for known in &mut self.peers {
            if known.name.as_ref().is_some_and(|named| named.name == name) {
                known.name = None;
            }
        }
        self.peers[at].name = Some(Named { name, by });
    }

    fn owner(&self, name: &Part) -> Option<usize> {
        self.peers.iter().position(|known| {
            known.stage != Stage::Parting
                && known.name.as_ref().is_some_and(|named| named.name == *name)
        })
    }

    fn detach(&mut self, at: usize) {
        if self.peers[at].stage != Stage::Attached {
            return;
        }
        let _ = self.table.detach(&self.peers[at].peer);
        if at.is_multiple_of(2) {
            // What came does not come back: the next one is another.
            self.peers[at] = self.new_peer(at);
        } else {
            self.peers[at].stage = Stage::Away;
        }
    }

    fn forget(&mut self, at: usize) {
        if self.peers[at].stage == Stage::Away {
            self.table.forget(&self.peers[at].peer);
            self.peers[at] = self.new_peer(at);
        }
    }

    fn forget_parting(&mut self, at: usize) {
        if self.peers[at].stage == Stage::Parting {
            self.table.forget(&self.peers[at].peer);
            self.peers[at] = self.new_peer(at);
        }
    }

    /// The application names a peer before it connects to it.
    fn name(&mut self, at: usize, name: &str) {
        let known = &self.peers[at];
        if known.stage != Stage::Away || known.name.is_some() || at.is_multiple_of(2) {
            return;
        }
        let Ok(routing_id) = RoutingId::new(name) else {
            return;
        };
        let result = self.table.name(&known.peer, &routing_id);
        let name = routing_id.into_part();
        assert_eq!(result.is_ok(), self.owner(&name).is_none());
        if result.is_ok() {
            self.assign(at, name, By::Application);
        }
    }

    fn part(&mut self, at: usize) {
        if self.peers[at].stage != Stage::Parting && !at.is_multiple_of(2) {
            self.hub.part(&self.peers[at].peer);
            self.peers[at].stage = Stage::Parting;
        }
    }

    /// Each name leads to whom it should lead, and nowhere else.
    fn compare(&self) {
        let named = self.peers.iter().filter_map(|known| {
            let named = known.name.as_ref()?;
            Some((named.name.to_vec(), known.peer.id))
        });
        let expected: BTreeMap<Vec<u8>, _> = named.collect();
        let chosen = NAMES.into_iter().flatten().chain(["given"]).map(Part::from);
        for name in chosen.chain(self.generated.iter().cloned()) {
            let found = self.table.peer(&name).map(|peer| peer.id);
            assert_eq!(found, expected.get(&name[..]).copied(), "{name:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    // REQREP-040, REQREP-041, REQREP-045, REQREP-053
    #[test]
    fn seeds_of_routing_tables() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/router");
        let mut count = 0;
        for seed in fs::read_dir(folder).unwrap().flatten() {
            super::router(&fs::read(seed.path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "there are seeds");
    }
}
