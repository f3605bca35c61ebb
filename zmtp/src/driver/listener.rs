//! Accepts connections on one endpoint (L3).

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::RunningConnection;
use super::endpoints::{Admission, Binding};
use super::half_open::{Listed, Share};
use super::hub::{AcceptedSlot, Hub};
use super::monitor::{RefusalReason, SocketEvent};
use super::peer::{Peer, Retention};
use super::randomness::randomness;
use super::report::report_end;
use super::warnings::{Chain, Warnings, warn_or_debug};
use crate::endpoint::PeerAddress;
use crate::session::{Session, Side};
use crate::transport::{Listener, Stream};

/// How long accepting pauses after it failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until the endpoint is unbound or the socket closes.
pub(crate) fn listen(
    hub: Arc<Hub>,
    listener: Listener,
    binding: Arc<Binding>,
) -> impl Future<Output = ()> + Send {
    let bound = Bound::new(hub, listener, binding);
    async move { accept_all(&bound).await }
}

/// An endpoint that is bound; free again, and reported so, when this is dropped. That may be because
/// the runtime goes away.
#[derive(Debug)]
pub(super) struct Bound<T> {
    /// What holds the endpoint; dropped first.
    holder: T,
    place: Place,
}

#[derive(Debug)]
struct Place {
    hub: Arc<Hub>,
    binding: Arc<Binding>,
}

impl<T> Bound<T> {
    pub(super) fn new(hub: Arc<Hub>, holder: T, binding: Arc<Binding>) -> Self {
        Self {
            holder,
            place: Place { hub, binding },
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let endpoint = &self.binding.endpoint;
        tracing::debug!(%endpoint, "no longer listening");
        self.hub.monitor.send(SocketEvent::Unbound {
            endpoint: endpoint.clone(),
        });
        self.hub.endpoints.remove_binding(&self.binding);
    }
}

async fn accept_all(bound: &Bound<Listener>) {
    let Place { hub, binding } = &bound.place;
    loop {
        let accepted = tokio::select! {
            () = binding.unbinding.cancelled() => return,
            accepted = bound.holder.accept(&hub.options.transport) => accepted,
        };
        match accepted {
            Ok((stream, address)) => tokio::select! {
                () = binding.unbinding.cancelled() => return,
                () = accept(hub, binding, stream, address) => {}
            },
            Err(error) => {
                report_failure(hub, &error);
                hub.monitor.send(SocketEvent::AcceptFailed {
                    error: error.kind(),
                });
                if is_of_one_connection(error.kind()) {
                    continue;
                }
                let vacated = hub.vacated.notified();
                if is_out_of_descriptors(&error) {
                    // Whoever does not shake hands must not keep others out by holding them.
                    hub.half_open.evict_one();
                }
                tokio::select! {
                    () = binding.unbinding.cancelled() => return,
                    () = vacated => {}
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
}

/// Whether accepting failed because of a peer that is gone already. The next one may be there.
fn is_of_one_connection(error: io::ErrorKind) -> bool {
    matches!(
        error,
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// Whether the process or the whole system has as many files open as it may: EMFILE or ENFILE, by
/// the numbers that they have on every Unix, or `WSAEMFILE`.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    let codes: &[i32] = if cfg!(windows) { &[10024] } else { &[23, 24] };
    error
        .raw_os_error()
        .is_some_and(|code| codes.contains(&code))
}

/// Takes a place for a connection, from one that still shakes hands if there is no other.
async fn take_slot(hub: &Arc<Hub>) -> Option<AcceptedSlot> {
    loop {
        let vacated = hub.vacated.notified();
        if let Some(slot) = hub.try_accept() {
            return Some(slot);
        }
        if hub.half_open.evict_one() == Listed::No {
            return None;
        }
        // The connection that has to go ends on its own task.
        tokio::select! {
            () = vacated => {}
            () = tokio::time::sleep(ACCEPT_PAUSE) => {}
        }
    }
}

async fn accept(hub: &Arc<Hub>, binding: &Arc<Binding>, stream: Stream, address: PeerAddress) {
    if !hub.options.accept_filter.allows(&address) {
        refuse(hub, address, RefusalReason::Filtered);
        return;
    }
    if hub.unreceived.is_full(hub.options.max_connections) {
        refuse(hub, address, RefusalReason::UnreceivedMessages);
        return;
    }
    let Some(slot) = take_slot(hub).await else {
        refuse(hub, address, RefusalReason::TooManyConnections);
        return;
    };
    let peer = hub.new_peer(Retention::Connection);
    peer.set_address(Some(address.clone()));
    if binding.admit(&peer) == Admission::Refused {
        return;
    }
    hub.half_open.insert(Share::of(&address), Arc::clone(&peer));
    hub.monitor.send(SocketEvent::Accepted {
        peer: peer.id,
        address,
    });
    let (hub_of_task, binding) = (Arc::clone(hub), Arc::clone(binding));
    hub.tasks
        .spawn(serve(hub_of_task, peer, binding, stream, slot));
}

fn report_failure(hub: &Hub, error: &io::Error) {
    let warnings = warnings_of_failure(hub, error.kind());
    warn_or_debug!(warnings, "accepting a connection failed", error = %Chain(error));
}

/// Strangers, who can have as many warnings as they like, must not hide what is wrong with this host.
fn warnings_of_failure(hub: &Hub, error: io::ErrorKind) -> &Warnings {
    if is_of_one_connection(error) {
        &hub.warnings
    } else {
        &hub.host_warnings
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn refuse(hub: &Hub, address: PeerAddress, reason: RefusalReason) {
    warn_or_debug!(hub.warnings, "connection refused", %address, %reason);
    hub.monitor.send(SocketEvent::Refused { address, reason });
}

/// The task of an accepted connection. What it holds, it holds once: most connections are idle.
fn serve(
    hub: Arc<Hub>,
    peer: Arc<Peer>,
    binding: Arc<Binding>,
    stream: Stream,
    slot: AcceptedSlot,
) -> impl Future<Output = ()> + Send {
    let config = hub.options.session_config(hub.socket_type, Side::Listener);
    let session = Session::new(config, now(), randomness());
    let mut connection =
        RunningConnection::new(stream, session, Arc::clone(&peer), Arc::clone(&hub));
    let admitted = Admitted { peer, binding };
    async move {
        let (reason, progress) = (&mut connection).await;
        let peer = Arc::clone(&admitted.peer);
        drop(connection);
        peer.inbox.outlive_connection(&hub.unreceived);
        drop(slot);
        drop(admitted);
        report_end(&hub, &peer, &reason, progress);
    }
}

/// A peer that goes with its endpoint, until this is dropped.
#[derive(Debug)]
struct Admitted {
    peer: Arc<Peer>,
    binding: Arc<Binding>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.binding.dismiss(self.peer.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{NoPattern, SocketOptions, Verdict};
    use crate::endpoint::EndpointName;
    use crate::pattern::SocketType;

    #[test]
    fn strangers_who_are_refused_do_not_hide_that_accepting_fails() {
        let options = SocketOptions::default();
        let hub = Hub::new(SocketType::Pull, options, Arc::new(NoPattern));
        let address = PeerAddress::Inproc(EndpointName::new("stranger").unwrap());
        for _ in 0..1000 {
            refuse(&hub, address.clone(), RefusalReason::Filtered);
        }
        let verdict = |error| warnings_of_failure(&hub, error).admit(now());
        assert_eq!(
            verdict(io::ErrorKind::OutOfMemory),
            Verdict::Write { left_out: None }
        );
        assert_eq!(
            verdict(io::ErrorKind::ConnectionAborted),
            Verdict::LeaveOut,
            "that is a stranger, too"
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_a_want_of_descriptors_ends_a_handshake() {
        let is_it = |code| is_out_of_descriptors(&io::Error::from_raw_os_error(code));
        assert!(is_it(23) && is_it(24));
        // EINTR, ENOMEM.
        assert!(!is_it(4) && !is_it(12));
        assert!(!is_out_of_descriptors(&io::ErrorKind::Other.into()));
    }

    #[test]
    fn accepting_pauses_for_want_of_resources_and_not_for_a_peer_that_is_gone() {
        assert!(is_of_one_connection(io::ErrorKind::ConnectionAborted));
        assert!(is_of_one_connection(io::ErrorKind::ConnectionReset));
        assert!(!is_of_one_connection(io::ErrorKind::OutOfMemory));
        assert!(!is_of_one_connection(io::ErrorKind::Other));
    }
}
