//! The time that a message takes into a box of CURVE and out of it, with whichever implementation
//! the crate is built with (`--features curve-simd` for its own).

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use criterion::{BenchmarkId, Criterion, Throughput};
use zmtp::More;
use zmtp::curve::{KeyPair, SecretKey};
use zmtp::mechanism::{Authentication, CurveClient, CurveServer, MechanismConfig, Randomness};
use zmtp::pattern::SocketType;
use zmtp::session::{Event, Session, SessionConfig, Side};

const SIZES: [usize; 4] = [16, 256, 1024, 64 * 1024];

/// How much is sealed before it is opened, as one read brings it.
const READ: usize = 64 * 1024;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("boxes");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("seal", size), |bencher| {
            let mut peers = Peers::open();
            bencher.iter_custom(|messages| peers.exchange(size, messages).sealing);
        });
        group.bench_function(BenchmarkId::new("handle-input", size), |bencher| {
            let mut peers = Peers::open();
            bencher.iter_custom(|messages| peers.exchange(size, messages).opening);
        });
    }
    group.finish();
    criterion.final_summary();
}

/// A PUSH and a PULL after their handshake.
struct Peers {
    sender: Session,
    receiver: Session,
    now: Instant,
}

/// The time that one side and the other took.
#[derive(Default)]
struct Times {
    sealing: Duration,
    opening: Duration,
}

impl Peers {
    fn open() -> Self {
        let now = Instant::now();
        let server = KeyPair::new(SecretKey::from_octets([1; 32]));
        let client = KeyPair::new(SecretKey::from_octets([2; 32]));
        let session = |socket_type, side, mechanism, octet| {
            let mut config = SessionConfig::new(socket_type, side);
            config.mechanism = mechanism;
            let randomness = Randomness::generate(|octets| octets.fill(octet));
            Session::new(config, now, randomness)
        };
        let to_server = MechanismConfig::CurveClient(CurveClient::new(server.public_key(), client));
        let as_server =
            MechanismConfig::CurveServer(CurveServer::new(server, Authentication::NotRequired));
        let mut peers = Self {
            sender: session(SocketType::Push, Side::Connector, to_server, 3),
            receiver: session(SocketType::Pull, Side::Listener, as_server, 4),
            now,
        };
        peers.shake_hands();
        peers
    }

    fn shake_hands(&mut self) {
        let (mut to_receiver, mut to_sender) = (BytesMut::new(), BytesMut::new());
        while !(self.sender.needs_sealing() && self.receiver.needs_sealing()) {
            self.sender.poll_transmit(&mut to_receiver);
            self.receiver.poll_transmit(&mut to_sender);
            for (session, input) in [
                (&mut self.receiver, &mut to_receiver),
                (&mut self.sender, &mut to_sender),
            ] {
                session
                    .handle_input(self.now, input)
                    .expect("the peers fit");
            }
        }
    }

    /// Sends so many messages from one side to the other, as many at a time as one read brings.
    fn exchange(&mut self, size: usize, messages: u64) -> Times {
        let body = vec![b'x'; size];
        let mut times = Times::default();
        let mut sealed = Vec::with_capacity(2 * READ);
        let mut input = BytesMut::with_capacity(2 * READ);
        let mut left = messages;
        while left > 0 {
            let begin = Instant::now();
            while left > 0 && sealed.len() < READ {
                let done = self.sender.seal(More::Last, black_box(&body), &mut sealed);
                done.expect("an open session");
                left -= 1;
            }
            times.sealing += begin.elapsed();
            input.reserve(sealed.len());
            input.extend_from_slice(&sealed);
            sealed.clear();
            let begin = Instant::now();
            while let Some(event) = self
                .receiver
                .handle_input(self.now, &mut input)
                .expect("an open session")
            {
                assert!(matches!(event, Event::Frame(_)), "not a message");
                black_box(&event);
            }
            times.opening += begin.elapsed();
        }
        times
    }
}
