//! Handshakes of NULL and PLAIN between two sessions, in any pieces, and with changed octets.

use proptest::prelude::*;

use crate::mechanism::{
    Authentication, Credentials, Decision, Denial, MechanismConfig, PlainCredentials,
};
use crate::pattern::SocketType;
use crate::session::tests::peer::Scripted;
use crate::session::tests::properties::feed;
use crate::session::{Event, SessionConfig, SessionError, Side};

/// More than either side says.
const WHOLE: usize = 1 << 16;

/// How the two sessions get to know each other.
#[derive(Clone, Debug)]
enum Scheme {
    Null,
    /// With somebody who decides on both sides.
    NullAuthenticated,
    /// With the credentials that are let in.
    Plain(PlainCredentials),
}

/// Which way octets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

/// An octet that is changed on its way.
#[derive(Clone, Copy, Debug)]
struct Change {
    direction: Direction,
    offset: usize,
    bits: u8,
}

/// One side, and what became of it.
struct End {
    scripted: Scripted,
    /// All that it said.
    said: Vec<u8>,
    /// How much of that has arrived.
    carried: usize,
    events: Vec<Event>,
    error: Option<SessionError>,
}

/// Up to `len` octets, which a client may send whether or not they are text.
fn octets(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..=len)
}

fn scheme() -> impl Strategy<Value = Scheme> {
    prop_oneof![
        Just(Scheme::Null),
        Just(Scheme::NullAuthenticated),
        (octets(40), octets(40)).prop_map(|(username, password)| {
            Scheme::Plain(PlainCredentials::from_octets(&username, &password).unwrap())
        }),
    ]
}

impl Scheme {
    fn mechanisms(&self) -> [MechanismConfig; 2] {
        match self {
            Self::Null => [(); 2].map(|()| MechanismConfig::Null(Authentication::NotRequired)),
            Self::NullAuthenticated => {
                [(); 2].map(|()| MechanismConfig::Null(Authentication::Required))
            }
            Self::Plain(credentials) => [
                MechanismConfig::PlainClient(credentials.clone()),
                MechanismConfig::PlainServer,
            ],
        }
    }

    fn decide(&self, presented: &Credentials) -> Decision {
        let is_known = match (self, presented) {
            (Self::NullAuthenticated, Credentials::Null) => true,
            (Self::Plain(expected), Credentials::Plain(presented)) => expected == presented,
            _ => false,
        };
        match is_known {
            true => Decision::allowed(),
            false => Decision::Deny(Denial::Refused),
        }
    }

    /// Whether no peer lets anybody in once this octet is another: all but the version, the padding
    /// and the role of the greeting, which are not agreed upon, and the metadata.
    fn is_vital(&self, direction: Direction, offset: usize, said: &[u8]) -> bool {
        const MECHANISM: std::ops::Range<usize> = 12..32;
        const GREETING_LEN: usize = 64;
        let Some(mut rest) = said.get(GREETING_LEN..) else {
            return false;
        };
        let Some(mut offset) = offset.checked_sub(GREETING_LEN) else {
            return MECHANISM.contains(&offset);
        };
        if let Self::Plain(_) = self {
            // HELLO and WELCOME.
            let len = 2 + usize::from(rest[1]);
            let Some(behind) = offset.checked_sub(len) else {
                return true;
            };
            (offset, rest) = (behind, &rest[len..]);
        }
        // The flags, the length, and the name of INITIATE or READY.
        let name = match (self, direction) {
            (Self::Plain(_), Direction::ToServer) => &b"\x08INITIATE"[..],
            _ => b"\x05READY",
        };
        assert_eq!(&rest[2..][..name.len()], name);
        offset < 2 + name.len()
    }
}

impl End {
    fn new(mechanism: MechanismConfig, socket_type: SocketType, side: Side) -> Self {
        let mut config = SessionConfig::new(socket_type, side);
        config.mechanism = mechanism;
        Self {
            scripted: Scripted::with_config(config),
            said: Vec::new(),
            carried: 0,
            events: Vec::new(),
            error: None,
        }
    }

    /// Takes the next octets that this end said, up to `len`.
    fn take(&mut self, len: usize) -> Vec<u8> {
        self.said.extend(self.scripted.sent());
        let end = self.said.len().min(self.carried + len);
        let taken = self.said[self.carried..end].to_vec();
        self.carried = end;
        taken
    }

    fn recv(&mut self, octets: &[u8], scheme: &Scheme) {
        if self.error.is_some() {
            return;
        }
        if let Err(error) = self.try_recv(octets, scheme) {
            self.error = Some(error);
        }
    }

    fn try_recv(&mut self, octets: &[u8], scheme: &Scheme) -> Result<(), SessionError> {
        feed(&mut self.scripted, octets, &mut self.events)?;
        while let Some(Event::Authenticate(request)) = self.events.last() {
            let decision = scheme.decide(&request.credentials);
            self.events.pop();
            let event = self
                .scripted
                .session
                .authenticate(self.scripted.now, decision)?;
            self.events.extend(event);
            feed(&mut self.scripted, b"", &mut self.events)?;
        }
        Ok(())
    }

    fn is_established(&self) -> bool {
        self.events.contains(&Event::Established)
    }
}

/// Lets a client and a server talk until both have nothing more to say, in pieces of these lengths.
fn exchange(scheme: &Scheme, lens: &[usize], change: Option<Change>) -> [End; 2] {
    let [client, server] = scheme.mechanisms();
    let mut client = End::new(client, SocketType::Dealer, Side::Connector);
    let mut server = End::new(server, SocketType::Router, Side::Listener);
    let mut lens = lens.iter().copied().cycle();
    let mut is_silent = false;
    while !is_silent {
        is_silent = true;
        for direction in [Direction::ToServer, Direction::ToClient] {
            let (from, to) = match direction {
                Direction::ToServer => (&mut client, &mut server),
                Direction::ToClient => (&mut server, &mut client),
            };
            let start = from.carried;
            let mut octets = from.take(lens.next().unwrap_or(WHOLE));
            if let Some(change) = change.filter(|change| change.direction == direction)
                && let Some(at) = change.offset.checked_sub(start)
                && let Some(octet) = octets.get_mut(at)
            {
                *octet ^= change.bits;
            }
            is_silent &= octets.is_empty();
            to.recv(&octets, scheme);
        }
    }
    [client, server]
}

fn lens() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..80_usize, 1..20)
}

proptest! {
    // ZMTP31-021, ZMTP31-037, ZMTP31-055, PLAIN-001, PLAIN-005, PLAIN-006, PLAIN-007
    #[test]
    fn pieces_make_no_difference_to_an_agreement(scheme in scheme(), lens in lens()) {
        let whole = exchange(&scheme, &[WHOLE], None);
        let pieces = exchange(&scheme, &lens, None);
        for (whole, pieces) in whole.iter().zip(&pieces) {
            prop_assert_eq!((&whole.error, &pieces.error), (&None, &None));
            prop_assert_eq!(&whole.events, &vec![Event::Established]);
            prop_assert_eq!(&whole.events, &pieces.events);
            prop_assert_eq!(&whole.said, &pieces.said);
            prop_assert_eq!(whole.scripted.session.peer(), pieces.scripted.session.peer());
        }
    }

    // PLAIN-004, PLAIN-010, PLAIN-013, ZMTP31-008, ZMTP31-047
    #[test]
    fn nobody_gets_in_with_an_octet_of_the_exchange_changed(
        scheme in scheme(),
        lens in lens(),
        to_server in any::<bool>(),
        offset in any::<prop::sample::Index>(),
        bits in 1..=u8::MAX,
    ) {
        let [client, server] = exchange(&scheme, &[WHOLE], None);
        let (direction, said) = match to_server {
            true => (Direction::ToServer, client.said),
            false => (Direction::ToClient, server.said),
        };
        let offset = offset.index(said.len());
        let change = Change { direction, offset, bits };
        let [client, server] = exchange(&scheme, &lens, Some(change));
        let (receiver, theirs) = match direction {
            Direction::ToServer => (server, SocketType::Dealer),
            Direction::ToClient => (client, SocketType::Router),
        };
        if scheme.is_vital(direction, offset, &said) {
            prop_assert!(!receiver.is_established(), "{change:?}");
        }
        if receiver.is_established() {
            // Metadata is no secret and has no checksum, but what it says has to fit.
            let peer = receiver.scripted.session.peer();
            prop_assert_eq!(peer.map(|peer| peer.socket_type), Some(theirs));
        }
    }

    // PLAIN-013, ZAP-039
    #[test]
    fn other_credentials_are_refused(
        expected in octets(3),
        presented in octets(3),
        lens in lens(),
    ) {
        prop_assume!(expected != presented);
        let credentials = |password: &[u8]| PlainCredentials::from_octets(b"user", password).unwrap();
        let known = Scheme::Plain(credentials(&expected));
        let mut client = End::new(
            MechanismConfig::PlainClient(credentials(&presented)),
            SocketType::Dealer,
            Side::Connector,
        );
        let mut server = End::new(MechanismConfig::PlainServer, SocketType::Router, Side::Listener);
        let mut lens = lens.into_iter().cycle();
        loop {
            let (to_server, to_client) = (client.take(lens.next().unwrap()), server.take(80));
            if to_server.is_empty() && to_client.is_empty() {
                break;
            }
            server.recv(&to_server, &known);
            client.recv(&to_client, &known);
        }
        prop_assert!(!client.is_established() && !server.is_established());
        prop_assert!(client.error.is_some() && server.error.is_some());
    }
}
