//! A socket of ours of any type.

use std::time::Duration;

use interop::Failure;
use zmtp::authenticator::{Passwords, PublicKeys};
use zmtp::{
    Builder, DealerSocket, Endpoint, Message, Monitor, PairSocket, PubSocket, PullSocket,
    PushSocket, RepSocket, ReqSocket, RouterSocket, Socket, SubSocket, XPubSocket, XSubSocket,
};

use super::cell::{Cell, OUR_ID, OUR_KEYS, PASSWORD, Security, THEIR_KEYS, USERNAME};
use crate::support::{Receives, Sends};

/// Reconnecting takes no longer than this, so that the matrix is done soon.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(10);

pub(super) enum Ours {
    Req(ReqSocket),
    Rep(RepSocket),
    Dealer(DealerSocket),
    Router(RouterSocket),
    Push(PushSocket),
    Pull(PullSocket),
    Pub(PubSocket),
    Sub(SubSocket),
    XPub(XPubSocket),
    XSub(XSubSocket),
    Pair(PairSocket),
}

/// Runs the same call on a socket of any type.
macro_rules! on_any {
    ($value:expr, $socket:ident => $call:expr) => {
        match $value {
            Ours::Req($socket) => $call,
            Ours::Rep($socket) => $call,
            Ours::Dealer($socket) => $call,
            Ours::Router($socket) => $call,
            Ours::Push($socket) => $call,
            Ours::Pull($socket) => $call,
            Ours::Pub($socket) => $call,
            Ours::Sub($socket) => $call,
            Ours::XPub($socket) => $call,
            Ours::XSub($socket) => $call,
            Ours::Pair($socket) => $call,
        }
    };
}

impl Ours {
    pub(super) fn new(cell: &Cell) -> Result<Self, Failure> {
        Ok(match cell.pair.ours {
            "REQ" => Self::Req(build(cell)?),
            "REP" => Self::Rep(build(cell)?),
            "DEALER" => Self::Dealer(build(cell)?),
            "ROUTER" => Self::Router(build(cell)?),
            "PUSH" => Self::Push(build(cell)?),
            "PULL" => Self::Pull(build(cell)?),
            "PUB" => Self::Pub(build(cell)?),
            "SUB" => {
                let socket: SubSocket = build(cell)?;
                socket.subscribe("");
                Self::Sub(socket)
            }
            "XPUB" => Self::XPub(build(cell)?),
            "XSUB" => {
                let socket: XSubSocket = build(cell)?;
                socket.subscribe("");
                Self::XSub(socket)
            }
            "PAIR" => Self::Pair(build(cell)?),
            other => unreachable!("no socket type {other}"),
        })
    }

    pub(super) async fn bind(&self, endpoint: &str) -> Result<Endpoint, Failure> {
        Ok(on_any!(self, socket => socket.bind(endpoint).await)?)
    }

    pub(super) async fn connect(&self, endpoint: &str) -> Result<(), Failure> {
        on_any!(self, socket => socket.connect(endpoint).await)?;
        Ok(())
    }

    pub(super) fn monitor(&self) -> Monitor {
        on_any!(self, socket => socket.monitor())
    }

    pub(super) async fn close(self) {
        on_any!(self, socket => socket.close().await);
    }
}

impl Sends for Ours {
    async fn give(&mut self, message: Message) -> Result<(), Failure> {
        match self {
            Self::Req(socket) => socket.give(message).await,
            Self::Rep(socket) => socket.give(message).await,
            Self::Dealer(socket) => socket.give(message).await,
            Self::Router(socket) => socket.give(message).await,
            Self::Push(socket) => socket.give(message).await,
            Self::Pub(socket) => socket.give(message).await,
            Self::XPub(socket) => socket.give(message).await,
            Self::Pair(socket) => socket.give(message).await,
            Self::Pull(_) | Self::Sub(_) | Self::XSub(_) => unreachable!("it only receives"),
        }
    }
}

impl Receives for Ours {
    async fn take(&mut self) -> Result<Message, Failure> {
        match self {
            Self::Req(socket) => socket.take().await,
            Self::Rep(socket) => socket.take().await,
            Self::Dealer(socket) => socket.take().await,
            Self::Router(socket) => socket.take().await,
            Self::Pull(socket) => socket.take().await,
            Self::Sub(socket) => socket.take().await,
            Self::XSub(socket) => socket.take().await,
            Self::Pair(socket) => socket.take().await,
            Self::Push(_) | Self::Pub(_) | Self::XPub(_) => unreachable!("it only sends"),
        }
    }
}

fn build<S: Socket>(cell: &Cell) -> Result<S, Failure> {
    let builder: Builder<S> = S::builder()
        .reconnect_interval(RECONNECT_INTERVAL)
        .reconnect_interval_max(RECONNECT_INTERVAL)
        .linger(Duration::ZERO);
    let builder = match cell.pair.theirs {
        "ROUTER" => builder.routing_id(OUR_ID)?,
        _ => builder,
    };
    let builder = match cell.security {
        Security::Null => builder,
        Security::PlainServer => {
            let mut users = Passwords::new();
            users.insert(USERNAME, PASSWORD)?;
            builder.plain_server().authenticator(users)
        }
        Security::PlainClient => builder.plain_client(USERNAME, PASSWORD)?,
        Security::CurveServer => {
            let mut keys = PublicKeys::new();
            keys.insert(THEIR_KEYS.public_key());
            builder.curve_server(OUR_KEYS.clone()).authenticator(keys)
        }
        Security::CurveClient => builder.curve_client(THEIR_KEYS.public_key(), OUR_KEYS.clone()),
    };
    Ok(builder.build())
}
