//! What a session reports.

use crate::mechanism::AuthenticationRequest;
use crate::message::{Frame, Part};

/// Something that the peer did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Somebody has to decide about the peer, with
    /// [`Session::authenticate`](crate::session::Session::authenticate).
    ///
    /// Until then the session takes and sends nothing, while the deadline of the handshake goes on.
    Authenticate(Box<AuthenticationRequest>),
    /// The handshake is done, and [`Session::peer`](crate::session::Session::peer) says with whom.
    Established,
    /// A part of a message; the message is whole when its last part has come.
    ///
    /// What came of a message when the session ends must be dropped.
    Frame(Frame),
    /// The peer wants messages that begin with this topic.
    ///
    /// Publishers only, whichever form the peer used.
    Subscribe(Part),
    /// The peer gives up a subscription to this topic, which it need not have.
    ///
    /// Publishers only, whichever form the peer used.
    Cancel(Part),
}
