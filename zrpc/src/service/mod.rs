//! Services: named methods with their signatures, and how their bodies are called (L5).
//!
//! - [`Method`] is a name, a description and a body; [`Service`] has a number of them, and
//!   [`MethodSet`] is one that is put together while the program runs.
//! - `Shape` asks a type what arguments it takes, `Signature` decodes them and names what is wrong.
//! - [`IntoReply`] encodes what a body returns.
//! - `handler` erases the types of the four kinds of bodies.
//! - `bridge` is what `#[zrpc::service]` writes calls of, and `lending` streams that borrow.
//! - `doc` cleans texts up.
//! - `Registry` finds a method by its name; `introspection` describes them to callers.

pub(crate) mod bridge;
mod doc;
mod handler;
mod introspection;
pub(crate) mod lending;

mod method;
mod registry;
mod reply;
mod set;
mod shape;
mod signature;

pub use method::{Argument, Method};
pub use reply::{Fallible, IntoReply, Plain, Reply};
pub use set::{MethodSet, Service};

pub(crate) use handler::{Handler, Outcome, Task, TaskHandler, ThreadHandler, Work};
pub(crate) use registry::{Registry, shown_name};
#[cfg(feature = "tower")]
pub(crate) use signature::Signature;
