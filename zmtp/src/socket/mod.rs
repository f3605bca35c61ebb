//! Layer 4: one socket type per pattern.

mod base;
mod builder;
mod dealer;
mod error;
mod publish;
mod pull;
mod push;
mod receiving;
mod rep;
mod req;
mod router;
mod routing_table;
mod sending;
mod sink;
mod subscribe;
mod transfer;

pub use base::{IntoEndpoint, Socket, SocketHandle, TwoWay};
pub use builder::Builder;
pub use dealer::{DealerReceiver, DealerSender, DealerSocket};
pub use error::{
    BindError, ConnectError, DisconnectError, RecvError, SendError, TryRecvError, TrySendError,
    UnbindError,
};
pub use publish::PubSocket;
pub use pull::PullSocket;
pub use push::PushSocket;
pub use rep::RepSocket;
pub use req::ReqSocket;
pub use router::{RouterNotify, RouterReceiver, RouterSender, RouterSocket};
#[cfg(feature = "blocking")]
pub(crate) use sending::final_error;
pub use subscribe::SubSocket;
#[cfg(feature = "blocking")]
pub(crate) use transfer::sealed::Handled;
pub use transfer::{MessageReceiver, MessageSender};
