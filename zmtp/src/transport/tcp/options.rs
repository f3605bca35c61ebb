//! The options of the tcp transport, and how the operating system is told.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;

use super::resolve::Resolver;
use super::socks::SocksProxy;

/// What tcp connections are configured with; `None` leaves a setting to the operating system.
#[derive(Clone, Debug, Default)]
pub(crate) struct TcpOptions {
    pub(crate) ip_versions: IpVersions,
    pub(crate) keep_alive: Option<TcpKeepAlive>,
    pub(crate) device: Option<Box<str>>,
    pub(crate) type_of_service: Option<u8>,
    pub(crate) priority: Option<u32>,
    pub(crate) max_retransmit_time: Option<Duration>,
    pub(crate) proxy: Option<SocksProxy>,
    pub(crate) resolver: Resolver,
}

/// What a wildcard host stands for, and which address of a name is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IpVersions {
    /// All interfaces by IPv4; the IPv4 address of a name, if it has one.
    #[default]
    PreferV4,
    /// All interfaces by both versions; the first address of a name.
    Both,
}

/// When and how often the operating system asks a silent peer whether it is still there.
///
/// What is not set is left to the operating system. ZMTP heartbeats find more: they also notice
/// a peer whose program hangs. See [`Heartbeat`](crate::session::Heartbeat).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpKeepAlive {
    idle: Option<Duration>,
    interval: Option<Duration>,
    count: Option<u32>,
}

impl TcpKeepAlive {
    /// Asks as the operating system is configured to: on Linux after two hours.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks after the peer was silent for this time, in whole seconds (`TCP_KEEPIDLE`): 1 to 32 767.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Asks again after this time, in whole seconds (`TCP_KEEPINTVL`): 1 to 32 767.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Gives the peer up after it was asked so many times in vain (`TCP_KEEPCNT`): 1 to 127. Windows
    /// always asks ten times.
    #[must_use]
    pub fn count(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Whether the values are within their limits. These are those of Linux, which would refuse others
    /// at every attempt to connect; they hold on every operating system, so that what works on one is
    /// not an error on another.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use zmtp::TcpKeepAlive;
    ///
    /// assert!(TcpKeepAlive::new().idle(Duration::from_secs(60)).is_usable());
    /// // In whole seconds, that is none.
    /// assert!(!TcpKeepAlive::new().idle(Duration::from_millis(60)).is_usable());
    /// ```
    pub fn is_usable(&self) -> bool {
        let is_time = |time: Duration| (1..=MAX_SECONDS).contains(&time.as_secs());
        self.idle.is_none_or(is_time)
            && self.interval.is_none_or(is_time)
            && self
                .count
                .is_none_or(|count| (1..=MAX_COUNT).contains(&count))
    }

    fn apply(&self, socket: &SockRef<'_>) -> io::Result<()> {
        let mut settings = socket2::TcpKeepalive::new();
        if let Some(idle) = self.idle {
            settings = settings.with_time(idle);
        }
        if let Some(interval) = self.interval {
            settings = settings.with_interval(interval);
        }
        #[cfg(not(windows))]
        if let Some(count) = self.count {
            settings = settings.with_retries(count);
        }
        socket.set_tcp_keepalive(&settings)
    }
}

/// `MAX_TCP_KEEPIDLE` and `MAX_TCP_KEEPINTVL` of Linux.
const MAX_SECONDS: u64 = 32_767;

/// `MAX_TCP_KEEPCNT` of Linux.
const MAX_COUNT: u32 = 127;

impl TcpOptions {
    /// Configures a socket of the version of `address` before it is bound or connected.
    pub(super) fn apply(&self, socket: &SockRef<'_>, address: &SocketAddr) -> io::Result<()> {
        if let Some(device) = &self.device {
            bind_device(socket, device)?;
        }
        self.apply_to_connection(socket, address)
    }

    /// Configures a connection, which has its device already.
    pub(super) fn apply_to_connection(
        &self,
        socket: &SockRef<'_>,
        address: &SocketAddr,
    ) -> io::Result<()> {
        if let Some(keep_alive) = &self.keep_alive {
            keep_alive.apply(socket)?;
        }
        if let Some(type_of_service) = self.type_of_service {
            set_type_of_service(socket, address, u32::from(type_of_service))?;
        }
        if let Some(priority) = self.priority {
            set_priority(socket, priority)?;
        }
        if let Some(time) = self.max_retransmit_time {
            set_user_timeout(socket, time)?;
        }
        Ok(())
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bind_device(socket: &SockRef<'_>, device: &str) -> io::Result<()> {
    socket.bind_device(Some(device.as_bytes()))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_type_of_service(
    socket: &SockRef<'_>,
    address: &SocketAddr,
    type_of_service: u32,
) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => socket.set_tos_v4(type_of_service),
        SocketAddr::V6(_) => socket.set_tclass_v6(type_of_service),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_priority(socket: &SockRef<'_>, priority: u32) -> io::Result<()> {
    socket.set_priority(priority)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_user_timeout(socket: &SockRef<'_>, time: Duration) -> io::Result<()> {
    socket.set_tcp_user_timeout(Some(time))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bind_device(_: &SockRef<'_>, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_type_of_service(_: &SockRef<'_>, _: &SocketAddr, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_priority(_: &SockRef<'_>, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_user_timeout(_: &SockRef<'_>, _: Duration) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
