//! Runs malformed and unusual input against a PULL socket and checks the reaction.
//!
//! Every case runs four times: the socket binds and connects, and the octets come in one piece and
//! one by one. Beside the peer of the case stands a healthy one that must not notice anything, and no
//! case may take much memory or time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tests::bytes::{COMMAND, greeting, message};
use tests::raw_peer::RawPeer;
use tests::recorder::Recorder;
use tests::usage::{resident_memory, thread_time};
use tokio::net::TcpListener;
use zmtp::{Endpoint, Message, PullSocket, Socket};

/// Octets that a peer sends, and what must come of it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) octets: Vec<u8>,
    pub(crate) reaction: Reaction,
}

/// What a socket does with the octets of a case.
pub(crate) enum Reaction {
    /// It closes the connection, having sent its greeting and at most its READY.
    Close,
    /// It sends ERROR and closes the connection.
    Error,
    /// It answers its READY with these octets, and keeps the connection.
    Answer(Vec<u8>),
    /// It delivers these messages and keeps the connection.
    Deliver(Vec<Vec<&'static [u8]>>),
    /// It delivers these messages; then the connection ends.
    DeliverAndClose(Vec<Vec<&'static [u8]>>),
}

impl Case {
    pub(crate) fn new(name: &'static str, octets: Vec<u8>, reaction: Reaction) -> Self {
        Self {
            name,
            octets,
            reaction,
        }
    }
}

/// Which side of the connection the socket under test is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    Binds,
    Connects,
}

impl Role {
    pub(crate) const BOTH: [Self; 2] = [Self::Binds, Self::Connects];

    /// Connects a raw peer with a socket in this role.
    pub(crate) async fn peer_of(self, socket: &impl Socket) -> io::Result<RawPeer> {
        match self {
            Self::Binds => RawPeer::connect(bind(socket).await).await,
            Self::Connects => accept_from(socket).await,
        }
    }
}

/// How the octets of a case are cut into segments.
#[derive(Debug, Clone, Copy)]
enum Delivery {
    Whole,
    Dribbled,
}

/// Processor time that all of the thread of a case may take, with the peers and without optimisation:
/// a hundred times what the largest of them takes.
const TIME: Duration = Duration::from_secs(5);

/// Memory that may come while a case runs, in octets, much of it for tests beside it. What single ones
/// take is in the tests of hostile peers.
const MEMORY: u64 = 512 << 20;

/// Cases longer than this are not sent octet by octet.
const MAX_DRIBBLED: usize = 2048;

/// Runs all cases in both roles and both deliveries.
pub(crate) async fn run(cases: &[Case]) {
    for case in cases {
        for role in Role::BOTH {
            for delivery in [Delivery::Whole, Delivery::Dribbled] {
                if matches!(delivery, Delivery::Whole) || case.octets.len() <= MAX_DRIBBLED {
                    let context = format!("{} ({role:?}, {delivery:?})", case.name);
                    if let Err(error) = run_case(case, role, delivery).await {
                        panic!("{context}: {error}");
                    }
                }
            }
        }
    }
}

async fn run_case(case: &Case, role: Role, delivery: Delivery) -> io::Result<()> {
    let mut pull = PullSocket::new();
    let mut healthy = RawPeer::connect(bind(&pull).await).await?;
    healthy.handshake("PUSH").await?;
    let recorder = Recorder::start();
    let before = (resident_memory(), thread_time());
    let mut peer = role.peer_of(&pull).await?;
    match delivery {
        // The socket may have seen enough and closed before all was sent.
        Delivery::Whole => drop(peer.send(&case.octets).await),
        Delivery::Dribbled => peer.send_dribbled(&case.octets).await?,
    }
    check(case, &mut pull, &mut peer).await?;
    let is_legal = matches!(case.reaction, Reaction::Deliver(_) | Reaction::Answer(_));
    let expected = usize::from(!is_legal);
    if expected > 0 {
        // The end of a connection is reported when both sides have closed it.
        drop(peer);
        recorder.wait_for_warning().await?;
    }
    healthy.send(&message(&[b"healthy"])).await?;
    expect_message(&mut pull, &[b"healthy"]).await?;
    let memory = resident_memory().saturating_sub(before.0);
    let time = thread_time().saturating_sub(before.1);
    if memory > MEMORY || time > TIME {
        return Err(io::Error::other(format!("{memory} octets and {time:?}")));
    }
    check_warnings(&recorder, expected)
}

async fn check(case: &Case, pull: &mut PullSocket, peer: &mut RawPeer) -> io::Result<()> {
    match &case.reaction {
        Reaction::Close => check_last_words(&peer.recv_until_closed().await?, LastWords::None),
        Reaction::Error => check_last_words(&peer.recv_until_closed().await?, LastWords::Error),
        Reaction::Answer(octets) => {
            peer.recv_greeting().await?;
            peer.recv_frame().await?;
            let answer = peer.recv(octets.len()).await?;
            if answer == *octets {
                return Ok(());
            }
            Err(io::Error::other(format!("answered {answer:x?}")))
        }
        Reaction::Deliver(messages) => {
            for parts in messages {
                expect_message(pull, parts).await?;
            }
            Ok(())
        }
        Reaction::DeliverAndClose(messages) => {
            for parts in messages {
                expect_message(pull, parts).await?;
            }
            peer.recv_until_closed().await.map(drop)
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum LastWords {
    None,
    Error,
}

/// The socket has sent its whole greeting, perhaps READY, and then what is expected.
fn check_last_words(octets: &[u8], expected: LastWords) -> io::Result<()> {
    // The greeting of a peer that cannot go on is sent in full all the same.
    let Some(mut rest) = octets.strip_prefix(&greeting(3, 1)[..]) else {
        return Err(io::Error::other(format!("no whole greeting: {octets:x?}")));
    };
    let mut found = LastWords::None;
    while let [flags, size, body @ ..] = rest {
        let (body, after) = body.split_at(usize::from(*size).min(body.len()));
        match body.get(..6) {
            Some(b"\x05READY") if *flags == COMMAND => {}
            Some(b"\x05ERROR") if *flags == COMMAND => found = LastWords::Error,
            _ => return Err(io::Error::other(format!("sent {rest:x?}"))),
        }
        rest = after;
    }
    if found == expected {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{found:?} instead of {expected:?}"
    )))
}

/// An error of the peer is reported once; what is legal is not reported. Nothing that is logged, at any
/// level, forges a line of the log.
fn check_warnings(recorder: &Recorder, expected: usize) -> io::Result<()> {
    if let Some(forged) = recorder.find(|text| text.contains(char::is_control)) {
        return Err(io::Error::other(format!("logged {forged:?}")));
    }
    let warnings = recorder.take_warnings();
    if warnings.len() == expected {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{expected} warnings expected: {warnings:?}"
    )))
}

/// Receives a message and compares its parts.
pub(crate) async fn expect_message(pull: &mut PullSocket, parts: &[&[u8]]) -> io::Result<()> {
    let received = tests::raw_peer::within(async { pull.recv().await.map_err(io::Error::other) });
    let received: Message = received.await?;
    if received
        .iter()
        .map(|part| part.as_slice())
        .eq(parts.iter().copied())
    {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{received:?} instead of {parts:x?}"
    )))
}

async fn bind(pull: &impl Socket) -> SocketAddr {
    let endpoint = pull.bind("tcp://127.0.0.1:*").await;
    address(&endpoint.expect("a port is free"))
}

async fn accept_from(pull: &impl Socket) -> io::Result<RawPeer> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("tcp://{}", listener.local_addr()?);
    pull.connect(endpoint).await.map_err(io::Error::other)?;
    RawPeer::accept(&listener).await
}

/// Returns the address that a bound endpoint stands for.
pub(crate) fn address(endpoint: &Endpoint) -> SocketAddr {
    let text = endpoint.to_string();
    let address = text
        .strip_prefix("tcp://")
        .and_then(|rest| rest.parse().ok());
    address.expect("a bound TCP endpoint is numeric")
}
