//! Calls that nobody answers: publishing and pushing, and those who subscribe and pull (L5).
//!
//! A [`Publisher`] tells all subscribers, and a [`Pusher`] one puller after the other, to run a
//! method; a [`Subscriber`] and a [`Puller`] run it. There are no replies, heartbeats or credit,
//! and no introspection. Each may bind or connect, and each works with its counterpart in Python.
//!
//! - [`Emitter`] is what publishers and pushers are, each with a [`Pattern`] of its own,
//!   [`OutgoingEvent`] one event before it is sent, [`EmitterBuilder`] what makes them, and
//!   [`EmitError`] why an event was not sent. `Encoder` makes messages of events.
//! - `Inbound` is what subscribers and pullers have in common, [`Event`] one event that came, and
//!   [`ReceiverBuilder`] what makes them; [`ReceiveError`] is what they go on after.
//! - `serve` runs methods, and `execute` one of them.
//!
//! # Example
//!
//! ```
//! use zrpc::{Puller, Pusher};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (done, mut results) = tokio::sync::mpsc::unbounded_channel();
//! let puller = Puller::builder()
//!     .method("square", move |(number,): (u64,)| {
//!         let done = done.clone();
//!         async move { done.send(number * number).is_ok() }
//!     })
//!     .bind("tcp://127.0.0.1:*")
//!     .build()
//!     .await?;
//! let pusher = Pusher::connect(&puller.endpoints()[0]).await?;
//! let handle = puller.handle();
//! let running = tokio::spawn(puller.run());
//!
//! pusher.push("square", (12,)).await?;
//! assert_eq!(results.recv().await, Some(144));
//! handle.shutdown().await;
//! running.await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod emitter;
mod emitter_builder;
mod encoder;
mod error;
mod event;
mod execute;
mod inbound;
mod outgoing;
mod pattern;
mod puller;
mod receiver_builder;
mod reports;
mod serve;
mod subscriber;

pub use emitter::{Emitter, Publisher, Pusher};
pub use emitter_builder::EmitterBuilder;
pub use error::{EmitError, ReceiveError};
pub use event::Event;
pub use outgoing::OutgoingEvent;
pub use pattern::{Pattern, Publishing, Pushing};
pub use puller::Puller;
pub use receiver_builder::ReceiverBuilder;
pub use reports::ReceiverStats;
pub use serve::ReceiverHandle;
pub use subscriber::Subscriber;
