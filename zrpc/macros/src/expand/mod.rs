//! Writes services and clients.
//!
//! - `block`, `definition` and `implementation` write what becomes of an `impl` block, of a `trait`,
//!   and of the `impl` of one.
//! - `methods` writes the methods that a server offers, `client` the typed client.
//! - `generics` carries type parameters over, `docs` documentation, and `lints` says which lints
//!   have no business in what is written.

mod block;
mod client;
mod definition;
mod docs;
mod generics;
mod implementation;
mod lints;
mod methods;
mod service;

pub(crate) use service::service;
