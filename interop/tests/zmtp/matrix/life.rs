//! How the two sides of a cell come and go.

use std::time::Duration;

use interop::{Failure, Peer, PeerError};
use serde_json::{Value, json};
use tests::reserved_port::ReservedPort;
use zmtp::{Monitor, SocketEvent};

use super::cell::{Cell, OUR_KEYS, PASSWORD, Security, THEIR_ID, THEIR_KEYS, Transport, USERNAME};
use super::ours::Ours;
use crate::support::{Binder, soon};

/// Both sides of a cell, joined.
pub(super) struct Link {
    pub(super) ours: Ours,
    monitor: Monitor,
    /// Where the binding side listens.
    endpoint: String,
    /// Keeps that place for whoever listens there next.
    _port: Option<ReservedPort>,
}

impl Link {
    /// Makes both sockets and joins them.
    pub(super) async fn new(cell: &Cell, peer: &mut Peer) -> Result<Self, Failure> {
        let ours = Ours::new(cell)?;
        make_theirs(cell, peer).await?;
        let (port, place) = match cell.transport {
            Transport::Tcp => {
                let port = ReservedPort::new()?;
                let place = port.endpoint();
                (Some(port), place)
            }
            Transport::Ipc => (None, "ipc://*".to_owned()),
        };
        let endpoint = match cell.binder {
            Binder::We => ours.bind(&place).await?.to_string(),
            Binder::Libzmq => bind_theirs(peer, &place).await?,
        };
        let monitor = ours.monitor();
        let mut link = Self {
            ours,
            monitor,
            endpoint,
            _port: port,
        };
        match cell.binder {
            Binder::We => connect_theirs(peer, &link.endpoint).await?,
            Binder::Libzmq => link.ours.connect(&link.endpoint).await?,
        }
        link.connected().await?;
        Ok(link)
    }

    /// Closes libzmq's socket and has a new one take its place.
    pub(super) async fn replace_theirs(
        &mut self,
        cell: &Cell,
        peer: &mut Peer,
    ) -> Result<(), Failure> {
        close_theirs(peer).await?;
        self.wait_for(|event| matches!(event, SocketEvent::Disconnected { .. }))
            .await?;
        make_theirs(cell, peer).await?;
        request(peer, json!({"op": "monitor", "name": "z"})).await?;
        match cell.binder {
            Binder::We => connect_theirs(peer, &self.endpoint).await?,
            Binder::Libzmq => drop(bind_theirs(peer, &self.endpoint).await?),
        }
        // Not an event of ours: the socket that was closed may have accepted us once more.
        let event = "HANDSHAKE_SUCCEEDED";
        request(
            peer,
            json!({"op": "await_event", "name": "z", "event": event}),
        )
        .await?;
        Ok(())
    }

    /// Closes our socket and has a new one take its place.
    ///
    /// Libzmq's socket must have a monitor, as one that was replaced has.
    pub(super) async fn replace_ours(
        &mut self,
        cell: &Cell,
        peer: &mut Peer,
    ) -> Result<(), Failure> {
        let ours = Ours::new(cell)?;
        std::mem::replace(&mut self.ours, ours).close().await;
        let event = "DISCONNECTED";
        request(
            peer,
            json!({"op": "await_event", "name": "z", "event": event}),
        )
        .await?;
        // It sees that its peer has left when it is called, and a PAIR takes no other before.
        request(peer, json!({"op": "drain", "name": "z", "quiet": 0})).await?;
        self.monitor = self.ours.monitor();
        match cell.binder {
            Binder::We => self.rebind().await?,
            Binder::Libzmq => self.ours.connect(&self.endpoint).await?,
        }
        self.connected().await
    }

    /// Closes both.
    pub(super) async fn close(self, peer: &mut Peer) -> Result<(), Failure> {
        self.ours.close().await;
        close_theirs(peer).await
    }

    /// Listens where the socket before did, whose listener may take a moment to go.
    async fn rebind(&self) -> Result<(), Failure> {
        soon(async {
            while self.ours.bind(&self.endpoint).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
    }

    /// Waits for the next handshake that succeeds.
    async fn connected(&mut self) -> Result<(), Failure> {
        self.wait_for(|event| matches!(event, SocketEvent::HandshakeSucceeded { .. }))
            .await
    }

    async fn wait_for(&mut self, wanted: fn(&SocketEvent) -> bool) -> Result<(), Failure> {
        let found = async { while !self.monitor.recv().await.as_ref().is_some_and(wanted) {} };
        soon(found).await
    }
}

async fn make_theirs(cell: &Cell, peer: &mut Peer) -> Result<(), Failure> {
    let theirs = cell.pair.theirs;
    let mut options = json!({"RECONNECT_IVL": 10});
    match theirs {
        "REQ" | "DEALER" => options["ROUTING_ID"] = json!(THEIR_ID),
        "ROUTER" => {
            options["ROUTING_ID"] = json!(THEIR_ID);
            options["ROUTER_MANDATORY"] = json!(1);
            // Otherwise it ignores a socket that takes the place of one that has just closed.
            options["ROUTER_HANDOVER"] = json!(1);
        }
        "SUB" => options["SUBSCRIBE"] = json!(""),
        _ => {}
    }
    match cell.security {
        Security::Null => {}
        Security::PlainServer => {
            options["PLAIN_USERNAME"] = json!(USERNAME);
            options["PLAIN_PASSWORD"] = json!(PASSWORD);
        }
        Security::PlainClient => options["PLAIN_SERVER"] = json!(1),
        Security::CurveServer | Security::CurveClient => {
            options["CURVE_PUBLICKEY"] = json!(THEIR_KEYS.public_key().to_string());
            options["CURVE_SECRETKEY"] = json!(THEIR_KEYS.secret_key().expose_text());
            match cell.security {
                Security::CurveClient => options["CURVE_SERVER"] = json!(1),
                _ => options["CURVE_SERVERKEY"] = json!(OUR_KEYS.public_key().to_string()),
            }
        }
    }
    request(
        peer,
        json!({"op": "socket", "name": "z", "type": theirs, "options": options}),
    )
    .await?;
    if theirs == "XSUB" {
        request(
            peer,
            json!({"op": "send", "name": "z", "parts": [{"$bytes": "01"}]}),
        )
        .await?;
    }
    Ok(())
}

async fn bind_theirs(peer: &mut Peer, endpoint: &str) -> Result<String, Failure> {
    let reply = request(
        peer,
        json!({"op": "bind", "name": "z", "endpoint": endpoint}),
    )
    .await?;
    let bound = reply["endpoint"].as_str().ok_or(PeerError::Field {
        field: String::from("endpoint"),
        reply: reply.clone(),
    })?;
    Ok(bound.to_owned())
}

async fn connect_theirs(peer: &mut Peer, endpoint: &str) -> Result<(), Failure> {
    request(
        peer,
        json!({"op": "connect", "name": "z", "endpoint": endpoint}),
    )
    .await?;
    Ok(())
}

async fn close_theirs(peer: &mut Peer) -> Result<(), Failure> {
    request(peer, json!({"op": "close", "name": "z"})).await?;
    Ok(())
}

async fn request(peer: &mut Peer, request: Value) -> Result<Value, Failure> {
    Ok(peer.request(request).await?)
}
