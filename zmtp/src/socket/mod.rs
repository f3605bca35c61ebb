//! Layer 4: one socket type per pattern.

mod base;
mod builder;
mod dealer;
mod endpoints;
mod error;
#[cfg(all(test, shuttle))]
mod models;
mod notices;
mod pair;
mod proxy;
mod publish;
mod publishing;
mod pull;
mod push;
mod receiving;
mod rep;
mod req;
mod router;
mod routing_table;
#[cfg(any(test, fuzzing))]
mod routing_table_target;
mod sending;
mod sink;
mod sinks;
mod subscribe;
mod subscription_table;
mod topics;
mod transfer;
mod xpub;
mod xpub_receiver;
mod xsub;
mod zap;

pub use base::{Conflating, IntoEndpoint, Socket, SocketHandle, TwoWay};
pub use builder::Builder;
pub use dealer::{DealerReceiver, DealerSender, DealerSocket};
pub use error::{
    BindError, ConnectError, DisconnectError, RecvError, SendError, TryRecvError, TrySendError,
    UnbindError,
};
pub use pair::{PairReceiver, PairSender, PairSocket};
pub use proxy::{Proxy, ProxyControl, ProxyError, ProxyStatistics, ProxyTraffic, proxy};
pub use publish::PubSocket;
pub use pull::PullSocket;
pub use push::PushSocket;
pub use rep::RepSocket;
pub use req::ReqSocket;
pub use router::{RouterNotify, RouterReceiver, RouterSender, RouterSocket};
#[cfg(any(test, fuzzing))]
pub use routing_table_target::router;
#[cfg(feature = "blocking")]
pub(crate) use sending::final_error;
pub use subscribe::SubSocket;
pub use subscription_table::ManualSubscriptionError;
#[cfg(feature = "blocking")]
pub(crate) use transfer::sealed::Handled;
pub use transfer::{MessageReceiver, MessageSender, PeerMessage};
pub use xpub::{XPubSender, XPubSocket};
pub use xpub_receiver::{XPubEvent, XPubReceiver};
pub use xsub::{XSubReceiver, XSubSender, XSubSocket};
pub use zap::{ZapAuthenticator, ZapError, ZapHandler};
