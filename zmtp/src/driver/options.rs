//! What a socket was configured with (L3).

use std::collections::BTreeSet;
use std::time::Duration;

use super::accept_filter::AcceptFilter;
use super::monitor::DisconnectReason;
use super::peer::Retention;
use super::queue_limits::{PeerLimits, QueueLimits, QueueOptions, high_water_mark};
use super::security::SecurityOptions;
use crate::mechanism::MechanismConfig;
use crate::message::Message;
use crate::pattern::{RoutingId, SocketType, SubscriptionLimits};
use crate::session::{Heartbeat, Limits, SessionConfig, Side};
use crate::transport::TransportOptions;
use crate::wire::metadata::{Metadata, Resource};

/// How many octets a connection queues in each direction, whatever the high-water marks allow.
///
/// Without such a cap a thousand 64 KiB messages fall out of the processor's cache and go at half
/// the speed; much below it, 1 KiB messages suffer (measured, see `bench/README.md`).
pub(crate) const QUEUE_BYTES: usize = 1024 * 1024;

/// The options that all socket types share, with their defaults.
#[derive(Clone, Debug)]
pub(crate) struct SocketOptions {
    pub(crate) send_high_water_mark: usize,
    pub(crate) receive_high_water_mark: usize,
    pub(crate) linger: Option<Duration>,
    pub(crate) busy_wait: Duration,
    pub(crate) routing_id: Option<RoutingId>,
    pub(crate) reconnect: ReconnectPolicy,
    pub(crate) reconnect_stop: BTreeSet<ReconnectStop>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) handshake_timeout: Option<Duration>,
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) limits: Limits,
    pub(crate) resource: Option<Resource>,
    pub(crate) metadata: Metadata,
    pub(crate) transport: TransportOptions,
    pub(crate) accept_filter: AcceptFilter,
    pub(crate) max_connections: usize,
    pub(crate) max_half_open: usize,
    pub(crate) publishing: PublishOptions,
    pub(crate) matching: Matching,
    pub(crate) cancellations: Cancellations,
    pub(crate) unroutable: Unroutable,
    pub(crate) taken_routing_id: TakenRoutingId,
    pub(crate) requests: Requests,
    pub(crate) notices: Notices,
    pub(crate) queueing: Queueing,
    pub(crate) conflation: Conflation,
    pub(crate) security: SecurityOptions,
}

/// What a PUB or XPUB was configured with beside all that.
#[derive(Clone, Debug, Default)]
pub(crate) struct PublishOptions {
    pub(crate) subscription_limits: SubscriptionLimits,
    pub(crate) when_full: WhenFull,
    pub(crate) notices: NoticePolicy,
    pub(crate) welcome: Option<Message>,
}

/// What a publisher does with a message for a peer at its high-water mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// It drops the message, for that peer alone.
    #[default]
    Drop,
    /// It keeps the message from all peers until that one has room.
    Wait,
}

/// Which messages a topic stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Matching {
    /// Those that begin with it.
    #[default]
    Prefix,
    /// All others.
    Inverted,
}

/// Of which subscriptions and cancellations an XPUB tells the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NoticePolicy {
    /// Of none: it is a PUB.
    #[default]
    None,
    /// Of the first subscription to a topic and the end of the last.
    Changes,
    /// Of all subscriptions, and the end of the last.
    Verbose,
    /// Of all subscriptions and all cancellations.
    Verboser,
    /// Of all, and the application decides what they mean.
    Manual,
}

/// Of which cancellations an XSUB tells its publishers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cancellations {
    /// Of the last for a topic.
    #[default]
    Last,
    /// Of all, whether or not there was a subscription.
    All,
}

/// Which messages a queue keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflation {
    /// All of them, up to its mark.
    None,
    /// The last one.
    LastMessage,
}

/// For which of the peers that a socket connects to messages are queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queueing {
    /// All of them: the messages wait for the peer to come, or to come back.
    Always,
    /// Those that are connected, and for as long as they are.
    WhileConnected,
}

/// What a ROUTER does with a message that cannot be queued for the peer it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unroutable {
    /// It drops the message.
    Drop,
    /// It gives the message back to the caller.
    Report,
}

/// What a ROUTER does with a peer that comes with the routing id of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TakenRoutingId {
    /// The newcomer is refused.
    Refuse,
    /// The newcomer gets the routing id, and the connection of the other ends.
    HandOver,
}

/// When a REQ may send, and how it tells which reply belongs to which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requests {
    /// One request after the reply to the other.
    Strict,
    /// The same, with a number in front of each request that its reply has to repeat.
    Correlated,
    /// With that number, so that a request may supersede the one before.
    Relaxed,
}

/// Messages that go with the coming and going of peers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notices {
    /// Goes out first on each connection, so that a ROUTER learns of it.
    pub(crate) probe: Option<Message>,
    /// Goes out on each connection before all that is sent.
    pub(crate) hello: Option<Message>,
    /// Is received from each peer that has come.
    pub(crate) arrival: Option<Message>,
    /// Is received last from an accepted peer.
    pub(crate) departure: Option<Message>,
    /// Is received when a connection that this side made is lost.
    pub(crate) hiccup: Option<Message>,
    /// Is received after that, whoever made the connection.
    pub(crate) end: Option<Message>,
}

impl Notices {
    /// What goes out on a connection before all that is sent.
    pub(crate) fn greetings(&self) -> impl DoubleEndedIterator<Item = &Message> {
        [&self.probe, &self.hello].into_iter().flatten()
    }

    /// What the receiver gets to see of the end of a connection, if anything.
    pub(crate) fn parting(
        &self,
        retention: Retention,
        reason: &DisconnectReason,
    ) -> impl Iterator<Item = &Message> {
        let message = match retention {
            Retention::Connection => &self.departure,
            Retention::Endpoint | Retention::Queue => &self.hiccup,
        };
        // Whoever took the routing id over is the same peer to those who know it by that.
        let is_over = *reason != DisconnectReason::RoutingIdHandedOver;
        let notices = is_over.then_some([message, &self.end]);
        notices.into_iter().flatten().flatten()
    }
}

/// What ends the attempts to connect to an endpoint, beside a peer that refuses for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ReconnectStop {
    /// Nobody listens there: the operating system of the peer refused the connection.
    ConnectionRefused,
    /// A connection ended before its handshake did, for whatever reason.
    HandshakeFailed,
    /// The socket disconnected from the endpoint, though messages still wait for it.
    AfterDisconnect,
}

/// When a lost or refused connection is tried again.
///
/// The delay doubles with every failure up to `max`; a random part of it is left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReconnectPolicy {
    /// The first delay; none: never.
    pub(crate) initial: Option<Duration>,
    pub(crate) max: Duration,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            send_high_water_mark: 1000,
            receive_high_water_mark: 1000,
            linger: None,
            busy_wait: Duration::ZERO,
            routing_id: None,
            reconnect: ReconnectPolicy {
                initial: Some(Duration::from_millis(100)),
                max: Duration::from_secs(5),
            },
            reconnect_stop: BTreeSet::new(),
            connect_timeout: None,
            handshake_timeout: Some(Duration::from_secs(30)),
            heartbeat: None,
            limits: Limits::default(),
            resource: None,
            metadata: Metadata::default(),
            transport: TransportOptions::default(),
            accept_filter: AcceptFilter::default(),
            max_connections: 65_536,
            max_half_open: 8192,
            publishing: PublishOptions::default(),
            matching: Matching::Prefix,
            cancellations: Cancellations::Last,
            unroutable: Unroutable::Drop,
            taken_routing_id: TakenRoutingId::Refuse,
            requests: Requests::Strict,
            notices: Notices::default(),
            queueing: Queueing::Always,
            conflation: Conflation::None,
            security: SecurityOptions::default(),
        }
    }
}

impl SocketOptions {
    /// What of all this may change while the socket lives.
    pub(crate) fn queue_options(&self, socket_type: SocketType) -> QueueOptions {
        QueueOptions {
            limits: PeerLimits {
                send: self.send_limits(socket_type),
                receive: self.receive_limits(),
            },
            linger: self.linger,
        }
    }

    fn send_limits(&self, socket_type: SocketType) -> QueueLimits {
        if self.conflation == Conflation::LastMessage {
            return QueueLimits::LAST_MESSAGE;
        }
        let drops = match socket_type {
            SocketType::Pub | SocketType::XPub => self.publishing.when_full == WhenFull::Drop,
            SocketType::Router => self.unroutable == Unroutable::Drop,
            SocketType::Rep | SocketType::XSub => true,
            _ => false,
        };
        // What drops what does not fit shall do so by the high-water mark alone.
        let bytes = if drops { usize::MAX } else { QUEUE_BYTES };
        QueueLimits {
            messages: high_water_mark(self.send_high_water_mark),
            bytes,
        }
    }

    fn receive_limits(&self) -> QueueLimits {
        if self.conflation == Conflation::LastMessage {
            return QueueLimits::LAST_MESSAGE;
        }
        QueueLimits {
            messages: high_water_mark(self.receive_high_water_mark),
            bytes: QUEUE_BYTES,
        }
    }

    /// How many accepted connections may shake hands: at most half of all, so that those who never
    /// finish cannot take every place.
    pub(crate) fn half_open_limit(&self) -> usize {
        self.max_half_open.min(self.max_connections / 2)
    }

    pub(crate) fn session_config(&self, socket_type: SocketType, side: Side) -> SessionConfig {
        let mut config = SessionConfig::new(socket_type, side);
        config.routing_id = self.routing_id.clone();
        config.limits = self.limits;
        config.resource = self.resource.clone();
        config.metadata = self.metadata.clone();
        config.handshake_timeout = self.handshake_timeout;
        config.heartbeat = self.heartbeat;
        // Sockets with options that contradict each other neither bind nor connect. Should one
        // come here, nobody gets in: there is no authenticator that could be asked.
        let mechanism = self.security.mechanism();
        config.mechanism = mechanism.unwrap_or(MechanismConfig::PlainServer);
        config
    }
}
