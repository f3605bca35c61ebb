//! What of a batch is left when an encrypted connection is cut.

use std::io;
use std::task::Waker;
use std::time::Instant;

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::curve::{KeyPair, SecretKey};
use crate::driver::encoded::SHARE_THRESHOLD;
use crate::mechanism::{Authentication, CurveClient, CurveServer, MechanismConfig, Randomness};
use crate::message::{Message, More};
use crate::pattern::SocketType;
use crate::session::{Event, SessionConfig, Side};

/// A stream that takes so many octets and then fails.
struct Cut {
    taken: Vec<u8>,
    room: usize,
}

impl AsyncWrite for Cut {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = octets.len().min(self.room);
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.taken.extend_from_slice(&octets[..count]);
        self.room -= count;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn session(socket_type: SocketType, side: Side, mechanism: MechanismConfig) -> Session {
    let mut config = SessionConfig::new(socket_type, side);
    config.mechanism = mechanism;
    let octet = if side == Side::Listener { 1 } else { 2 };
    let randomness = Randomness::generate(|octets| octets.fill(octet));
    Session::new(config, Instant::now(), randomness)
}

/// A PUSH and a PULL that are connected with CURVE.
fn connected() -> (Session, Session) {
    let pair = KeyPair::new(SecretKey::from_octets([7; 32]));
    let client = CurveClient::new(pair.public_key(), pair.clone());
    let server = CurveServer::new(pair, Authentication::NotRequired);
    let mut push = session(
        SocketType::Push,
        Side::Connector,
        MechanismConfig::CurveClient(client),
    );
    let mut pull = session(
        SocketType::Pull,
        Side::Listener,
        MechanismConfig::CurveServer(server),
    );
    while !push.is_open() || !pull.is_open() {
        let mut octets = BytesMut::new();
        push.poll_transmit(&mut octets);
        pull.handle_input(Instant::now(), &mut octets).unwrap();
        pull.poll_transmit(&mut octets);
        push.handle_input(Instant::now(), &mut octets).unwrap();
    }
    (push, pull)
}

fn message(number: usize, sizes: &[usize]) -> Message {
    let parts = sizes.iter().map(|size| vec![b'x'; *size]);
    let mut message: Message = parts.collect();
    message.push_front(number.to_string());
    message
}

/// Writes as much as `stream` takes, as a connection does; returns whether that was all.
fn write(batch: &mut EncodedBatch, session: &mut Session, stream: &mut Cut) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    let mut chunk = SealedChunk::default();
    while !batch.is_written() || !chunk.is_written() {
        if chunk.is_written() {
            chunk.fill(batch, session).unwrap();
        }
        if let Poll::Ready(Err(_)) = chunk.poll_write(&mut context, stream) {
            chunk.rewind(batch);
            let _ = batch.retain_unwritten();
            return false;
        }
    }
    true
}

/// The numbers of the messages that arrive whole.
fn deliver(session: &mut Session, octets: &[u8]) -> Vec<String> {
    let mut input = BytesMut::from(octets);
    let (mut numbers, mut first) = (Vec::new(), None);
    while let Some(event) = session.handle_input(Instant::now(), &mut input).unwrap() {
        if let Event::Frame(frame) = event {
            let number = first.get_or_insert_with(|| frame.body.to_vec());
            if frame.more == More::Last {
                numbers.push(String::from_utf8(number.clone()).unwrap());
                first = None;
            }
        }
    }
    numbers
}

fn messages() -> impl Strategy<Value = Vec<Vec<usize>>> {
    let size = prop_oneof![0..300_usize, SHARE_THRESHOLD..SHARE_THRESHOLD + 3];
    let sizes = prop::collection::vec(size, 1..4);
    prop::collection::vec(sizes, 1..16)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    // ZMTP31-050, ZMTP31-102, CURVE-048
    #[test]
    fn a_cut_anywhere_loses_only_the_message_that_was_begun(
        messages in messages(),
        cut in 0.0..1.0_f64,
    ) {
        let mut batch = EncodedBatch::default();
        for (number, sizes) in messages.iter().enumerate() {
            batch.push(&[], &message(number, sizes));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a test value within range")]
        let room = (batch.len() as f64 * cut) as usize;

        let (mut push, mut pull) = connected();
        let mut stream = Cut { taken: Vec::new(), room };
        prop_assert!(!write(&mut batch, &mut push, &mut stream));
        let mut arrived = deliver(&mut pull, &stream.taken);
        let begun = messages.len() - batch.message_count();
        // The one that was cut, if one was, is not sent again.
        prop_assert!(begun - arrived.len() <= 1, "{} of {begun}", arrived.len());

        let (mut push, mut pull) = connected();
        let mut stream = Cut { taken: Vec::new(), room: usize::MAX };
        prop_assert!(write(&mut batch, &mut push, &mut stream));
        arrived.extend(deliver(&mut pull, &stream.taken));
        let expected: Vec<String> = (0..messages.len())
            .filter(|number| *number + 1 != begun || arrived.contains(&number.to_string()))
            .map(|number| number.to_string())
            .collect();
        prop_assert_eq!(arrived, expected);
    }
}
