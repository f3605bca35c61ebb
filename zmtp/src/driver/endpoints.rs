//! What a socket is bound and connected to (L3).
//!
//! ```text
//!  bind ──► Binding ── admit ──► peers that were accepted there
//!             │ unbind: stop to listen, and part from those peers
//!  connect ► Link ── disconnect: connect no more, and part from the peer
//! ```
//!
//! To part from a peer is to send it what is queued, for the linger period, and then to close.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::peer::{Peer, PeerId};
use super::sync::{Mutex, MutexGuard, lock};
use crate::endpoint::Endpoint;

/// The endpoints of one socket.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    state: Mutex<State>,
    /// Held by who looks for a link and makes one if there is none.
    linking: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    bindings: Vec<Arc<Binding>>,
    links: BTreeMap<PeerId, Arc<Link>>,
    last: Option<Endpoint>,
}

/// An endpoint that the socket listens on.
#[derive(Debug)]
pub(crate) struct Binding {
    /// With wildcards resolved.
    pub(crate) endpoint: Endpoint,
    /// As it was asked for.
    requested: Endpoint,
    /// Tells the listener to stop.
    pub(crate) unbinding: CancellationToken,
    /// Cancelled when the listener has stopped.
    stopped: CancellationToken,
    /// The peers that were accepted here; `None` once the endpoint is unbound.
    peers: Mutex<Option<BTreeMap<PeerId, Arc<Peer>>>>,
}

/// An endpoint that the socket is, or wants to be, connected to.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) endpoint: Endpoint,
    pub(crate) peer: Arc<Peer>,
    /// Tells the connector to stop as soon as nothing is queued any more.
    pub(crate) disconnecting: CancellationToken,
}

/// Whether a peer may be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Granted,
    /// The endpoint is unbound by now.
    Refused,
}

impl Endpoints {
    /// Notes that the socket listens on `endpoint`, until `closing` or an unbind.
    pub(crate) fn bind(
        &self,
        requested: Endpoint,
        endpoint: Endpoint,
        closing: &CancellationToken,
    ) -> Arc<Binding> {
        let binding = Arc::new(Binding {
            endpoint,
            requested,
            unbinding: closing.child_token(),
            stopped: CancellationToken::new(),
            peers: Mutex::new(Some(BTreeMap::new())),
        });
        lock(&self.state).bindings.push(Arc::clone(&binding));
        binding
    }

    /// Notes that binding `endpoint` has succeeded.
    pub(crate) fn set_last(&self, endpoint: Endpoint) {
        lock(&self.state).last = Some(endpoint);
    }

    /// Lets nobody else with this guard link meanwhile: between [`Self::linked`] and [`Self::link`].
    pub(crate) fn linking(&self) -> MutexGuard<'_, ()> {
        lock(&self.linking)
    }

    /// Notes that the socket wants to be connected to `endpoint`.
    pub(crate) fn link(
        &self,
        endpoint: Endpoint,
        peer: &Arc<Peer>,
        closing: &CancellationToken,
    ) -> Arc<Link> {
        let link = Arc::new(Link {
            endpoint,
            peer: Arc::clone(peer),
            disconnecting: closing.child_token(),
        });
        lock(&self.state).links.insert(peer.id, Arc::clone(&link));
        link
    }

    /// Takes the binding of `endpoint` out, named as it was resolved or as it was asked for.
    pub(crate) fn take_binding(&self, endpoint: &Endpoint) -> Option<Arc<Binding>> {
        let bindings = &mut lock(&self.state).bindings;
        let index = bindings
            .iter()
            .position(|binding| binding.is_named(endpoint))?;
        Some(bindings.remove(index))
    }

    /// Takes a binding out whose listener has stopped.
    pub(crate) fn remove_binding(&self, binding: &Arc<Binding>) {
        lock(&self.state)
            .bindings
            .retain(|other| !Arc::ptr_eq(other, binding));
        binding.stopped.cancel();
    }

    /// Counts `peer` among those that go with `endpoint`, if it is still bound.
    pub(crate) fn admit(&self, endpoint: &Endpoint, peer: &Arc<Peer>) -> Admission {
        let binding = self.binding(endpoint);
        binding.map_or(Admission::Refused, |binding| binding.admit(peer))
    }

    /// Forgets a peer of `endpoint` whose connection has ended.
    pub(crate) fn dismiss(&self, endpoint: &Endpoint, peer: PeerId) {
        if let Some(binding) = self.binding(endpoint) {
            binding.dismiss(peer);
        }
    }

    fn binding(&self, endpoint: &Endpoint) -> Option<Arc<Binding>> {
        let state = lock(&self.state);
        let mut bindings = state.bindings.iter();
        bindings
            .find(|binding| binding.endpoint == *endpoint)
            .cloned()
    }

    /// Takes all links to `endpoint` out.
    pub(crate) fn take_links(&self, endpoint: &Endpoint) -> Vec<Arc<Link>> {
        let links = &mut lock(&self.state).links;
        let taken: Vec<_> = links
            .values()
            .filter(|link| link.endpoint == *endpoint)
            .cloned()
            .collect();
        links.retain(|_, link| link.endpoint != *endpoint);
        taken
    }

    /// Takes the link to `peer` out.
    pub(crate) fn take_link(&self, peer: PeerId) -> Option<Arc<Link>> {
        lock(&self.state).links.remove(&peer)
    }

    /// The peer that is behind a link to `endpoint`.
    pub(crate) fn linked(&self, endpoint: &Endpoint) -> Option<PeerId> {
        let state = lock(&self.state);
        let mut links = state.links.iter();
        links.find_map(|(peer, link)| (link.endpoint == *endpoint).then_some(*peer))
    }

    /// What the socket listens on, oldest first.
    pub(crate) fn bound(&self) -> Vec<Endpoint> {
        let state = lock(&self.state);
        let bindings = state.bindings.iter();
        bindings.map(|binding| binding.endpoint.clone()).collect()
    }

    /// What the socket connects to, oldest first.
    pub(crate) fn connected(&self) -> Vec<(PeerId, Endpoint)> {
        let state = lock(&self.state);
        let links = state.links.iter();
        links
            .map(|(peer, link)| (*peer, link.endpoint.clone()))
            .collect()
    }

    /// The peers that the socket wants to be connected to.
    pub(crate) fn linked_peers(&self) -> Vec<Arc<Peer>> {
        let state = lock(&self.state);
        let links = state.links.values();
        links.map(|link| Arc::clone(&link.peer)).collect()
    }

    /// What was bound last, even if it is unbound by now.
    pub(crate) fn last(&self) -> Option<Endpoint> {
        lock(&self.state).last.clone()
    }
}

impl Binding {
    /// Counts `peer` among those that go with the endpoint.
    pub(crate) fn admit(&self, peer: &Arc<Peer>) -> Admission {
        match &mut *lock(&self.peers) {
            Some(peers) => {
                peers.insert(peer.id, Arc::clone(peer));
                Admission::Granted
            }
            None => Admission::Refused,
        }
    }

    /// Forgets a peer whose connection has ended.
    pub(crate) fn dismiss(&self, peer: PeerId) {
        if let Some(peers) = &mut *lock(&self.peers) {
            peers.remove(&peer);
        }
    }

    /// Stops the listener; returns the peers that were accepted here.
    pub(crate) fn stop(&self) -> impl Iterator<Item = Arc<Peer>> + use<> {
        self.unbinding.cancel();
        let peers = lock(&self.peers).take();
        peers.unwrap_or_default().into_values()
    }

    /// Waits until the listener has stopped.
    pub(crate) async fn stopped(&self) {
        self.stopped.cancelled().await;
    }

    fn is_named(&self, endpoint: &Endpoint) -> bool {
        // A wildcard that was asked for may stand for several endpoints by now.
        self.endpoint == *endpoint || (self.requested == *endpoint && !endpoint.is_wildcard())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::peer::Retention;
    use crate::driver::queue_limits::{PeerLimits, QueueLimits};

    fn peer(number: u64) -> Arc<Peer> {
        let limits = QueueLimits {
            messages: 1,
            bytes: 1,
        };
        let limits = PeerLimits {
            send: limits,
            receive: limits,
        };
        let id = PeerId::new(number);
        Arc::new(Peer::new(id, Retention::Connection, limits, Arc::default()))
    }

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn a_binding_is_found_by_its_resolved_name_and_by_its_own_but_not_by_a_wildcard() {
        let (endpoints, closing) = (Endpoints::default(), CancellationToken::new());
        let (wildcard, first) = (endpoint("tcp://127.0.0.1:*"), endpoint("tcp://127.0.0.1:1"));
        let (named, second) = (endpoint("tcp://lo:2"), endpoint("tcp://127.0.0.1:2"));
        endpoints.bind(wildcard.clone(), first.clone(), &closing);
        endpoints.bind(named.clone(), second.clone(), &closing);
        assert_eq!(endpoints.bound(), [first.clone(), second]);
        assert!(endpoints.take_binding(&wildcard).is_none());
        assert!(endpoints.take_binding(&first).is_some());
        assert!(endpoints.take_binding(&first).is_none());
        assert!(endpoints.take_binding(&named).is_some());
        assert_eq!(endpoints.bound(), []);
    }

    #[test]
    fn nobody_is_admitted_after_the_end() {
        let (endpoints, closing) = (Endpoints::default(), CancellationToken::new());
        let name = endpoint("tcp://127.0.0.1:1");
        let binding = endpoints.bind(name.clone(), name, &closing);
        assert_eq!(binding.admit(&peer(1)), Admission::Granted);
        assert_eq!(binding.admit(&peer(2)), Admission::Granted);
        binding.dismiss(PeerId::new(1));
        let left: Vec<_> = binding.stop().map(|peer| peer.id).collect();
        assert_eq!(left, [PeerId::new(2)]);
        assert!(binding.unbinding.is_cancelled());
        assert!(!closing.is_cancelled());
        assert_eq!(binding.admit(&peer(3)), Admission::Refused);
    }

    #[test]
    fn links_are_taken_by_endpoint_and_by_peer() {
        let (endpoints, closing) = (Endpoints::default(), CancellationToken::new());
        let (one, two) = (endpoint("tcp://127.0.0.1:1"), endpoint("tcp://127.0.0.1:2"));
        for (number, name) in [(1, &one), (2, &two), (3, &one)] {
            endpoints.link(name.clone(), &peer(number), &closing);
        }
        assert_eq!(endpoints.linked(&two), Some(PeerId::new(2)));
        let taken = endpoints.take_links(&one);
        let taken: Vec<_> = taken.iter().map(|link| link.peer.id).collect();
        assert_eq!(taken, [PeerId::new(1), PeerId::new(3)]);
        assert_eq!(endpoints.connected(), [(PeerId::new(2), two)]);
        assert!(endpoints.take_link(PeerId::new(2)).is_some());
        assert!(endpoints.take_link(PeerId::new(2)).is_none());
    }
}
