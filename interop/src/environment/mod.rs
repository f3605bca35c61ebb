//! The Python environment that the peers run in.
//!
//! ```text
//! ZRPC_INTEROP=off ──────────────────────────────► Interop::Off
//! python3 or $ZRPC_INTEROP_PYTHON ──► interpreter
//!    └─ key = hash(requirements, interpreter) ──► target/interop/python-<key>
//!         exists ────────────────────────────────► Interop::On
//!         else venv + pip in a directory of this process, renamed when complete
//! ```
//!
//! The rename makes an environment appear complete or not at all, so test
//! processes that start together need no lock: the first one to finish wins
//! and the others use what it made.

mod bootstrap;
mod error;
mod interpreter;

pub(crate) use bootstrap::profile_directory;
pub use bootstrap::{Interop, Python, environment};
pub use error::EnvironmentError;
