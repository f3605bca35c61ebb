//! The sockets that are attacked, and healthy peers of theirs.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tests::raw_peer::{RawPeer, within};
use tests::victim::{self, Plan, Victim, Witness};
use tokio::net::{TcpListener, TcpSocket};
use zmtp::authenticator::{AnyKey, Passwords};
use zmtp::curve::{KeyPair, SecretKey};
use zmtp::pattern::SubscriptionLimits;
use zmtp::session::{Heartbeat, Limits};
use zmtp::{Builder, Message, PubSocket, PullSocket, PushSocket, Socket, SocketEvent, SubSocket};

use super::harness::misbehave;

/// How much a victim may grow where nothing large is legal.
pub(crate) const LITTLE: u64 = 48 << 20;

/// How long handshakes may take, and peers be silent, where a test waits for it.
pub(crate) const SHORT: Duration = Duration::from_secs(4);

/// How long handshakes may take where no test waits for that: longer than any test, so that no deadline
/// of a peer that has yet to have its turn passes on a machine that is slow.
const LONG: Duration = Duration::from_secs(3600);

/// The longest message of a victim with limits.
pub(crate) const LIMIT: u64 = 4 << 20;

/// How many connections a victim with limits accepts.
pub(crate) const MAX_CONNECTIONS: usize = 64;

/// How many half-open connections a victim has that has little room for them; half from each address.
pub(crate) const MAX_HALF_OPEN: usize = 100;

/// How many topics a publisher with limits lets one peer have.
pub(crate) const MAX_TOPICS: usize = 20_000;

/// How many silent connections a crowd opens: more than a victim keeps.
pub(crate) const CROWD: usize = 5000;

/// What no log line and no error may ever have in it.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

pub(crate) const SERVER_SECRET: [u8; 32] = [0x51; 32];
pub(crate) const CLIENT_SECRET: [u8; 32] = [0xc1; 32];

pub(crate) fn server_pair() -> KeyPair {
    KeyPair::new(SecretKey::from_octets(SERVER_SECRET))
}

pub(crate) fn client_pair() -> KeyPair {
    KeyPair::new(SecretKey::from_octets(CLIENT_SECRET))
}

/// Plans a victim of a role.
pub(crate) fn plan(role: &'static str) -> Plan {
    Plan::new("hostile::victim::the_victim_itself", role)
}

pub(crate) async fn start(role: &'static str) -> Victim {
    plan(role).start().await.unwrap()
}

/// The secrets of every victim, in the forms in which they might slip out.
fn secrets() -> &'static [&'static str] {
    let mut forms = vec![
        PASSWORD.to_owned(),
        // What has to be secret of keys that repeat one octet.
        "51515151".to_owned(),
        "c1c1c1c1".to_owned(),
        "81, 81, 81, 81".to_owned(),
        "193, 193, 193, 193".to_owned(),
    ];
    for pair in [server_pair(), client_pair()] {
        forms.push(pair.secret_key().expose_text().clone());
    }
    let forms: Vec<&str> = forms.into_iter().map(|form| &*form.leak()).collect();
    forms.leak()
}

/// The process that the other tests attack; a test of its own only in name.
#[tokio::test]
async fn the_victim_itself() {
    let Some(role) = victim::role() else {
        return;
    };
    victim::watch_log(secrets());
    let playing = async {
        if misbehave(&role).await {
            return;
        }
        match &*role {
            "pub" => publish(PubSocket::new()).await,
            "limited pub" => {
                let limits = SubscriptionLimits::new(MAX_TOPICS, 16 << 20);
                publish(PubSocket::builder().subscription_limits(limits).build()).await;
            }
            "crowd" => crowd().await,
            _ => receive(pull(&role)).await,
        }
    };
    tokio::select! {
        () = victim::until_orphaned() => {}
        () = playing => {}
    }
}

fn pull(role: &str) -> PullSocket {
    let builder = PullSocket::builder()
        .handshake_timeout(LONG)
        .reconnect_interval(Duration::from_millis(5))
        .reconnect_interval_max(Duration::from_millis(20));
    let limited = |builder: Builder<PullSocket>| {
        let mut limits = Limits::default();
        limits.max_frame_size = LIMIT;
        limits.max_message_size = LIMIT;
        builder.limits(limits).max_connections(MAX_CONNECTIONS)
    };
    let passwords = || {
        let mut passwords = Passwords::new();
        passwords.insert("admin", PASSWORD).unwrap();
        passwords
    };
    let short = |builder: Builder<PullSocket>| {
        builder
            .handshake_timeout(SHORT)
            .heartbeat(Heartbeat::new(SHORT / 2))
    };
    match role {
        "pull" => builder,
        "limited" => limited(builder),
        "crowded" => builder.max_half_open(MAX_HALF_OPEN),
        "patient client" => builder
            .reconnect_interval(Duration::from_millis(50))
            .reconnect_interval_max(Duration::from_millis(400)),
        "one attempt" => builder.no_reconnect(),
        "beating" => builder.heartbeat(Heartbeat::new(SHORT / 2)),
        "CURVE server" => builder.curve_server(server_pair()).authenticator(AnyKey),
        "PLAIN client" => builder.plain_client("admin", PASSWORD).unwrap(),
        "CURVE client" => builder.curve_client(server_pair().public_key(), client_pair()),
        "short NULL" => short(builder),
        "short PLAIN server" => short(builder).plain_server().authenticator(passwords()),
        "short PLAIN client" => short(builder).plain_client("admin", PASSWORD).unwrap(),
        "short CURVE server" => short(builder)
            .curve_server(server_pair())
            .authenticator(AnyKey),
        "short CURVE client" => {
            short(builder).curve_client(server_pair().public_key(), client_pair())
        }
        other => panic!("nobody knows how to be {other}"),
    }
    .build()
}

/// Receives for ever, and tells of whole messages of one short part.
async fn receive(mut pull: PullSocket) {
    let mut monitor = pull.monitor();
    for peer in victim::peers() {
        pull.connect(peer).await.unwrap();
    }
    // A client lets nobody in: its healthy peer is among those it connects to.
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    victim::say(&format!("endpoint {endpoint}"));
    let reporting = async {
        while let Some(event) = monitor.recv().await {
            report(&event);
        }
    };
    let receiving = async {
        while let Ok(message) = pull.recv().await {
            if let [part] = message.parts()
                && part.len() < 100
            {
                victim::say(&format!("got {}", part.escape_ascii()));
            }
        }
    };
    tokio::join!(reporting, receiving);
}

/// Connects, and says nothing on any of so many connections. Not a victim but an attacker, who needs
/// the descriptors of a whole process.
async fn crowd() {
    victim::say("endpoint tcp://127.0.0.1:9");
    let peers = victim::peers();
    let address = &peers[0]["tcp://".len()..];
    let mut silent = Vec::new();
    let mut greeted = Vec::new();
    let victim: SocketAddr = address.parse().unwrap();
    while silent.len() < CROWD {
        let socket = TcpSocket::new_v4().unwrap();
        // Half of them from one address. Where the system has no more, from there as well.
        let number = u8::try_from(silent.len() % 4).unwrap();
        if number > 1 {
            let _ = socket.bind((Ipv4Addr::new(127, 0, 0, number), 0).into());
        }
        silent.push(socket.connect(victim).await.unwrap());
        // Whoever is greeted was accepted, and so were all before: no faster than the victim can, or
        // what is measured is how long a queue of the system gets.
        if silent.len() % 100 == 0 {
            let mut peer = RawPeer::connect(victim).await.unwrap();
            let greeting = peer.recv_greeting().await;
            greeting.unwrap();
            greeted.push(peer);
        }
    }
    victim::say("crowded");
    std::future::pending::<()>().await;
}

/// Publishes for ever.
async fn publish(publisher: PubSocket) {
    let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
    victim::say(&format!("endpoint {endpoint}"));
    let mut monitor = publisher.monitor();
    let reporting = async {
        while let Some(event) = monitor.recv().await {
            report(&event);
        }
    };
    let publishing = async {
        for number in 0_u64.. {
            let message = Message::from(["beat".to_owned(), number.to_string()]);
            publisher.send(message).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::join!(reporting, publishing);
}

/// Errors reach people by more ways than the log.
fn report(event: &SocketEvent) {
    victim::check(&format!("{event:?}"), secrets());
    match event {
        SocketEvent::HandshakeFailed { reason, .. } | SocketEvent::Disconnected { reason, .. } => {
            let mut error: Option<&dyn Error> = Some(reason);
            while let Some(text) = error {
                victim::check(&text.to_string(), secrets());
                error = text.source();
            }
        }
        SocketEvent::AcceptFailed { .. } => victim::say("accept failed"),
        _ => {}
    }
}

/// A peer that does nothing wrong, and whom nothing of what others do may concern.
pub(crate) struct Healthy {
    push: PushSocket,
    monitor: zmtp::Monitor,
    /// Which of all healthy peers this is, so that no message of another passes for one of its own.
    number: u32,
    sent: u32,
}

impl Healthy {
    /// Connects to a victim, and exchanges a first message with it.
    pub(crate) async fn connect(victim: &Victim) -> Self {
        Self::connect_as(PushSocket::builder(), victim).await
    }

    pub(crate) async fn connect_as(builder: Builder<PushSocket>, victim: &Victim) -> Self {
        let push = builder.build();
        push.connect(victim.endpoint()).await.unwrap();
        Self::attach(push, victim).await
    }

    /// Is what a victim connects to.
    pub(crate) async fn attach(push: PushSocket, victim: &Victim) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mut healthy = Self {
            monitor: push.monitor(),
            push,
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            sent: 0,
        };
        healthy.exchange(victim).await;
        healthy
    }

    /// Sends a message, and waits until the victim has received it.
    pub(crate) async fn exchange(&mut self, victim: &Victim) {
        self.sent += 1;
        // With an end, because the victim is asked for the beginning of what it got.
        let text = format!("healthy {}: {};", self.number, self.sent);
        let message = Message::from(&*text);
        let sent = async { self.push.send(message).await.map_err(io::Error::other) };
        within(sent).await.unwrap();
        victim.said(&format!("got {text}")).await.unwrap();
    }

    /// Exchanges messages for as long as `attack` goes on, and one afterwards.
    pub(crate) async fn beside<T>(
        &mut self,
        victim: &Victim,
        attack: impl Future<Output = T>,
    ) -> T {
        tokio::pin!(attack);
        loop {
            tokio::select! {
                done = &mut attack => {
                    self.exchange(victim).await;
                    return done;
                }
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
            let exchanging = self.exchange(victim);
            tokio::pin!(exchanging);
            tokio::select! {
                done = &mut attack => {
                    exchanging.await;
                    return done;
                }
                () = &mut exchanging => {}
            }
        }
    }
}

impl Witness for Healthy {
    /// It was connected all the time, and still is.
    async fn testify(mut self, what: &str, victim: &Victim) {
        self.exchange(victim).await;
        assert_connected(&mut self.monitor, what).await;
    }
}

/// Whoever is monitored was not disconnected so far.
async fn assert_connected(monitor: &mut zmtp::Monitor, what: &str) {
    let quiet = tokio::time::timeout(Duration::ZERO, async {
        while let Some(event) = monitor.recv().await {
            assert!(
                !matches!(
                    event,
                    SocketEvent::Disconnected { .. } | SocketEvent::HandshakeFailed { .. }
                ),
                "{what}: {event:?}"
            );
        }
    });
    let _ = quiet.await;
}

/// A subscriber that does nothing wrong.
pub(crate) struct Listener {
    sub: SubSocket,
    monitor: zmtp::Monitor,
    last: Option<u64>,
}

impl Listener {
    pub(crate) async fn connect(victim: &Victim) -> Self {
        let sub = SubSocket::new();
        sub.subscribe("beat");
        sub.connect(victim.endpoint()).await.unwrap();
        let mut listener = Self {
            monitor: sub.monitor(),
            sub,
            last: None,
        };
        listener.hear(3).await;
        listener
    }

    /// Hears so many messages, none of which is missing.
    pub(crate) async fn hear(&mut self, count: u64) {
        for _ in 0..count {
            let received = async { self.sub.recv().await.map_err(io::Error::other) };
            let message = within(received).await.unwrap();
            let number = message.text(1).unwrap().parse().unwrap();
            if let Some(last) = self.last {
                assert_eq!(number, last + 1, "a message is missing");
            }
            self.last = Some(number);
        }
    }

    /// Hears what is published for as long as `attack` goes on.
    pub(crate) async fn beside<T>(&mut self, attack: impl Future<Output = T>) -> T {
        tokio::pin!(attack);
        let done = loop {
            tokio::select! {
                done = &mut attack => break done,
                () = self.hear(1) => {}
            }
        };
        self.hear(3).await;
        done
    }
}

impl Witness for Listener {
    /// It has missed nothing, and still hears all.
    async fn testify(mut self, what: &str, _victim: &Victim) {
        self.hear(3).await;
        assert_connected(&mut self.monitor, what).await;
    }
}

/// Which side of the connection the attacker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Connects,
    Listens,
}

/// A victim and the way to it.
pub(crate) struct Target {
    pub(crate) victim: Victim,
    side: Side,
    listener: TcpListener,
}

impl Target {
    pub(crate) async fn start(role: &'static str, side: Side) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plan = match side {
            Side::Connects => plan(role),
            Side::Listens => plan(role).connecting_to(&[listener.local_addr().unwrap()]),
        };
        Self {
            victim: plan.start().await.unwrap(),
            side,
            listener,
        }
    }

    /// A connection on which nothing was said.
    pub(crate) async fn peer(&self) -> RawPeer {
        match self.side {
            Side::Connects => RawPeer::connect(self.victim.address()).await.unwrap(),
            Side::Listens => RawPeer::accept(&self.listener).await.unwrap(),
        }
    }

    /// A connection after its handshake.
    pub(crate) async fn attacker(&self) -> RawPeer {
        let mut peer = self.peer().await;
        peer.handshake("PUSH").await.unwrap();
        peer
    }
}
