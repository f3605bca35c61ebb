//! A peer that does everything right, as far as a test lets it.

use std::io;
use std::time::Instant;

use bytes::BytesMut;
use tests::raw_peer::RawPeer;
use zmtp::curve::KeyPair;
use zmtp::mechanism::{
    Authentication, CurveClient, CurveServer, Decision, MechanismConfig, PlainCredentials,
    Randomness,
};
use zmtp::pattern::SocketType;
use zmtp::session::{Event, Session, SessionConfig};
use zmtp::{More, session};

use super::victim::{client_pair, server_pair};

/// A session and the connection that its octets are for, which pass through the hands of the test.
pub(crate) struct Honest {
    session: Session,
    pub(crate) peer: RawPeer,
    input: BytesMut,
    events: Vec<Event>,
}

/// The name of a mechanism, and which side of it somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Null,
    PlainClient,
    PlainServer,
    CurveClient,
    CurveServer,
}

impl Mechanism {
    /// Returns what the other side is.
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::PlainClient => Self::PlainServer,
            Self::PlainServer => Self::PlainClient,
            Self::CurveClient => Self::CurveServer,
            Self::CurveServer => Self::CurveClient,
        }
    }

    pub(crate) fn config(self) -> MechanismConfig {
        match self {
            Self::Null => MechanismConfig::default(),
            Self::PlainClient => {
                let credentials = PlainCredentials::new("admin", "correct-horse-battery");
                MechanismConfig::PlainClient(credentials.unwrap())
            }
            Self::PlainServer => MechanismConfig::PlainServer,
            Self::CurveClient => {
                let client = CurveClient::new(server_pair().public_key(), client_pair());
                MechanismConfig::CurveClient(client)
            }
            Self::CurveServer => {
                let server = CurveServer::new(server_pair(), Authentication::NotRequired);
                MechanismConfig::CurveServer(server)
            }
        }
    }
}

impl Honest {
    pub(crate) fn new(peer: RawPeer, mechanism: Mechanism) -> Self {
        Self::with_config(peer, mechanism, |_| {})
    }

    pub(crate) fn with_config(
        peer: RawPeer,
        mechanism: Mechanism,
        change: impl FnOnce(&mut SessionConfig),
    ) -> Self {
        let mut config = SessionConfig::new(SocketType::Push, session::Side::Connector);
        config.mechanism = mechanism.config();
        change(&mut config);
        // Nothing has to be secret here, but the keys have to differ.
        let seed = KeyPair::generate();
        let seed = seed.secret_key().expose_octets();
        let randomness = Randomness::generate(|octets| {
            for (at, octet) in octets.iter_mut().enumerate() {
                *octet = seed[at % 32] ^ u8::try_from(at).unwrap();
            }
        });
        Self {
            session: Session::new(config, Instant::now(), randomness),
            peer,
            input: BytesMut::new(),
            events: Vec::new(),
        }
    }

    /// What is to be sent next, once the other side has said what has to come before; a message
    /// when the handshake is done.
    pub(crate) async fn next_flight(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let mut octets = BytesMut::new();
            self.session.poll_transmit(&mut octets);
            if !octets.is_empty() {
                return Ok(octets.to_vec());
            }
            if self.session.is_open() {
                return Ok(self.seal(b"a message of a whole sentence"));
            }
            self.take_some().await?;
        }
    }

    /// Sends what is to be sent until the handshake is done.
    pub(crate) async fn shake_hands(&mut self) -> io::Result<()> {
        while !self.session.is_open() {
            let mut octets = BytesMut::new();
            self.session.poll_transmit(&mut octets);
            if octets.is_empty() {
                self.take_some().await?;
            } else {
                self.peer.send(&octets).await?;
            }
        }
        // What the last step had to say.
        let mut octets = BytesMut::new();
        self.session.poll_transmit(&mut octets);
        self.peer.send(&octets).await
    }

    /// Makes a message of one part.
    pub(crate) fn seal(&mut self, body: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::new();
        self.session.seal(More::Last, body, &mut sealed).unwrap();
        sealed
    }

    /// Takes the next octets of the other side.
    pub(crate) async fn take_some(&mut self) -> io::Result<()> {
        let octets = self.peer.recv_some().await?;
        self.input.extend_from_slice(&octets);
        let now = Instant::now();
        while let Some(event) = self
            .session
            .handle_input(now, &mut self.input)
            .map_err(io::Error::other)?
        {
            if let Event::Authenticate(_) = event {
                let established = self.session.authenticate(now, Decision::allowed());
                self.events.extend(established.map_err(io::Error::other)?);
            } else {
                self.events.push(event);
            }
        }
        Ok(())
    }
}
