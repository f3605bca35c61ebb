//! Reads what the user wrote, and says what is wrong with it.
//!
//! - `options` reads the words behind `#[zrpc::service]`, `attributes` those of `#[zrpc(…)]`.
//! - `item` reads the `impl` block or the `trait`.
//! - `method` reads one method, `parameter` what it takes, and `output` what it gives.
//! - `types` answers questions about types.
//! - `check` holds a whole service against the rules.

mod attributes;
mod check;
mod item;
mod method;
mod options;
mod output;
mod parameter;
mod types;

pub(crate) use item::{Block, Definition, Implementation, Item, Server};
