//! Why no answer came: one more attempt to connect, of which the user is told how it ends.

use std::io::ErrorKind;
use std::time::Duration;

use zmtp::{DealerSocket, DisconnectReason, Socket, SocketEvent};
use zrpc::security::Security;

use crate::args::Link;
use crate::render::{chain, on_one_line};

/// Returns what is wrong with the first address at which nobody can be talked to, if there is one.
///
/// All addresses are tried at the same time, for no longer than [`PATIENCE`]. Nothing is called.
pub(crate) async fn diagnose(links: &[Link], security: &Security) -> Option<String> {
    let findings = links.iter().filter_map(|link| match link {
        Link::Connect(address) => Some(examine(address, security)),
        // Who connects here can only be waited for.
        Link::Bind(_) => None,
    });
    let findings = futures_util::future::join_all(findings).await;
    findings.into_iter().flatten().next()
}

/// Returns what is wrong with one address, if anything is.
async fn examine(address: &str, security: &Security) -> Option<String> {
    let trying = try_to_connect(address, security.clone());
    let shown = on_one_line(address);
    match tokio::time::timeout(PATIENCE, trying).await {
        Ok(Attempt::Reached) => None,
        Ok(Attempt::Failed(kind)) => {
            let why = match kind {
                ErrorKind::ConnectionRefused | ErrorKind::NotFound => "nobody listens there".into(),
                ErrorKind::PermissionDenied | ErrorKind::TimedOut => kind.to_string(),
                // The system has no kind for names that are not known.
                kind => format!("{kind}; is the host known, and can it be reached?"),
            };
            Some(format!("cannot connect to {shown}: {why}"))
        }
        Ok(Attempt::Refused(reason)) => {
            let why = chain(&reason);
            let why = on_one_line(&why);
            Some(format!("who listens at {shown} is no peer: {why}"))
        }
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
