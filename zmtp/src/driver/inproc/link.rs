//! One connection between two sockets of this process (L3).

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::driver::commands::ConnectionCommand;
use crate::driver::connection::Progress;
use crate::driver::endpoints::Admission;
use crate::driver::hub::{Hub, Linger};
use crate::driver::inbox::FrameBatch;
use crate::driver::monitor::{DisconnectReason, SocketEvent};
use crate::driver::peer::{Peer, Retention};
use crate::driver::report::report_end;
use crate::endpoint::{Endpoint, EndpointName, PeerAddress};
use crate::message::{Message, Part};
use crate::session::{PeerInfo, Side};

/// One of the two sockets, and the other one as its peer.
#[derive(Debug)]
pub(super) struct End {
    hub: Arc<Hub>,
    peer: Arc<Peer>,
    side: Side,
    stage: Stage,
}

/// How far one side has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// What is a handshake elsewhere.
    Handshake,
    /// The other side is part of the socket, and the other socket may still refuse this one.
    Attached,
    /// Both are connected, as their monitors know.
    Connected,
}

/// Two sockets that are connected. Carries subscriptions from one to the other, and ends with the
/// first of the two.
///
/// The task of the connecting socket drives it; dropped, it ends as if that socket had closed.
#[derive(Debug)]
pub(super) struct Link {
    connector: End,
    listener: End,
    endpoint: Endpoint,
    life: Life,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Running,
    Ended,
}

/// On which side a link ended, and why. The other side sees a peer that closes.
#[derive(Debug)]
pub(super) struct LinkEnd {
    pub(super) side: Side,
    pub(super) reason: DisconnectReason,
}

impl Link {
    /// Connects the `peer` of one socket, which is in this process, to the socket that has bound the
    /// name.
    ///
    /// # Errors
    ///
    /// The reason for which one of the two cannot be connected to the other. Both have been told.
    pub(super) fn establish(
        hub: &Arc<Hub>,
        peer: &Arc<Peer>,
        listener: Arc<Hub>,
        name: &EndpointName,
    ) -> Result<Self, LinkEnd> {
        let mut link = Self {
            connector: End {
                hub: Arc::clone(hub),
                peer: Arc::clone(peer),
                side: Side::Connector,
                stage: Stage::Handshake,
            },
            listener: End {
                peer: listener.new_peer_in_process(Retention::Connection),
                hub: listener,
                side: Side::Listener,
                stage: Stage::Handshake,
            },
            endpoint: Endpoint::Inproc(name.clone()),
            life: Life::Running,
        };
        let address = PeerAddress::Inproc(name.clone());
        link.connector.peer.set_address(Some(address.clone()));
        link.listener.peer.set_address(Some(address.clone()));
        link.connector.send(SocketEvent::Connected {
            peer: link.connector.peer.id,
            address: address.clone(),
        });
        link.listener.send(SocketEvent::Accepted {
            peer: link.listener.peer.id,
            address,
        });
        match link.attach() {
            Ok(()) => Ok(link),
            Err(end) => {
                link.end(&end);
                Err(end)
            }
        }
    }

    /// Runs until one of the two sockets ends the connection.
    pub(super) async fn run(mut self) -> LinkEnd {
        let end = poll_fn(|context| self.poll_end(context)).await;
        self.end(&end);
        end
    }

    /// What is a handshake elsewhere, and then what follows it.
    fn attach(&mut self) -> Result<(), LinkEnd> {
        let (connector, listener) = (&mut self.connector, &mut self.listener);
        let admission = listener.hub.endpoints.admit(&self.endpoint, &listener.peer);
        if admission == Admission::Refused {
            return Err(listener.fault(DisconnectReason::Disconnected));
        }
        let seen_by_listener = listener.introduce(connector)?;
        let seen_by_connector = connector.introduce(listener)?;
        let asked_of_connector = listener.attach(&seen_by_listener)?;
        let asked_of_listener = connector.attach(&seen_by_connector)?;
        // Not before both know the other: a message has the routing id of its peer in front.
        connector.lead_to(listener);
        listener.lead_to(connector);
        for topic in asked_of_listener {
            listener.subscribe(&topic)?;
        }
        for topic in asked_of_connector {
            connector.subscribe(&topic)?;
        }
        listener.announce(seen_by_listener);
        connector.announce(seen_by_connector);
        Ok(())
    }

    fn poll_end(&self, context: &Context<'_>) -> Poll<LinkEnd> {
        match self.drive(context) {
            Ok(()) => Poll::Pending,
            Err(end) => Poll::Ready(end),
        }
    }

    fn drive(&self, context: &Context<'_>) -> Result<(), LinkEnd> {
        let (connector, listener) = (&self.connector, &self.listener);
        for end in [connector, listener] {
            end.peer.outbox.register(context);
        }
        // This task runs where the connector does, and so beside its senders.
        if let Some(pipe) = connector.peer.outbox.pipe() {
            pipe.flush(context);
        }
        connector.run_commands(listener)?;
        listener.run_commands(connector)?;
        for end in [connector, listener] {
            if let Some(reason) = end.peer.dismissal() {
                return Err(end.fault(reason.clone()));
            }
            if end.peer.outbox.is_ending() {
                return Err(end.fault(end.hub.own_end()));
            }
        }
        Ok(())
    }

    /// Takes the two sockets apart. What one has sent before has come to the other.
    fn end(&mut self, end: &LinkEnd) {
        if std::mem::replace(&mut self.life, Life::Ended) == Life::Ended {
            return;
        }
        let (connector, listener) = (&self.connector, &self.listener);
        for side in [connector, listener] {
            side.peer.inbox.disconnect(&side.peer, &side.hub);
        }
        for side in [connector, listener] {
            let reason = if side.side == end.side {
                end.reason.clone()
            } else {
                DisconnectReason::PeerClosed
            };
            side.detach(&reason);
            report_end(&side.hub, &side.peer, &reason, side.progress());
            side.hub.endpoints.dismiss(&self.endpoint, side.peer.id);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let end = self.connector.fault(DisconnectReason::SocketClosed);
        self.end(&end);
    }
}

impl End {
    /// What the other side is to this one.
    fn introduce(&self, other: &Self) -> Result<Arc<PeerInfo>, LinkEnd> {
        let config = other
            .hub
            .options
            .session_config(other.hub.socket_type, other.side);
        PeerInfo::in_process(self.hub.socket_type, &config)
            .map(|info| Arc::new(info.at(self.peer.address())))
            .map_err(|error| self.fault(error.into()))
    }

    /// Makes the other side a peer of this socket. Returns the topics that this one asks for.
    fn attach(&mut self, info: &Arc<PeerInfo>) -> Result<Vec<Part>, LinkEnd> {
        self.peer.inbox.introduce(info);
        self.peer.outbox.resume();
        self.hub.insert_peer(&self.peer);
        let topics = self
            .hub
            .pattern
            .attach(&self.peer, info)
            .map_err(|reason| self.fault(reason))?;
        for greeting in self.hub.options.notices.greetings().rev() {
            self.peer.outbox.push_first(greeting);
        }
        self.hub.refresh_senders();
        self.stage = Stage::Attached;
        if let Some(arrival) = &self.hub.options.notices.arrival {
            self.notify(arrival);
        }
        Ok(topics)
    }

    /// Lets this socket receive what no peer sent.
    fn notify(&self, notice: &Message) {
        if self.hub.linger() == Linger::Open {
            let mut batch = FrameBatch::default();
            batch.push_whole(notice);
            self.peer
                .inbox
                .publish(&mut batch, &self.peer, &self.hub.ready);
        }
    }

    /// Lets the messages of this side reach the other one.
    fn lead_to(&self, other: &Self) {
        if let Some(pipe) = self.peer.outbox.pipe() {
            pipe.connect(&other.hub, &other.peer);
        }
    }

    fn announce(&mut self, info: Arc<PeerInfo>) {
        self.stage = Stage::Connected;
        let peer = self.peer.id;
        self.peer.set_info(Some(Arc::clone(&info)));
        self.peer.tally.count_handshake();
        tracing::debug!(%peer, socket_type = %info.socket_type, "peer attached");
        self.send(SocketEvent::HandshakeSucceeded { peer, info });
    }

    /// Hands the commands of this side to the other one.
    fn run_commands(&self, other: &Self) -> Result<(), LinkEnd> {
        let pop = || self.peer.outbox.pop_command();
        while let Some(command) = pop().map_err(|reason| self.fault(reason))? {
            match command {
                ConnectionCommand::Subscribe(topic) => other.subscribe(&topic)?,
                ConnectionCommand::Cancel(topic) => other.cancel(&topic)?,
            }
        }
        Ok(())
    }

    fn subscribe(&self, topic: &[u8]) -> Result<(), LinkEnd> {
        let pattern = &self.hub.pattern;
        let notice = pattern.subscribe(&self.peer, topic);
        self.hub.tell(notice.map_err(|reason| self.fault(reason))?);
        Ok(())
    }

    fn cancel(&self, topic: &[u8]) -> Result<(), LinkEnd> {
        let notice = self.hub.pattern.cancel(&self.peer, topic);
        self.hub.tell(notice.map_err(|reason| self.fault(reason))?);
        Ok(())
    }

    fn detach(&self, reason: &DisconnectReason) {
        if self.stage != Stage::Handshake {
            let notices = &self.hub.options.notices;
            for notice in notices.parting(self.peer.retention, reason) {
                self.notify(notice);
            }
            self.hub.tell(self.hub.pattern.detach(&self.peer));
        }
        self.peer.set_info(None);
        match self.peer.retention {
            Retention::Connection => {
                self.hub.forget_peer(&self.peer);
                self.peer.outbox.close();
            }
            Retention::Endpoint => {
                self.hub.remove_peer(&self.peer);
                self.peer.outbox.suspend();
            }
            Retention::Queue => {}
        }
        self.peer.outbox.disconnect();
    }

    fn progress(&self) -> Progress {
        match self.stage {
            Stage::Handshake | Stage::Attached => Progress::Handshake,
            Stage::Connected => Progress::Attached,
        }
    }

    fn fault(&self, reason: DisconnectReason) -> LinkEnd {
        LinkEnd {
            side: self.side,
            reason,
        }
    }

    fn send(&self, event: SocketEvent) {
        self.hub.monitor.send(event);
    }
}
