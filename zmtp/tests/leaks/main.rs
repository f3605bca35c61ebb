//! What comes and goes leaves nothing behind: no task, no descriptor, no memory.
//!
//! In a process of its own, since all three are counted for the process. `ZMTP_CYCLES` makes the
//! run longer than the default, and `--nocapture` shows what is held as it goes on.

#![cfg(target_os = "linux")]

use std::fs;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;
use zmtp::{Endpoint, Monitor, PullSocket, PushSocket, Socket, SocketEvent};

/// Connections that come and go. A few of them over tcp: each of these occupies a port for a
/// minute.
const CYCLES: usize = 20_000;
const TCP_CYCLES: usize = 4_000;

/// Cycles after which every cache and buffer is as large as it gets.
const WARM_UP: usize = 1_000;

/// What the allocator and the measuring itself may add. A leak of 256 octets in each cycle is more.
const MEMORY_TOLERANCE: usize = 4 * 1024 * 1024;

/// What a process holds.
#[derive(Clone, Copy, Debug)]
struct Holdings {
    tasks: usize,
    descriptors: usize,
    memory: usize,
}

impl Holdings {
    fn now() -> Self {
        let descriptors = fs::read_dir("/proc/self/fd").expect("/proc is there");
        let status = fs::read_to_string("/proc/self/status").expect("/proc is there");
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next())
            .and_then(|kibibytes| kibibytes.parse::<usize>().ok());
        Self {
            tasks: Handle::current().metrics().num_alive_tasks(),
            descriptors: descriptors.count(),
            memory: resident.expect("the kernel tells") * 1024,
        }
    }

    /// Fails if this is more than `before`, once everything has come to rest.
    async fn assert_no_more_than(before: Self, what: &str) {
        let mut now = Self::now();
        for _ in 0..200 {
            if now.tasks <= before.tasks && now.descriptors <= before.descriptors {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            now = Self::now();
        }
        assert!(
            now.tasks <= before.tasks
                && now.descriptors <= before.descriptors
                && now.memory <= before.memory + MEMORY_TOLERANCE,
            "{what}: {before:?} became {now:?}"
        );
        now.show(what);
    }

    #[expect(
        clippy::print_stdout,
        reason = "the figures of a long run are what it is for"
    )]
    fn show(self, when: &str) {
        println!(
            "{when}: {} tasks, {} descriptors, {} KiB",
            self.tasks,
            self.descriptors,
            self.memory / 1024
        );
    }

    /// Shows ten times in a run where it is.
    fn show_now_and_then(what: &str, cycle: usize, cycles: usize) {
        if cycle.is_multiple_of((cycles / 10).max(1)) {
            Self::now().show(&format!("{what}, cycle {cycle} of {cycles}"));
        }
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future)
        .await
        .expect("took too long")
}

async fn until(monitor: &mut Monitor, wanted: fn(&SocketEvent) -> bool) {
    soon(async { while !monitor.recv().await.as_ref().is_some_and(wanted) {} }).await;
}

async fn handshake(monitor: &mut Monitor) {
    until(monitor, |event| {
        matches!(event, SocketEvent::HandshakeSucceeded { .. })
    })
    .await;
}

async fn disconnected(monitor: &mut Monitor) {
    until(monitor, |event| {
        matches!(event, SocketEvent::Disconnected { .. })
    })
    .await;
}

/// A new socket each time, which sends one message.
async fn sockets_come_and_go(cycles: usize, pull: &mut PullSocket, endpoint: &Endpoint) {
    let mut monitor = pull.monitor();
    for cycle in 0..cycles {
        Holdings::show_now_and_then("sockets", cycle, cycles);
        let mut push = PushSocket::new();
        push.connect(endpoint).await.expect("the endpoint is bound");
        soon(push.send("hello")).await.expect("the socket is open");
        soon(pull.recv()).await.expect("the socket is open");
        soon(push.close()).await;
        disconnected(&mut monitor).await;
    }
}

/// One socket, which connects and disconnects.
async fn connections_come_and_go(cycles: usize, push: &PushSocket, endpoint: &Endpoint) {
    let mut monitor = push.monitor();
    for cycle in 0..cycles {
        Holdings::show_now_and_then("connections", cycle, cycles);
        push.connect(endpoint).await.expect("the endpoint is bound");
        handshake(&mut monitor).await;
        push.disconnect(endpoint).expect("it is connected");
        disconnected(&mut monitor).await;
    }
}

/// One socket, which binds and unbinds under a peer.
async fn listeners_come_and_go(cycles: usize, pull: &PullSocket) {
    for _ in 0..cycles {
        let endpoint = pull.bind("ipc://*").await.expect("there is room");
        let push = PushSocket::builder().no_reconnect().build();
        let mut monitor = push.monitor();
        push.connect(&endpoint)
            .await
            .expect("the endpoint is bound");
        handshake(&mut monitor).await;
        soon(pull.unbind(&endpoint)).await.expect("it is bound");
        disconnected(&mut monitor).await;
        soon(push.close()).await;
    }
}

// INT-019
#[tokio::test]
async fn connections_that_come_and_go_leave_nothing_behind() {
    let cycles = std::env::var("ZMTP_CYCLES")
        .ok()
        .and_then(|cycles| cycles.parse().ok())
        .unwrap_or(CYCLES);
    let mut pull = PullSocket::new();
    let push = PushSocket::new();
    let tcp = pull
        .bind("tcp://127.0.0.1:*")
        .await
        .expect("a port is free");
    let ipc = pull.bind("ipc://*").await.expect("there is room");

    sockets_come_and_go(WARM_UP, &mut pull, &tcp).await;
    let before = Holdings::now();
    sockets_come_and_go(TCP_CYCLES, &mut pull, &tcp).await;
    Holdings::assert_no_more_than(before, "sockets over tcp").await;

    let rest = cycles.saturating_sub(TCP_CYCLES) / 2;
    sockets_come_and_go(WARM_UP, &mut pull, &ipc).await;
    let before = Holdings::now();
    sockets_come_and_go(rest, &mut pull, &ipc).await;
    Holdings::assert_no_more_than(before, "sockets over ipc").await;

    connections_come_and_go(WARM_UP, &push, &ipc).await;
    let before = Holdings::now();
    connections_come_and_go(rest, &push, &ipc).await;
    Holdings::assert_no_more_than(before, "connections over ipc").await;

    listeners_come_and_go(WARM_UP, &pull).await;
    let before = Holdings::now();
    listeners_come_and_go(WARM_UP, &pull).await;
    Holdings::assert_no_more_than(before, "listeners").await;
}
