//! Why no answer came: one more attempt to connect, of which the user is told how it ends.

use std::io::ErrorKind;
use std::time::Duration;

use zmtp::{DealerSocket, DisconnectReason, Socket, SocketEvent};
use zrpc::security::Security;

use crate::args::Link;
use crate::render::{chain, on_one_line};

/// Returns what is wrong with the first address at which nobody can be talked to, if there is one.
///
/// Takes no longer than [`PATIENCE`] for each address. Nothing is called.
pub(crate) async fn diagnose(links: &[Link], security: &Security) -> Option<String> {
    for link in links {
        let Link::Connect(address) = link else {
            // Who connects here can only be waited for.
            continue;
        };
        let trying = try_to_connect(address, security.clone());
        let shown = on_one_line(address);
        match tokio::time::timeout(PATIENCE, trying).await {
            Ok(Attempt::Reached) => {}
            Ok(Attempt::Failed(kind)) => {
                let why = match kind {
                    ErrorKind::ConnectionRefused | ErrorKind::NotFound => "nobody listens there",
                    ErrorKind::PermissionDenied => "permission denied",
                    ErrorKind::TimedOut => "it takes too long",
                    // The system has no kind for names that are not known.
                    _ => "the host is not known, or cannot be reached",
                };
                return Some(format!("cannot connect to {shown}: {why}"));
            }
            Ok(Attempt::Refused(reason)) => {
                let why = chain(&reason);
                let why = on_one_line(&why);
                return Some(format!("who listens at {shown} is no peer: {why}"));
            }
            Err(_) => return Some(format!("nothing answers at {shown}")),
        }
    }
    None
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

async fn try_to_connect(address: &str, security: Security) -> Attempt {
    let Ok(builder) = security.apply(DealerSocket::builder()) else {
        // The client has said so before.
        return Attempt::Reached;
    };
    let socket: DealerSocket = builder.build();
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

/// How long the user waits for a diagnosis.
const PATIENCE: Duration = Duration::from_secs(1);
