//! What all of these tests need.

use std::time::Duration;

use tests::network::plan::{Fault, Schedule};
use tests::network::proxy::Proxy;
use tests::random::Random;
use tokio::time::{Instant, timeout};
use zmtp::authenticator::AnyKey;
use zmtp::curve::{KeyPair, SecretKey};
use zmtp::session::Limits;
use zmtp::{Builder, Message, MessageSender, Socket, TrySendError};

/// Nothing that is waited for takes longer on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many connections break in each run.
pub(crate) const STRIKES: u64 = 12;

/// Where faults come in a direction that has messages: within a few dozen of them.
const MESSAGES: u64 = 40_000;

/// Where they come in one that has none: within the greeting and the handshake.
const HANDSHAKE: u64 = 90;

/// Where they come in one that has subscriptions alone: within a few dozen of them.
const SUBSCRIPTIONS: u64 = 1500;

/// In which directions messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// To the socket that is bound.
    Forwards,
    /// From the socket that is bound.
    Backwards,
    BothWays,
    /// Subscriptions to the socket that is bound, and little else.
    Subscriptions,
}

impl Traffic {
    fn within(self) -> [u64; 2] {
        match self {
            Self::Forwards => [MESSAGES, HANDSHAKE],
            Self::Backwards => [HANDSHAKE, MESSAGES],
            Self::BothWays => [MESSAGES, MESSAGES],
            Self::Subscriptions => [SUBSCRIPTIONS, HANDSHAKE],
        }
    }
}

/// Which of the two sockets is bound; the other connects through the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Sender,
    Receiver,
}

/// How the connections are secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secured {
    Not,
    WithCurve,
}

/// As much waits in each kernel buffer, about. What is in the network is what may be lost.
pub(crate) const BUFFER: usize = 4096;

/// More than any frame of these tests has, and so little that a length that has changed is soon
/// filled.
pub(crate) const MAX_FRAME: u64 = 48 * 1024;

/// Makes a builder that connects again quickly.
pub(crate) fn quick<S: Socket>() -> Builder<S> {
    let mut limits = Limits::default();
    limits.max_frame_size = MAX_FRAME;
    S::builder()
        .limits(limits)
        .reconnect_interval(Duration::from_millis(2))
        .reconnect_interval_max(Duration::from_millis(5))
        .linger(Duration::ZERO)
        .send_buffer(BUFFER)
        .receive_buffer(BUFFER)
}

impl Secured {
    pub(crate) fn bound<S: Socket>(self) -> Builder<S> {
        match self {
            Self::Not => quick(),
            Self::WithCurve => quick().curve_server(key_pair()).authenticator(AnyKey),
        }
    }

    pub(crate) fn connecting<S: Socket>(self) -> Builder<S> {
        match self {
            Self::Not => quick(),
            Self::WithCurve => quick().curve_client(key_pair().public_key(), KeyPair::generate()),
        }
    }
}

impl Secured {
    /// What may befall the connections: an octet that changes is noticed by encryption alone.
    pub(crate) fn faults(self) -> &'static [Fault] {
        match self {
            Self::Not => &Fault::LOSSES,
            Self::WithCurve => &Fault::ALL,
        }
    }

    /// The name of a pattern in the accounts.
    pub(crate) fn name(self, pattern: &str) -> String {
        match self {
            Self::Not => pattern.to_owned(),
            Self::WithCurve => format!("{pattern}, CURVE"),
        }
    }
}

pub(crate) fn key_pair() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([0x51; 32]))
}

/// The faults of this run.
pub(crate) fn random() -> Random {
    Random::from_environment("NETWORK_SEED", 1)
}

/// Binds a socket and puts a network in front of it.
pub(crate) async fn network(
    socket: &impl Socket,
    traffic: Traffic,
    random: Random,
    faults: &[Fault],
) -> Proxy {
    let bound = socket.bind("tcp://127.0.0.1:*").await.unwrap();
    network_before(&bound.to_string(), traffic, random, faults)
}

/// Puts a network in front of an endpoint.
pub(crate) fn network_before(
    endpoint: &str,
    traffic: Traffic,
    random: Random,
    faults: &[Fault],
) -> Proxy {
    let target = endpoint["tcp://".len()..].parse().unwrap();
    let schedule = Schedule::new(random, faults, traffic.within());
    Proxy::start(target, schedule).unwrap()
}

/// Fails what would hang.
pub(crate) async fn in_time<F: Future>(what: &str, future: F) -> F::Output {
    match timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("it takes too long: {what}"),
    }
}

/// Waits until something holds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it never holds: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Sends a message, or gives it back if nobody takes it for a moment.
pub(crate) async fn send<S>(socket: &mut S, message: Message) -> Result<(), Message>
where
    S: MessageSender,
{
    let writable = socket.writable();
    let message = match socket.try_send_message(message) {
        Ok(()) => return Ok(()),
        Err(TrySendError::Full(message)) => message,
        Err(error) => panic!("{error}"),
    };
    let _ = timeout(Duration::from_millis(5), writable).await;
    Err(message)
}
