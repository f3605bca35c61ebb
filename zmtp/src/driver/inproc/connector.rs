//! Keeps one inproc endpoint connected (L3).

use std::future::Future;
use std::sync::Arc;

use tokio::time::Instant;

use super::link::{Link, LinkEnd};
use super::names;
use crate::driver::backoff::Backoff;
use crate::driver::connection::Progress;
use crate::driver::connector::{give_up, given_up};
use crate::driver::endpoints;
use crate::driver::hub::{Hub, Linger};
use crate::driver::monitor::{DisconnectReason, SocketEvent};
use crate::driver::options::ReconnectStop;
use crate::endpoint::{Endpoint, EndpointName};
use crate::session::Side;

/// Keeps the peer of `link` connected to whoever binds `name`, until the socket closes or
/// disconnects, or cannot be a peer of that one.
pub(crate) fn keep_linked(
    hub: Arc<Hub>,
    link: Arc<endpoints::Link>,
    name: EndpointName,
) -> impl Future<Output = ()> + Send {
    Connector { hub, link, name }.run()
}

struct Connector {
    hub: Arc<Hub>,
    link: Arc<endpoints::Link>,
    name: EndpointName,
}

impl Connector {
    async fn run(self) {
        let mut backoff = Backoff::new(self.hub.options.reconnect);
        loop {
            if let Some(reason) = self.link.peer.dismissal() {
                self.report_given_up(reason.clone());
                return;
            }
            let listener = tokio::select! {
                biased;
                () = self.given_up() => return,
                listener = names::find(&self.name) => listener,
            };
            let begun = Instant::now();
            let (end, progress) = self.link(Arc::clone(&listener)).await;
            if self.is_final(&end, progress) {
                return;
            }
            let has_closed =
                end.side == Side::Connector && end.reason == DisconnectReason::SocketClosed;
            if has_closed || listener.linger() != Linger::Open {
                // There is nothing left to send, or whoever binds the name next is another socket:
                // that is not to be slowed down.
                continue;
            }
            // It may close meanwhile, and is not to be kept.
            drop(listener);
            backoff.lasted(begun.elapsed());
            let Some(delay) = backoff.next_delay(&mut rand::rng()) else {
                return;
            };
            self.hub.monitor.send(SocketEvent::ConnectRetried {
                peer: self.link.peer.id,
                endpoint: self.endpoint(),
                delay,
            });
            tokio::select! {
                () = self.given_up() => return,
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    async fn link(&self, listener: Arc<Hub>) -> (LinkEnd, Progress) {
        match Link::establish(&self.hub, &self.link.peer, listener, &self.name) {
            Ok(link) => (link.run().await, Progress::Attached),
            Err(end) => (end, Progress::Handshake),
        }
    }

    /// Whether the endpoint is not tried again.
    fn is_final(&self, end: &LinkEnd, progress: Progress) -> bool {
        if end.side == Side::Connector {
            // This side has parted from the peer for good.
            match end.reason {
                DisconnectReason::Disconnected => return true,
                DisconnectReason::RoutingIdHandedOver => {
                    self.report_given_up(end.reason.clone());
                    return true;
                }
                _ => {}
            }
        }
        if self.hub.options.reconnect.initial.is_none() {
            return true;
        }
        // Both sides find the same of the other's type, whoever looks first.
        let is_refused = matches!(
            &end.reason,
            DisconnectReason::Protocol(error) if !error.is_retryable()
        );
        let stop = &self.hub.options.reconnect_stop;
        let is_stopped =
            progress == Progress::Handshake && stop.contains(&ReconnectStop::HandshakeFailed);
        if !is_refused && !is_stopped {
            return false;
        }
        self.report_given_up(end.reason.clone());
        true
    }

    fn report_given_up(&self, reason: DisconnectReason) {
        // Whoever hears of it can connect to the endpoint again.
        give_up(&self.hub, &self.link);
        self.hub.monitor.send(SocketEvent::ConnectGivenUp {
            peer: self.link.peer.id,
            endpoint: self.endpoint(),
            reason,
        });
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Inproc(self.name.clone())
    }

    /// Resolves when the socket closes or disconnects, and this peer has nothing left to wait for.
    async fn given_up(&self) {
        given_up(&self.hub, &self.link).await;
    }
}

impl Drop for Connector {
    /// Also when the runtime goes away.
    fn drop(&mut self) {
        give_up(&self.hub, &self.link);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::super::BoundName;
    use super::*;
    use crate::driver::hub::NoPattern;
    use crate::driver::options::SocketOptions;
    use crate::driver::peer::Retention;
    use crate::pattern::SocketType;

    fn hub(socket_type: SocketType) -> Arc<Hub> {
        let options = SocketOptions::default();
        Arc::new(Hub::new(socket_type, options, Arc::new(NoPattern)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_refused_is_not_kept_until_the_next_attempt() {
        let name = EndpointName::new("refuses").unwrap();
        // Its endpoint is unbound, and its task has not given the name back yet.
        let listener = hub(SocketType::Pull);
        let bound = BoundName::new(&name, &listener).unwrap();
        let sender = hub(SocketType::Push);
        let mut monitor = sender.monitor.subscribe();
        let peer = sender.new_peer_in_process(Retention::Queue);
        let endpoint = Endpoint::Inproc(name.clone());
        let link = sender.endpoints.link(endpoint, &peer, &sender.closing);
        let mut connector = pin!(keep_linked(Arc::clone(&sender), link, name));
        let retried = async {
            while !matches!(
                monitor.recv().await,
                Some(SocketEvent::ConnectRetried { .. })
            ) {}
        };
        tokio::select! {
            () = &mut connector => panic!("nothing ended it"),
            () = retried => {}
        }
        let listener = {
            let weak = Arc::downgrade(&listener);
            drop((bound, listener));
            weak
        };
        assert!(listener.upgrade().is_none());
    }
}
