//! A server with a healthy client, and what everybody else runs into.

use std::io;
use std::net::SocketAddr;

use tests::raw_peer::{RawPeer, within};
use tests::recorder::Recorder;
use zmtp::{Builder, Message, Monitor, PullSocket, PushSocket, Socket, SocketEvent};

use crate::suite::{address, expect_message};

/// A PULL with one client that is let in.
pub(crate) struct Server {
    pub(crate) pull: PullSocket,
    pub(crate) address: SocketAddr,
    healthy: PushSocket,
    monitor: Monitor,
    pub(crate) recorder: Recorder,
}

impl Server {
    /// Binds a server, and lets a client in whom nothing of what follows may concern.
    pub(crate) async fn start(
        server: Builder<PullSocket>,
        client: Builder<PushSocket>,
    ) -> io::Result<Self> {
        let mut pull = server.build();
        let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut healthy = client.build();
        healthy.connect(&endpoint).await.unwrap();
        healthy.send("first").await.unwrap();
        expect_message(&mut pull, &[b"first"]).await?;
        Ok(Self {
            address: address(&endpoint),
            monitor: pull.monitor(),
            recorder: Recorder::start(),
            pull,
            healthy,
        })
    }

    pub(crate) async fn connect(&self) -> RawPeer {
        RawPeer::connect(self.address).await.unwrap()
    }

    /// The peer is gone: it was reported once, without any of `secrets`, no message of it came
    /// through, and the healthy client has noticed nothing. Returns why it had to go.
    pub(crate) async fn expect_one_fault(mut self, secrets: &[&str]) -> String {
        self.recorder.wait_for_warning().await.unwrap();
        self.healthy.send("healthy").await.unwrap();
        expect_message(&mut self.pull, &[b"healthy"]).await.unwrap();
        let reason = loop {
            match self.next_event().await {
                SocketEvent::HandshakeFailed { reason, .. }
                | SocketEvent::Disconnected { reason, .. } => break chain(&reason),
                SocketEvent::HandshakeSucceeded { .. } | SocketEvent::Accepted { .. } => {}
                other => panic!("unexpected: {other:?}"),
            }
        };
        let warnings = self.recorder.take_warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for secret in secrets {
            assert!(!reason.contains(secret), "{reason}");
            for recorded in &warnings {
                assert!(!recorded.text.contains(secret), "{recorded:?}");
            }
        }
        reason
    }

    pub(crate) async fn next_event(&mut self) -> SocketEvent {
        let event = async { Ok(self.monitor.recv().await) };
        within(event).await.unwrap().expect("the socket is there")
    }

    pub(crate) async fn recv(&mut self) -> Message {
        let received = async { self.pull.recv().await.map_err(io::Error::other) };
        within(received).await.unwrap()
    }
}

/// An error and everything behind it, as one text.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
