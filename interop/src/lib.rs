//! Foreign peers for the tests of this workspace: libzmq through pyzmq, and
//! zerorpc 0.6.3 for Python, its server, its client and its command line, and
//! zerorpc 0.9.8 for Node.
//!
//! ```text
//! environment()  ──►  Python          a virtual environment with pinned peers,
//!                       │             made under the target directory when first needed
//!                       ├──► Peer     a program of `peers/`, driven with JSON lines
//!                       └──► Command  the `zerorpc` command line
//! python_of_version(), node()  ──► Peer   the same program elsewhere, if the machine has it
//! zrpc_command() ──►  Command         the `zrpc` command line of this workspace
//! ```
//!
//! The programs in `peers/` use the published packages unmodified. No peer
//! uses a fixed port, and none outlives the test that started it.

mod command;
mod environment;
mod failure;
mod peer;

pub use command::{CommandError, Output, run_to_end, zrpc_command};
pub use environment::{
    EnvironmentError, Interop, Node, PYTHON_VERSIONS, Python, environment, node, python_of_version,
};
pub use failure::{During, Failure, TestResult, within};
pub use peer::{Peer, PeerError, Program};
