//! Peers that try to exhaust a socket, which runs in a process of its own so that its memory can
//! be measured.
//!
//! `docs/hostile.md` shows the outcome beside that of other implementations.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tests::bytes::{COMMAND, MORE, claim, command, command_body, frame, greeting, ping, ready};
use tests::raw_peer::{RawPeer, within};
use zmtp::{Message, PullSocket, PushSocket, Socket, SocketEvent};

use crate::suite::address;

/// Set for the process that is attacked.
const VICTIM: &str = "ZMTP_TEST_VICTIM";

/// How much the victim may grow where nothing large is legal.
const LITTLE: u64 = 48 << 20;

/// A process with a PULL socket that receives for ever.
struct Victim {
    process: Child,
    says: io::Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
    peak_before: u64,
}

impl Victim {
    fn start() -> Self {
        Self::start_as(Command::new(std::env::current_exe().unwrap()))
    }

    /// Starts it with no more than this many open files.
    fn start_with_files(count: usize) -> Self {
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(format!("ulimit -n {count}; exec \"$0\" \"$@\""))
            .arg(std::env::current_exe().unwrap());
        Self::start_as(shell)
    }

    fn start_as(mut program: Command) -> Self {
        let mut process = program
            .args(["--exact", "hostile::the_victim_itself", "--nocapture"])
            .env(VICTIM, "yes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut says = BufReader::new(process.stdout.take().unwrap()).lines();
        let endpoint = next_after("endpoint ", &mut says);
        let mut victim = Self {
            process,
            says,
            address: address(&endpoint.parse().unwrap()),
            peak_before: 0,
        };
        victim.peak_before = victim.peak_memory();
        victim
    }

    async fn attacker(&self) -> RawPeer {
        let mut peer = RawPeer::connect(self.address).await.unwrap();
        peer.handshake("PUSH").await.unwrap();
        peer
    }

    /// The most memory that was resident so far, in octets; zero where it cannot be told.
    fn peak_memory(&self) -> u64 {
        self.status("VmHWM:") << 10
    }

    /// The most address space that was in use so far, in octets.
    fn peak_address_space(&self) -> u64 {
        self.status("VmPeak:") << 10
    }

    fn status(&self, field: &str) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let text = fs::read_to_string(path).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(field));
        value
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or_default()
    }

    /// A healthy peer still gets through, and the victim has grown by no more than this.
    async fn assert_unharmed(&mut self, what: &str, allowance: u64) {
        let push = PushSocket::new();
        exchange(push, self.address).await.unwrap();
        let grown = self.peak_memory().saturating_sub(self.peak_before);
        assert!(grown <= allowance, "{what}: {} KiB more", grown >> 10);
        assert!(
            self.process.try_wait().unwrap().is_none(),
            "{what}: it died"
        );
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The process that the other tests attack; a test of its own only in name.
#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "its output is read by the test that started it"
)]
async fn the_victim_itself() {
    if std::env::var_os(VICTIM).is_none() {
        return;
    }
    let mut pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    println!("endpoint {endpoint}");
    let reporting = async {
        while let Some(event) = monitor.recv().await {
            if let SocketEvent::AcceptFailed { .. } = event {
                println!("accept failed");
            }
        }
    };
    // Killed by the test that started it, and ended when that has ended.
    let orphaned = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
    tokio::select! {
        _ = orphaned => {}
        () = async { while pull.recv().await.is_ok() {} } => {}
        () = reporting => {}
        // Nobody waits for ever for what it does not say.
        () = tokio::time::sleep(Duration::from_secs(300)) => {}
    }
}

/// What follows `label` in the next line that the victim says with it.
fn next_after(label: &str, says: &mut io::Lines<BufReader<ChildStdout>>) -> String {
    let found = says
        .map_while(Result::ok)
        .find_map(|line| line.split_once(label).map(|(_, rest)| rest.to_owned()));
    found.unwrap_or_else(|| panic!("the victim never said {label:?}"))
}

/// Sends a message and waits until it was written, which takes a handshake that succeeds.
async fn exchange(mut push: PushSocket, address: SocketAddr) -> io::Result<()> {
    within(async {
        push.connect(format!("tcp://{address}"))
            .await
            .map_err(io::Error::other)?;
        push.send(Message::from("healthy"))
            .await
            .map_err(io::Error::other)?;
        push.close().await;
        Ok(())
    })
    .await
}

/// ZMTP31-035, ZMTP31-036, INT-022.
#[tokio::test]
async fn claimed_sizes_cost_nothing() {
    let mut victim = Victim::start();
    let space = victim.peak_address_space();
    for size in [1 << 40, 1 << 30, u64::MAX] {
        let mut peer = victim.attacker().await;
        let octets = [claim(0, size), vec![0; 100]].concat();
        peer.send(&octets).await.unwrap();
        assert_eq!(peer.recv_until_closed().await.unwrap(), b"");
    }
    // A claim within the limit is waited for, and costs nothing either.
    let mut patient = victim.attacker().await;
    let octets = [ping(0, b""), claim(0, 250 << 20), vec![0; 100]].concat();
    patient.send(&octets).await.unwrap();
    assert!(patient.recv_frame().await.unwrap().is_command("PONG"));
    victim.assert_unharmed("claimed sizes", LITTLE).await;
    let reserved = victim.peak_address_space() - space;
    // Threads and arenas take some; a reservation of what was claimed would take more.
    assert!(reserved < 200 << 20, "{} KiB reserved", reserved >> 10);
}

/// ZMTP31-054.
#[tokio::test]
async fn a_message_of_endless_parts_ends_the_connection() {
    let mut victim = Victim::start();
    for body in [0, 1024] {
        let mut peer = victim.attacker().await;
        let parts = frame(MORE, &vec![7; body]).repeat(1000);
        while peer.send(&parts).await.is_ok() {}
        victim
            .assert_unharmed(&format!("parts of {body} octets"), LITTLE)
            .await;
    }
}

/// ZMTP31-054: what is legal is held, but no more than that.
#[tokio::test]
async fn a_message_that_is_never_finished_takes_its_limit_and_no_more() {
    let mut victim = Victim::start();
    let mut peer = victim.attacker().await;
    let part = frame(MORE, &vec![7; 64 << 10]);
    // A quarter more than is legal. What comes after the socket has closed is read and dropped.
    for _ in 0..5120 {
        if peer.send(&part).await.is_err() {
            break;
        }
    }
    assert_eq!(peer.recv_until_closed().await.unwrap(), b"");
    victim
        .assert_unharmed("an unfinished message", 288 << 20)
        .await;
}

/// INT-021, INT-023.
#[tokio::test]
async fn a_large_command_before_the_handshake_ends_the_connection() {
    let mut victim = Victim::start();
    let mut peer = RawPeer::connect(victim.address).await.unwrap();
    peer.send(&greeting(3, 1)).await.unwrap();
    peer.recv_greeting().await.unwrap();
    peer.send(&claim(COMMAND, 64 << 20)).await.unwrap();
    let body = vec![b'x'; 64 << 10];
    for _ in 0..1024 {
        if peer.send(&body).await.is_err() {
            break;
        }
    }
    peer.recv_until_closed().await.unwrap();
    victim.assert_unharmed("a READY of 64 MiB", LITTLE).await;
}

/// ZMTP31-029, ZMTP31-030, ZMTP31-042, ZMTP31-046.
#[tokio::test]
async fn illegal_frames_end_the_connection_and_unknown_commands_do_not() {
    let mut victim = Victim::start();
    for octets in [
        frame(0x08, b"reserved"),
        frame(COMMAND | MORE, &command_body("FOO", b"")),
        frame(COMMAND, b""),
    ] {
        let mut peer = victim.attacker().await;
        peer.send(&octets).await.unwrap();
        assert_eq!(peer.recv_until_closed().await.unwrap(), b"");
    }
    let mut peer = victim.attacker().await;
    let octets = [command("FOO", b"bar"), ping(0, b"still there")].concat();
    peer.send(&octets).await.unwrap();
    assert!(peer.recv_frame().await.unwrap().is_command("PONG"));
    victim.assert_unharmed("illegal frames", LITTLE).await;
}

/// ZMTP31-079.
#[tokio::test]
async fn an_incompatible_socket_type_ends_the_connection() {
    let mut victim = Victim::start();
    let mut peer = RawPeer::connect(victim.address).await.unwrap();
    let octets = [greeting(3, 1), ready("PUB")].concat();
    peer.send(&octets).await.unwrap();
    peer.recv_until_closed().await.unwrap();
    victim.assert_unharmed("a PUB", LITTLE).await;
}

/// INT-024, INT-030.
#[tokio::test]
async fn thousands_of_silent_connections_keep_nobody_out() {
    let mut victim = Victim::start();
    let mut silent = Vec::new();
    for _ in 0..3000 {
        match tokio::net::TcpStream::connect(victim.address).await {
            Ok(stream) => silent.push(stream),
            // This process may not open more; what it has will do.
            Err(_) if silent.len() > 500 => break,
            Err(error) => panic!("{error}"),
        }
    }
    // Frees a few descriptors for the healthy peer.
    silent.truncate(silent.len() - 10);
    let started = Instant::now();
    victim.assert_unharmed("silent connections", LITTLE).await;
    assert!(started.elapsed() < Duration::from_secs(5));
}

/// INT-031: when the system has no descriptor left, the socket waits for one.
#[cfg(unix)]
#[tokio::test]
async fn accepting_goes_on_after_the_system_had_no_descriptors() {
    let mut victim = Victim::start_with_files(64);
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(
            tokio::net::TcpStream::connect(victim.address)
                .await
                .unwrap(),
        );
    }
    for _ in 0..3 {
        next_after("accept failed", &mut victim.says);
    }
    drop(crowd);
    victim.assert_unharmed("no descriptors", LITTLE).await;
}

/// INT-016, INT-017: with a second instead of the thirty that are the default.
#[tokio::test]
async fn neither_silence_nor_single_octets_hold_a_connection_open() {
    let pull = PullSocket::builder()
        .handshake_timeout(Duration::from_secs(1))
        .build();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut silent = RawPeer::connect(address(&endpoint)).await.unwrap();
    let mut slow = RawPeer::connect(address(&endpoint)).await.unwrap();
    let dripping = async {
        for octet in greeting(3, 1) {
            if slow.send(&[octet]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        slow.recv_until_closed().await
    };
    let (silent, slow) = tokio::join!(silent.recv_until_closed(), dripping);
    silent.unwrap();
    slow.unwrap();
}
