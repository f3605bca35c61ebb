//! What the code that `#[zrpc::service]` writes needs. No part of the API: it may change at any time.

pub use serde::Serialize;
pub use serde::de::DeserializeOwned;

pub use crate::service::bridge::{
    BlockingItems, Elements, MethodError, Spread, WithRest, assert_argument, assert_error,
    assert_reply, assert_service, blocking, blocking_stream, context, reply, stream, task,
    with_rest,
};
pub use crate::service::lending::Items;
