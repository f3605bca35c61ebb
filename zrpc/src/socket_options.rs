//! The options of the socket under a client or server.

use std::time::Duration;

use zmtp::endpoint::IpNetwork;
use zmtp::session::{Heartbeat, Limits};
use zmtp::{Builder, ReconnectStop, Socket, SocksProxy, TcpKeepAlive};

use crate::OptionError;
use crate::security::Security;

/// How the socket under a client or server makes, accepts and checks connections.
///
/// The defaults, with the names of the options in `zmtp`:
///
/// | option | default |
/// |---|---|
/// | [`reconnect_interval`](Self::reconnect_interval) | 100 ms, doubled with every failure |
/// | [`reconnect_interval_max`](Self::reconnect_interval_max) | 5 s |
/// | [`reconnect_stop`](Self::reconnect_stop) | a peer that refuses for good |
/// | [`connect_timeout`](Self::connect_timeout) | that of the operating system |
/// | [`handshake_timeout`](Self::handshake_timeout) | 30 s |
/// | [`heartbeat`](Self::heartbeat) | none on the connection: calls have their own |
/// | [`max_connections`](Self::max_connections) | 65 536 accepted ones |
/// | [`max_half_open`](Self::max_half_open) | 8192 that still shake hands |
/// | [`backlog`](Self::backlog) | 1024 |
/// | [`accept_networks`](Self::accept_networks) | all |
/// | [`limits`](Self::limits) | messages of up to 256 MiB; see [`Limits`] |
/// | [`send_high_water_mark`](Self::send_high_water_mark), [`receive_high_water_mark`](Self::receive_high_water_mark) | 1000 messages for each peer, and about 1 MiB |
/// | [`busy_wait`](Self::busy_wait) | none |
/// | [`ipv6`](Self::ipv6) | wildcards stand for IPv4 |
/// | [`tcp_keepalive`](Self::tcp_keepalive) | that of the operating system |
/// | [`send_buffer`](Self::send_buffer), [`receive_buffer`](Self::receive_buffer) | those of the operating system |
/// | [`socks_proxy`](Self::socks_proxy) | none |
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use zrpc::{Client, SocketOptions};
///
/// let patient = SocketOptions::new()
///     .reconnect_interval(Duration::from_secs(1))
///     .reconnect_interval_max(Duration::from_secs(60));
/// let builder = Client::builder().socket(patient);
/// # drop(builder);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "they do nothing until a builder has them"]
pub struct SocketOptions {
    reconnect: Option<Reconnect>,
    reconnect_interval_max: Option<Duration>,
    reconnect_stop: Option<Vec<ReconnectStop>>,
    connect_timeout: Option<Duration>,
    handshake_timeout: Option<Duration>,
    heartbeat: Option<Heartbeat>,
    max_connections: Option<usize>,
    max_half_open: Option<usize>,
    backlog: Option<u32>,
    accept_networks: Option<Vec<IpNetwork>>,
    limits: Option<Limits>,
    send_high_water_mark: Option<usize>,
    receive_high_water_mark: Option<usize>,
    busy_wait: Option<Duration>,
    ip_versions: IpVersions,
    tcp_keepalive: Option<TcpKeepAlive>,
    send_buffer: Option<usize>,
    receive_buffer: Option<usize>,
    socks_proxy: Option<SocksProxy>,
}

#[derive(Debug, Clone, Copy)]
enum Reconnect {
    Never,
    After(Duration),
}

#[derive(Debug, Clone, Copy, Default)]
enum IpVersions {
    #[default]
    PreferV4,
    Both,
}

/// What a socket sends and receives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Messages {
    /// Events of calls, each with an empty part in front of it.
    Calls,
    /// Events by themselves, or behind a topic.
    Events,
}

impl Messages {
    /// How many parts the shortest one has.
    fn parts(self) -> usize {
        match self {
            Self::Calls => 2,
            Self::Events => 1,
        }
    }

    /// The octets of the property that says what the peer is, with the shortest name that one has:
    /// DEALER or ROUTER, and PUB or SUB.
    fn socket_type_len(self) -> u64 {
        let property = 1 + "Socket-Type".len() + 4;
        let name = match self {
            Self::Calls => "DEALER",
            Self::Events => "PUB",
        };
        (property + name.len()) as u64
    }
}

/// A PING with the longest context that there may be: its name, a time to live, and the context. A
/// peer whose heartbeats are longer than may be is closed for being alive.
const LONGEST_PING: u64 = 5 + 2 + 16;

impl SocketOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long after a failure a connection is tried again. The delay doubles with every
    /// failure, and varies at random.
    pub fn reconnect_interval(mut self, interval: Duration) -> Self {
        self.reconnect = Some(Reconnect::After(interval));
        self
    }

    /// Sets the longest time between two attempts to connect.
    pub fn reconnect_interval_max(mut self, max: Duration) -> Self {
        self.reconnect_interval_max = Some(max);
        self
    }

    /// Connects once and never again.
    pub fn no_reconnect(mut self) -> Self {
        self.reconnect = Some(Reconnect::Never);
        self
    }

    /// Sets what ends the attempts to connect to an endpoint, beside a peer that refuses for good.
    pub fn reconnect_stop(mut self, events: impl IntoIterator<Item = ReconnectStop>) -> Self {
        self.reconnect_stop = Some(events.into_iter().collect());
        self
    }

    /// Sets how long establishing a connection may take, with the resolution of its name.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Sets how long greeting and handshake may take in all, decisions of an authenticator included.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = Some(timeout);
        self
    }

    /// Asks silent connections for signs of life. Calls have a heartbeat of their own; this one also
    /// finds out about connections without any call, such as those that a firewall forgot.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = Some(heartbeat);
        self
    }

    /// Sets how many accepted connections may be open.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = Some(connections);
        self
    }

    /// Sets how many accepted connections may be in their handshake, half of that from one address.
    /// The oldest makes room for the newest.
    pub fn max_half_open(mut self, connections: usize) -> Self {
        self.max_half_open = Some(connections);
        self
    }

    /// Sets how many connections the operating system keeps ready to be accepted.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = Some(connections);
        self
    }

    /// Accepts tcp connections from these networks alone, before a handshake begins: from nowhere if
    /// there are none.
    pub fn accept_networks(mut self, networks: impl IntoIterator<Item = IpNetwork>) -> Self {
        self.accept_networks = Some(networks.into_iter().collect());
        self
    }

    /// Sets what a peer may send before its connection is closed. Events have limits of their own,
    /// whose excess costs a call and not the connection: [`zrpc::Limits`](crate::Limits). To accept
    /// longer ones than these messages is an error of the builder, and so are limits below what a
    /// handshake or a heartbeat takes.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Sets how many messages the socket queues for one peer; 0 for no mark beside that in bytes.
    pub fn send_high_water_mark(mut self, messages: usize) -> Self {
        self.send_high_water_mark = Some(messages);
        self
    }

    /// Sets how many messages of one peer the socket queues before no more are read from it; 0 for
    /// no mark beside that in bytes.
    pub fn receive_high_water_mark(mut self, messages: usize) -> Self {
        self.receive_high_water_mark = Some(messages);
        self
    }

    /// Sets how long a client or server that has nothing to do keeps looking for messages before it
    /// sleeps, which uses a core up and saves the time to be woken. For single calls in quick
    /// succession on [`IoRuntime::Current`](crate::IoRuntime::Current), where there is a core for
    /// each program; a few times the usual round trip is a good choice.
    pub fn busy_wait(mut self, patience: Duration) -> Self {
        self.busy_wait = Some(patience);
        self
    }

    /// Listens by IPv6 as well as by IPv4 where an endpoint names neither.
    pub fn ipv6(mut self) -> Self {
        self.ip_versions = IpVersions::Both;
        self
    }

    /// Lets the operating system ask silent peers on tcp connections whether they are still there.
    /// Values that are not [usable](TcpKeepAlive::is_usable) are an error of the builder, whatever the
    /// endpoints are, for others may be added later.
    pub fn tcp_keepalive(mut self, keep_alive: TcpKeepAlive) -> Self {
        self.tcp_keepalive = Some(keep_alive);
        self
    }

    /// Sets how many octets the operating system buffers for sending on a connection (`SO_SNDBUF`, of
    /// which Linux takes twice as much). What it has when a connection breaks is lost.
    pub fn send_buffer(mut self, octets: usize) -> Self {
        self.send_buffer = Some(octets);
        self
    }

    /// Sets how many octets the operating system buffers for receiving on a connection
    /// (`SO_RCVBUF`).
    pub fn receive_buffer(mut self, octets: usize) -> Self {
        self.receive_buffer = Some(octets);
        self
    }

    /// Makes tcp connections through a SOCKS5 proxy.
    pub fn socks_proxy(mut self, proxy: SocksProxy) -> Self {
        self.socks_proxy = Some(proxy);
        self
    }

    /// Says what makes no sense, for these messages and behind this handshake.
    pub(crate) fn check(&self, messages: Messages, security: &Security) -> Result<(), OptionError> {
        let interval = match self.reconnect {
            Some(Reconnect::After(interval)) => Some(interval),
            Some(Reconnect::Never) | None => None,
        };
        for (option, duration) in [
            ("reconnect_interval", interval),
            ("reconnect_interval_max", self.reconnect_interval_max),
            ("connect_timeout", self.connect_timeout),
            ("handshake_timeout", self.handshake_timeout),
            ("heartbeat.interval", self.heartbeat.map(|it| it.interval)),
            ("heartbeat.timeout", self.heartbeat.map(|it| it.timeout)),
        ] {
            OptionError::check_duration(option, duration)?;
        }
        for (option, count) in [
            ("max_connections", self.max_connections),
            ("max_half_open", self.max_half_open),
            ("backlog", self.backlog.map(|it| it as usize)),
            ("send_buffer", self.send_buffer),
            ("receive_buffer", self.receive_buffer),
        ] {
            OptionError::check_count(option, count.unwrap_or(1))?;
        }
        for (option, octets) in [
            ("send_buffer", self.send_buffer),
            ("receive_buffer", self.receive_buffer),
        ] {
            // What the system call takes.
            if i32::try_from(octets.unwrap_or(1)).is_err() {
                let max = i32::MAX as u64;
                return Err(OptionError::TooLarge { option, max });
            }
        }
        self.check_limits(messages, security)?;
        if self
            .tcp_keepalive
            .as_ref()
            .is_some_and(|it| !it.is_usable())
        {
            return Err(OptionError::KeepAliveOutOfRange);
        }
        self.check_together(interval)
    }

    /// Says which options do not go together; it connects again after `interval`, if that is known.
    fn check_together(&self, interval: Option<Duration>) -> Result<(), OptionError> {
        if let Some(Reconnect::Never) = self.reconnect {
            for (option, is_set) in [
                (
                    "reconnect_interval_max",
                    self.reconnect_interval_max.is_some(),
                ),
                ("reconnect_stop", self.reconnect_stop.is_some()),
            ] {
                if is_set {
                    let by = "no_reconnect";
                    return Err(OptionError::Excluded { option, by });
                }
            }
        }
        if let (Some(half_open), Some(all)) = (self.max_half_open, self.max_connections)
            && half_open > all
        {
            return Err(OptionError::Exceeds {
                option: "max_half_open",
                bound: "max_connections",
            });
        }
        if let (Some(interval), Some(max)) = (interval, self.reconnect_interval_max)
            && interval > max
        {
            return Err(OptionError::Exceeds {
                option: "reconnect_interval",
                bound: "reconnect_interval_max",
            });
        }
        Ok(())
    }

    /// Says which limit lets nothing through, or none of these messages, or no handshake.
    fn check_limits(&self, messages: Messages, security: &Security) -> Result<(), OptionError> {
        let Some(limits) = &self.limits else {
            return Ok(());
        };
        for (option, limit) in [
            ("max_frame_size", limits.max_frame_size),
            ("max_message_size", limits.max_message_size),
            ("max_command_size", limits.max_command_size),
            (
                "max_handshake_command_size",
                limits.max_handshake_command_size,
            ),
            ("max_parts_per_message", limits.max_parts_per_message as u64),
            (
                "max_metadata_properties",
                limits.max_metadata_properties as u64,
            ),
            ("max_pending_pongs", limits.max_pending_pongs as u64),
        ] {
            if limit == 0 {
                return Err(OptionError::Zero { option });
            }
        }
        let parts = messages.parts() as u64;
        for (option, limit, min) in [
            (
                "max_message_size",
                limits.max_message_size,
                parts * Limits::PART_OVERHEAD + 1,
            ),
            (
                "max_parts_per_message",
                limits.max_parts_per_message as u64,
                parts,
            ),
            ("max_command_size", limits.max_command_size, LONGEST_PING),
            (
                "max_handshake_command_size",
                limits.max_handshake_command_size,
                security.min_command_len(messages.socket_type_len()),
            ),
        ] {
            if limit < min {
                return Err(OptionError::TooSmall { option, min });
            }
        }
        Ok(())
    }

    /// Says whether events of a length that was asked for are longer than the messages that they are
    /// in may be, and names the `option` that asked: those would end the connection, and not their call alone.
    pub(crate) fn check_event_len(
        &self,
        option: &'static str,
        event_len: usize,
    ) -> Result<(), OptionError> {
        let limits = self.limits.unwrap_or_default();
        let event_len = event_len as u64;
        // An event has an empty part or a topic in front of it.
        let message_size = event_len.saturating_add(2 * Limits::PART_OVERHEAD);
        for (len, bound, largest) in [
            (message_size, "max_message_size", limits.max_message_size),
            (event_len, "max_frame_size", limits.max_frame_size),
        ] {
            if len > largest {
                return Err(OptionError::Exceeds { option, bound });
            }
        }
        Ok(())
    }

    /// Sets up a socket.
    pub(crate) fn apply<S: Socket>(self, builder: Builder<S>) -> Builder<S> {
        let mut builder = match self.reconnect {
            None => builder,
            Some(Reconnect::Never) => builder.no_reconnect(),
            Some(Reconnect::After(interval)) => builder.reconnect_interval(interval),
        };
        builder = set(
            builder,
            self.reconnect_interval_max,
            Builder::reconnect_interval_max,
        );
        builder = set(builder, self.reconnect_stop, Builder::reconnect_stop);
        builder = set(builder, self.connect_timeout, Builder::connect_timeout);
        builder = set(builder, self.handshake_timeout, Builder::handshake_timeout);
        builder = set(builder, self.heartbeat, Builder::heartbeat);
        builder = set(builder, self.max_connections, Builder::max_connections);
        builder = set(builder, self.max_half_open, Builder::max_half_open);
        builder = set(builder, self.backlog, Builder::backlog);
        builder = set(builder, self.accept_networks, Builder::accept_networks);
        builder = set(builder, self.limits, Builder::limits);
        builder = set(
            builder,
            self.send_high_water_mark,
            Builder::send_high_water_mark,
        );
        builder = set(
            builder,
            self.receive_high_water_mark,
            Builder::receive_high_water_mark,
        );
        builder = set(builder, self.busy_wait, Builder::busy_wait);
        builder = set(builder, self.tcp_keepalive, Builder::tcp_keepalive);
        builder = set(builder, self.send_buffer, Builder::send_buffer);
        builder = set(builder, self.receive_buffer, Builder::receive_buffer);
        builder = set(builder, self.socks_proxy, Builder::socks_proxy);
        match self.ip_versions {
            IpVersions::PreferV4 => builder,
            IpVersions::Both => builder.ipv6(),
        }
    }
}

/// Sets an option that was chosen.
fn set<B, T>(builder: B, chosen: Option<T>, setter: impl FnOnce(B, T) -> B) -> B {
    match chosen {
        Some(value) => setter(builder, value),
        None => builder,
    }
}
