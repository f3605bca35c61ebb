//! PUBSUB with `xpub_manual`: what peers ask for is told, and what they get is what the application
//! lets them have.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::task::yield_now;
use zmtp::{
    ManualSubscriptionError, PeerId, Socket, TryRecvError, TrySendError, XPubEvent, XPubSocket,
    XSubSocket,
};

use super::{SOCKETS, Topics, config, run, text};
use crate::soon;

/// What happens to one of the peers, or to all.
#[derive(Clone, Debug)]
enum Step {
    /// The peer asks for a topic, or gives it up.
    Ask(String),
    GiveUp(String),
    /// The application lets the peer have a topic, or takes it away.
    Grant(String),
    Withdraw(String),
    /// The application sends to all that have a topic, or to one alone: the last value, say.
    Publish(String),
    SendTo(String),
    /// The peer goes, and another one comes.
    Replace,
}

fn step() -> impl Strategy<Value = Step> {
    // Few, so that they meet.
    let topic = || "(a|ab|b)?";
    prop_oneof![
        4 => topic().prop_map(Step::Ask),
        3 => topic().prop_map(Step::GiveUp),
        4 => topic().prop_map(Step::Grant),
        3 => topic().prop_map(Step::Withdraw),
        6 => "[ab]{1,3}".prop_map(Step::Publish),
        2 => "[ab]{1,3}".prop_map(Step::SendTo),
        2 => Just(Step::Replace),
    ]
}

proptest! {
    #![proptest_config(config())]

    // PUBSUB-028, PUBSUB-024
    #[test]
    fn the_application_of_a_manual_xpub_decides_who_gets_what(
        steps in vec((0..SOCKETS, step()), 0..80),
    ) {
        run(async |name| {
            let mut publisher = XPubSocket::builder().xpub_manual().build();
            publisher.bind(&name).await.unwrap();
            let mut peers = Vec::new();
            for _ in 0..SOCKETS {
                peers.push(Peer::connect(&mut publisher, &name).await);
            }
            for (at, step) in steps {
                match step {
                    Step::Replace => {
                        let another = Peer::connect(&mut publisher, &name).await;
                        let gone = std::mem::replace(&mut peers[at], another);
                        gone.leave(&mut publisher).await;
                    }
                    Step::Publish(body) => {
                        publisher.send(body.as_str()).await.unwrap();
                        for peer in peers.iter_mut().filter(|peer| peer.may_have(&body)) {
                            peer.expected.push(body.clone());
                        }
                    }
                    step => peers[at].take(&mut publisher, step).await,
                }
                assert_eq!(publisher.try_recv_event(), Err(TryRecvError::Empty));
                let granted = peers.iter().flat_map(|peer| &peer.granted);
                assert_eq!(publisher.topic_count(), granted.collect::<BTreeSet<_>>().len());
                for peer in &peers {
                    let counters = publisher.peer_counters(peer.id).unwrap();
                    assert_eq!(counters.subscriptions, peer.granted.len());
                }
            }
            for peer in &mut peers {
                publisher.try_send_to(peer.id, "end").unwrap();
                peer.expected.push("end".to_owned());
                peer.receive_all().await;
            }
        });
    }
}

/// A peer of the publisher, and what it should have.
struct Peer {
    socket: XSubSocket,
    id: PeerId,
    asked: Topics,
    granted: BTreeSet<String>,
    /// What was sent to it so far.
    expected: Vec<String>,
}

/// What each peer asks for when it comes, so that one knows who it is.
const GREETING: &str = "greeting";

impl Peer {
    async fn connect(publisher: &mut XPubSocket, name: &str) -> Self {
        let socket = XSubSocket::new();
        let mut asked = Topics::default();
        asked.add(GREETING);
        socket.subscribe(GREETING);
        socket.connect(name).await.unwrap();
        let (id, event) = soon(publisher.recv_event()).await.unwrap();
        assert_eq!(event, XPubEvent::Subscribed(GREETING.into()));
        Self {
            socket,
            id,
            asked,
            granted: BTreeSet::new(),
            expected: Vec::new(),
        }
    }

    fn may_have(&self, body: &str) -> bool {
        self.granted.iter().any(|topic| body.starts_with(topic))
    }

    async fn take(&mut self, publisher: &mut XPubSocket, step: Step) {
        match step {
            Step::Ask(topic) => {
                self.socket.subscribe(&topic);
                let event = XPubEvent::Subscribed(topic.as_str().into());
                // An XSUB passes on every one, and of cancellations the last.
                self.asked.add(&topic);
                self.assert_told(publisher, Some(event)).await;
            }
            Step::GiveUp(topic) => {
                self.socket.unsubscribe(&topic);
                let event = XPubEvent::Cancelled(topic.as_str().into());
                let event = self.asked.remove(&topic).then_some(event);
                self.assert_told(publisher, event).await;
            }
            Step::Grant(topic) => {
                publisher.subscribe(self.id, &topic).unwrap();
                self.granted.insert(topic);
            }
            Step::Withdraw(topic) => {
                publisher.cancel(self.id, &topic).unwrap();
                self.granted.remove(&topic);
            }
            Step::SendTo(body) => {
                publisher.try_send_to(self.id, body.as_str()).unwrap();
                self.expected.push(body);
            }
            Step::Publish(_) | Step::Replace => unreachable!("they concern more than one peer"),
        }
    }

    /// The publisher hears of `event` of this peer, or of none.
    async fn assert_told(&self, publisher: &mut XPubSocket, event: Option<XPubEvent>) {
        match event {
            Some(event) => {
                let told = soon(publisher.recv_event()).await.unwrap();
                assert_eq!(told, (self.id, event));
            }
            None => {
                for _ in 0..8 {
                    yield_now().await;
                }
            }
        }
    }

    /// Receives what was sent to it, and nothing else.
    async fn receive_all(&mut self) {
        for expected in self.expected.drain(..) {
            assert_eq!(text(&soon(self.socket.recv()).await.unwrap()), expected);
        }
        assert_eq!(self.socket.try_recv(), Err(TryRecvError::Empty));
    }

    /// Goes: what it asked for is cancelled, what it was given is gone.
    async fn leave(mut self, publisher: &mut XPubSocket) {
        self.receive_all().await;
        self.socket.close().await;
        let mut cancelled = BTreeSet::new();
        for _ in 0..self.asked.0.len() {
            match soon(publisher.recv_event()).await.unwrap() {
                (id, XPubEvent::Cancelled(topic)) if id == self.id => {
                    assert!(cancelled.insert(topic.to_vec()), "{topic:?} twice");
                }
                other => panic!("{other:?} when a peer has gone"),
            }
        }
        let asked = self.asked.0.keys().map(|topic| topic.as_bytes().to_vec());
        assert_eq!(cancelled, asked.collect());
        let unknown = ManualSubscriptionError::UnknownPeer;
        assert_eq!(publisher.subscribe(self.id, "a"), Err(unknown));
        assert_eq!(publisher.cancel(self.id, "a"), Err(unknown));
        let sent = publisher.try_send_to(self.id, "late");
        assert!(matches!(sent, Err(TrySendError::Unroutable(_))), "{sent:?}");
    }
}
