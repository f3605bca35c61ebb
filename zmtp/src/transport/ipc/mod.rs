//! The ipc transport: Unix sockets.
//!
//! Who may connect is a matter of the file system: on Linux whoever may write to the file and
//! search the directories above it. The file is created with the permissions that the umask of the
//! process leaves. A name in the abstract name space has no permissions at all: every process in
//! the same network name space may connect.

mod file;
mod listener;
mod name;
mod target;

pub(crate) use listener::{IpcListener, adopt, bind};
pub(crate) use target::{IpcTarget, connect, target};
