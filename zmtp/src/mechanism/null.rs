//! The NULL mechanism: each side says that it is ready.
//!
//! The draft lets the connecting side speak first; the stable protocol and libzmq let both speak at
//! once. Here READY goes out unprompted and comes in whenever it comes, so that nobody waits for
//! each other in any combination `[ZMTP31-056]`.

use bytes::BufMut;

use crate::mechanism::{Done, HandshakeError, Next};
use crate::wire::command::Command;
use crate::wire::metadata::Metadata;

/// Our READY is on its way, that of the peer is awaited.
#[derive(Debug)]
pub(crate) struct ExpectReady(());

/// Somebody decides about the peer; READY is withheld.
#[derive(Debug)]
pub(crate) struct Undecided {
    metadata: Metadata,
}

/// Says that we are ready.
pub(super) fn start(metadata: Metadata, out: &mut impl BufMut) -> ExpectReady {
    Command::Ready(metadata).encode(out);
    ExpectReady(())
}

impl Undecided {
    pub(super) const fn new(metadata: Metadata) -> Self {
        Self { metadata }
    }

    pub(super) fn accept(self, out: &mut impl BufMut) -> ExpectReady {
        start(self.metadata, out)
    }
}

impl ExpectReady {
    pub(super) fn handle(self, command: Command) -> Result<Next, HandshakeError> {
        match command {
            Command::Ready(metadata) => Ok(Next::Done(Done::silent(metadata))),
            // [ZMTP31-061] An ERROR is fatal, and so is what it is not worth trying again.
            Command::Error(reason) => Err(HandshakeError::Refused { reason }),
            // [ZMTP31-047] The handshake has no other commands.
            other => Err(HandshakeError::unexpected(other.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Part;
    use crate::wire::command::{ErrorReason, PingContext, PingTtl};

    fn metadata() -> Metadata {
        let mut metadata = Metadata::new();
        metadata.insert("Socket-Type", "PUSH").unwrap();
        metadata
    }

    // ZMTP31-055, ZMTP30-004
    #[test]
    fn ready_goes_out_unprompted() {
        let mut out = Vec::new();
        start(metadata(), &mut out);
        assert_eq!(
            out,
            b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH".as_slice()
        );
    }

    #[test]
    fn ready_of_the_peer_ends_the_handshake() {
        let state = start(Metadata::new(), &mut Vec::new());
        let Ok(Next::Done(done)) = state.handle(Command::Ready(metadata())) else {
            panic!("handshake goes on");
        };
        assert_eq!(done.metadata, metadata());
    }

    // ZMTP31-061
    #[test]
    fn error_of_the_peer_is_a_refusal() {
        let state = start(Metadata::new(), &mut Vec::new());
        let reason = ErrorReason::new("400");
        let error = state.handle(Command::Error(reason.clone())).unwrap_err();
        assert_eq!(error, HandshakeError::Refused { reason });
    }

    // ZMTP31-047
    #[test]
    fn any_other_command_is_out_of_turn() {
        let ping = Command::Ping {
            ttl: PingTtl::NONE,
            context: PingContext::default(),
        };
        for (command, name) in [
            (ping, "PING"),
            (Command::Pong(PingContext::default()), "PONG"),
            (Command::Subscribe(Part::EMPTY), "SUBSCRIBE"),
            (Command::Cancel(Part::EMPTY), "CANCEL"),
        ] {
            let state = start(Metadata::new(), &mut Vec::new());
            let name = name.to_owned();
            assert_eq!(
                state.handle(command).unwrap_err(),
                HandshakeError::UnexpectedCommand { name }
            );
        }
    }
}
