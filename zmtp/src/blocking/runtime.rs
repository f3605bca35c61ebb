//! The thread on which the tasks of all blocking sockets run.

use std::io;
use std::thread;

use tokio::runtime::{self, Handle};

use crate::driver::sync::{Mutex, lock};

/// The runtime of this process, once it was needed.
static RUNTIME: Mutex<Option<Handle>> = Mutex::new(None);

/// Returns the runtime, and starts it the first time.
pub(super) fn handle() -> io::Result<Handle> {
    let mut started = lock(&RUNTIME);
    if let Some(handle) = &*started {
        return Ok(handle.clone());
    }
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name(String::from("zmtp"))
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    *started = Some(handle.clone());
    Ok(handle)
}
