//! Why no answer came: one more attempt to connect, of which the user is told how it ends.

use std::io::{self, ErrorKind, Write};
use std::pin::pin;
use std::time::Duration;

use zmtp::session::{Incompatible, SessionError, SessionState};
use zmtp::wire::greeting::MechanismName;
use zmtp::{DealerSocket, DisconnectReason, PubSocket, PushSocket, Socket, SocketEvent, SubSocket};
use zrpc::security::Security;

use crate::args::Link;
use crate::render::{chain, on_one_line};

/// Returns what is wrong with the first address at which nobody can be talked to, if there is one.
///
/// All addresses are tried at the same time, for no longer than [`PATIENCE`]. Nothing is called.
pub(crate) async fn diagnose(links: &[Link], security: &Security) -> Option<String> {
    probe::<DealerSocket>(links, security, Fit::Needed).await
}

/// Who sends or receives events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventSide {
    /// A publisher.
    Publisher,
    /// A subscriber.
    Subscriber,
    /// A pusher.
    Pusher,
    /// A puller.
    Puller,
}

/// The same for events. Nothing is sent and nothing is received.
pub(crate) async fn diagnose_events(
    side: EventSide,
    links: &[Link],
    security: &Security,
) -> Option<String> {
    match side {
        EventSide::Publisher => probe::<PubSocket>(links, security, Fit::Needed).await,
        EventSide::Subscriber => probe::<SubSocket>(links, security, Fit::Needed).await,
        EventSide::Pusher => probe::<PushSocket>(links, security, Fit::Needed).await,
        // A second puller would take events away.
        EventSide::Puller => probe::<DealerSocket>(links, security, Fit::Irrelevant).await,
    }
}

/// Whether the socket on the other side has to be one that ours talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    Needed,
    Irrelevant,
}

async fn probe<S: Socket>(links: &[Link], security: &Security, fit: Fit) -> Option<String> {
    let findings = links.iter().filter_map(|link| match link {
        Link::Connect(address) => Some(examine::<S>(address, security, fit)),
        // Who connects here can only be waited for.
        Link::Bind(_) => None,
    });
    let findings = futures_util::future::join_all(findings).await;
    findings.into_iter().flatten().next()
}

/// Returns what is wrong with one address, if anything is.
async fn examine<S: Socket>(address: &str, security: &Security, fit: Fit) -> Option<String> {
    let trying = try_to_connect::<S>(address, security.clone());
    let shown = on_one_line(address);
    match tokio::time::timeout(PATIENCE, trying).await {
        Ok(Attempt::Reached) => None,
        Ok(Attempt::Failed(kind)) => {
            let why = match kind {
                ErrorKind::ConnectionRefused | ErrorKind::NotFound => "nobody listens there".into(),
                ErrorKind::PermissionDenied | ErrorKind::TimedOut => kind.to_string(),
                // The system has no kind for names that are not known.
                kind => match resolution_error(address).await {
                    Some(error) => error.to_string(),
                    None => format!("{kind}; can the host be reached?"),
                },
            };
            Some(format!("cannot connect to {shown}: {why}"))
        }
        // It is seen when all else is agreed.
        Ok(Attempt::Refused(DisconnectReason::Protocol(SessionError::Incompatible(
            Incompatible::SocketType { .. },
        )))) if fit == Fit::Irrelevant => None,
        Ok(Attempt::Refused(reason)) => Some(refusal(address, &reason)),
        Err(_) => {
            let patience = PATIENCE.as_secs();
            Some(format!("no connection to {shown} within {patience} s"))
        }
    }
}

/// How an attempt to connect ended.
#[derive(Debug)]
enum Attempt {
    /// Somebody is there who talks to us.
    Reached,
    /// There is no connection.
    Failed(ErrorKind),
    /// There is one, and no peer behind it.
    Refused(DisconnectReason),
}

/// Returns what is wrong with a connection that ended in its handshake, and what to do about it.
pub(crate) fn refusal(address: &str, reason: &DisconnectReason) -> String {
    let DisconnectReason::Protocol(error) = reason else {
        return no_peer(address, reason);
    };
    let why = match error {
        SessionError::Incompatible(Incompatible::Mechanism { theirs }) => match *theirs {
            MechanismName::CURVE => "it wants CURVE: give --server-key, and no --plain",
            MechanismName::PLAIN => "it wants PLAIN: give --plain, and no --server-key",
            MechanismName::NULL => "it knows no security: leave --server-key and --plain out",
            _ => return no_peer(address, reason),
        },
        SessionError::Refused { reason } => match reason.as_bytes() {
            b"300" => "it cannot say now whether it lets us in (ZAP 300)",
            b"400" => "it does not know our key or our password (ZAP 400)",
            b"500" => "it fails to find out whether it lets us in (ZAP 500)",
            _ => return no_peer(address, error),
        },
        // [CURVE] A server says nothing to a client that has another key in mind than its own.
        SessionError::Disconnected {
            state: SessionState::Handshake,
        } => "it ended the handshake; with CURVE, is --server-key the key of this server?",
        _ => return no_peer(address, reason),
    };
    format!("no connection to {}: {why}", on_one_line(address))
}

fn no_peer(address: &str, error: &dyn std::error::Error) -> String {
    let (shown, why) = (on_one_line(address), chain(error));
    format!("no connection to {shown}: {}", on_one_line(&why))
}

/// Returns what the resolver says of the host, if it does not know it. Connecting tells the kind of
/// an error alone, and this one has none.
async fn resolution_error(address: &str) -> Option<io::Error> {
    let host = address.strip_prefix("tcp://")?;
    // What stands in front of a semicolon is where to connect from.
    let host = host.rsplit(';').next().unwrap_or(host);
    tokio::net::lookup_host(host).await.err()
}

/// Does the work, and tells on stderr if after [`PATIENCE`] there still is no connection to be seen:
/// nobody should have to wait for the timeout to learn of a wrong address.
pub(crate) async fn tell_meanwhile<T>(
    links: &[Link],
    security: &Security,
    is_connected: impl Fn() -> bool,
    work: impl Future<Output = T>,
) -> T {
    let telling = async {
        tokio::time::sleep(PATIENCE).await;
        if is_connected() {
            return;
        }
        let finding = diagnose(links, security).await;
        if let Some(finding) = finding.filter(|_| !is_connected()) {
            // Results are on stdout, so nothing is lost if stderr is closed.
            let _ = writeln!(io::stderr(), "zrpc: {finding}; still trying");
        }
    };
    let mut work = pin!(work);
    tokio::select! {
        biased;
        output = &mut work => return output,
        () = telling => {}
    }
    work.await
}

async fn try_to_connect<S: Socket>(address: &str, security: Security) -> Attempt {
    let Ok(builder) = security.apply(S::builder()) else {
        // The client has said so before.
        return Attempt::Reached;
    };
    let socket = builder.build();
    let mut monitor = socket.monitor();
    if socket.connect(address).await.is_err() {
        // The client has said so before.
        return Attempt::Reached;
    }
    while let Some(event) = monitor.recv().await {
        match event {
            SocketEvent::HandshakeSucceeded { .. } => break,
            SocketEvent::ConnectFailed { error, .. } => return Attempt::Failed(error),
            SocketEvent::HandshakeFailed { reason, .. } => return Attempt::Refused(reason),
            _ => {}
        }
    }
    Attempt::Reached
}

/// How long the user waits for a diagnosis, and before one is made while a call is under way.
const PATIENCE: Duration = Duration::from_secs(1);
