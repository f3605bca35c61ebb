//! Events that nobody answers: published and pushed, subscribed to and pulled.

mod emit;
mod emitter;
mod error;
mod receive;
mod receiver;
mod shown;

pub(crate) use self::emit::{PublishOptions, PushOptions};
pub(crate) use self::error::EventError;
pub(crate) use self::receive::{PullOptions, SubscribeOptions};
