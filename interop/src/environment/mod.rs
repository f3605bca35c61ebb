//! The Python environment that the peers run in.
//!
//! ```text
//! ZRPC_INTEROP=off ──────────────────────────────► Interop::Off
//! python3 or $ZRPC_INTEROP_PYTHON ──► interpreter
//!    └─ key = hash(requirements, interpreter) ──► target/interop/python-<key>
//!         exists ────────────────────────────────► Interop::On
//!         else venv + pip in a directory of this process, renamed when complete
//! python<version> or one of pyenv ──► the same, for each version that is installed
//! node and npm ──► target/interop/node-<key>, as its lock file says
//! ```
//!
//! The rename makes an environment appear complete or not at all, so test
//! processes that start together need no lock: the first one to finish wins
//! and the others use what it made.

mod bootstrap;
mod error;
mod interpreter;
mod node;
mod versions;

pub(crate) use bootstrap::profile_directory;
pub use bootstrap::{Interop, Python, environment};
pub use error::EnvironmentError;
pub use node::{Node, node};
pub use versions::{PYTHON_VERSIONS, python_of_version};
