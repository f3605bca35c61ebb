//! Binding and connecting, and the end of both.

use std::sync::Arc;

use super::{BindError, ConnectError, DisconnectError, UnbindError};
use crate::driver::{
    BoundName, Hub, Linger, Link, NoVacancy, Peer, PeerId, Queueing, Retention, SocketEvent, hold,
    keep_connected, keep_linked, listen,
};
use crate::endpoint::{Endpoint, EndpointName};
use crate::pattern::SocketType;
use crate::transport::{self, ExistingListener, Listener, Target};

pub(super) async fn bind(hub: Arc<Hub>, endpoint: Endpoint) -> Result<Endpoint, BindError> {
    if hub.linger() != Linger::Open {
        return Err(BindError::Closed);
    }
    hub.options.security.mechanism()?;
    if let Endpoint::Inproc(name) = &endpoint {
        return bind_name(&hub, name);
    }
    match transport::bind(&endpoint, &hub.options.transport).await {
        Ok((listener, bound)) => Ok(begin_to_listen(&hub, listener, endpoint, bound)),
        Err(failure) => {
            hub.monitor.send(SocketEvent::BindFailed {
                endpoint: endpoint.clone(),
                error: failure.kind(),
            });
            Err(BindError::new(endpoint, failure))
        }
    }
}

fn begin_to_listen(
    hub: &Arc<Hub>,
    listener: Listener,
    requested: Endpoint,
    bound: Endpoint,
) -> Endpoint {
    listening(hub, &bound);
    let binding = hub.endpoints.bind(requested, bound.clone(), &hub.closing);
    hub.tasks.spawn(listen(Arc::clone(hub), listener, binding));
    bound
}

pub(super) fn bind_existing(
    hub: &Arc<Hub>,
    listener: ExistingListener,
) -> Result<Endpoint, BindError> {
    if hub.linger() != Linger::Open {
        return Err(BindError::Closed);
    }
    hub.options.security.mechanism()?;
    let (listener, bound) = transport::adopt(listener).map_err(BindError::Listener)?;
    Ok(begin_to_listen(hub, listener, bound.clone(), bound))
}

fn bind_name(hub: &Arc<Hub>, name: &EndpointName) -> Result<Endpoint, BindError> {
    let endpoint = Endpoint::Inproc(name.clone());
    // Before anybody can find the name.
    let binding = hub
        .endpoints
        .bind(endpoint.clone(), endpoint.clone(), &hub.closing);
    match BoundName::new(name, hub) {
        Ok(bound_name) => {
            listening(hub, &endpoint);
            hub.tasks.spawn(hold(Arc::clone(hub), bound_name, binding));
            Ok(endpoint)
        }
        Err(source) => {
            hub.endpoints.remove_binding(&binding);
            hub.monitor.send(SocketEvent::BindFailed {
                endpoint: endpoint.clone(),
                error: source.kind(),
            });
            Err(BindError::Io { endpoint, source })
        }
    }
}

fn listening(hub: &Hub, endpoint: &Endpoint) {
    hub.endpoints.set_last(endpoint.clone());
    tracing::debug!(%endpoint, "listening");
    hub.monitor.send(SocketEvent::Listening {
        endpoint: endpoint.clone(),
    });
}

pub(super) async fn unbind(hub: &Hub, endpoint: Endpoint) -> Result<(), UnbindError> {
    let Some(binding) = hub.endpoints.take_binding(&endpoint) else {
        return Err(UnbindError::NotBound { endpoint });
    };
    for peer in binding.stop() {
        hub.part(&peer);
    }
    binding.stopped().await;
    Ok(())
}

pub(super) fn disconnect(hub: &Hub, endpoint: Endpoint) -> Result<(), DisconnectError> {
    let links = hub.endpoints.take_links(&endpoint);
    if links.is_empty() {
        return Err(DisconnectError::NotConnected { endpoint });
    }
    for link in links {
        part(hub, &link);
    }
    Ok(())
}

pub(super) fn disconnect_peer(hub: &Hub, peer: PeerId) -> Result<(), DisconnectError> {
    if let Some(link) = hub.endpoints.take_link(peer) {
        part(hub, &link);
        return Ok(());
    }
    let accepted = hub.peer(peer).filter(|it| it.linger() == Linger::Open);
    let accepted = accepted.ok_or(DisconnectError::UnknownPeer { peer })?;
    hub.part(&accepted);
    Ok(())
}

fn part(hub: &Hub, link: &Link) {
    hub.part(&link.peer);
    link.disconnecting.cancel();
}

pub(super) fn connect(
    hub: &Arc<Hub>,
    endpoint: Endpoint,
    name: impl FnOnce(&Arc<Peer>) -> Result<(), ConnectError>,
) -> Result<PeerId, ConnectError> {
    if hub.linger() != Linger::Open {
        return Err(ConnectError::Closed);
    }
    hub.options.security.mechanism()?;
    // As in libzmq: where messages are spread or copied, a second connection to the same peer
    // would only distort that.
    let is_single = matches!(
        hub.socket_type,
        SocketType::Dealer | SocketType::Sub | SocketType::Pub | SocketType::Req
    );
    let _linking = is_single.then(|| hub.endpoints.linking());
    if is_single && let Some(peer) = hub.endpoints.linked(&endpoint) {
        return Ok(peer);
    }
    if let Endpoint::Inproc(path) = &endpoint {
        let path = path.clone();
        let peer = hub.new_peer_in_process(retention(hub));
        begin_queue(hub, &peer, &endpoint, name)?;
        let link = hub.endpoints.link(endpoint, &peer, &hub.closing);
        hub.tasks.spawn(keep_linked(Arc::clone(hub), link, path));
        return Ok(peer.id);
    }
    let target = match Target::new(&endpoint, &hub.options.transport) {
        Ok(target) => target,
        Err(error) => return Err(ConnectError::new(endpoint, error)),
    };
    let peer = hub.new_peer(retention(hub));
    begin_queue(hub, &peer, &endpoint, name)?;
    let link = hub.endpoints.link(endpoint, &peer, &hub.closing);
    hub.tasks
        .spawn(keep_connected(Arc::clone(hub), link, target));
    Ok(peer.id)
}

/// For how long messages are queued for a peer to connect to.
fn retention(hub: &Hub) -> Retention {
    match hub.options.queueing {
        Queueing::Always => Retention::Queue,
        Queueing::WhileConnected => Retention::Endpoint,
    }
}

/// Lets messages be queued for `peer` from now on, or from when it is there.
fn begin_queue(
    hub: &Hub,
    peer: &Arc<Peer>,
    endpoint: &Endpoint,
    name: impl FnOnce(&Arc<Peer>) -> Result<(), ConnectError>,
) -> Result<(), ConnectError> {
    if let Err(NoVacancy) = hub.pattern.connecting(peer) {
        return Err(ConnectError::AlreadyPaired {
            endpoint: endpoint.clone(),
        });
    }
    match peer.retention {
        Retention::Queue | Retention::Connection => {
            name(peer)?;
            hub.insert_peer(peer);
        }
        Retention::Endpoint => {
            peer.outbox.suspend();
            name(peer)?;
        }
    }
    Ok(())
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use crate::{DealerSocket, Socket};

    #[tokio::test]
    async fn clones_that_connect_at_once_to_one_endpoint_share_one_link() {
        let runtime = tokio::runtime::Handle::current();
        for _ in 0..200 {
            let socket = DealerSocket::new();
            let barrier = Barrier::new(4);
            let connect = || {
                barrier.wait();
                let connect = socket.handle().connect("inproc://one-link");
                runtime.block_on(connect).unwrap()
            };
            let peers = thread::scope(|scope| {
                let threads = [(); 4].map(|()| scope.spawn(connect));
                threads.map(|thread| thread.join().unwrap())
            });
            assert_eq!(peers, [peers[0]; 4]);
        }
    }
}
