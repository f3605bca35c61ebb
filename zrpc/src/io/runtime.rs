//! Where the I/O task runs.

use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::ConnectError;

/// On which runtime the sockets of a client or server, and their heartbeats, run.
///
/// A heartbeat that comes too late ends calls. On a [`Dedicated`](Self::Dedicated) thread it is
/// on time even if the program's own runtime is busy: with a handler that computes without ever
/// waiting, on a single-threaded runtime, or with a `main` that blocks.
///
/// The price is a change of threads on the way of each message, some ten microseconds of latency
/// for a single call (calls in flight together share it). Programs that never block their runtime
/// can save it with [`Current`](Self::Current).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IoRuntime {
    /// A thread of its own with a single-threaded runtime. While few calls are open, and as long as
    /// that pays, it stays awake for up to 50 µs after a message, for what comes of that.
    #[default]
    Dedicated,
    /// The tokio runtime that the client or server is made on.
    Current,
}

/// Runs `setup`, and the task that it makes, on the chosen runtime. Returns what `setup` returns
/// beside the task.
pub(crate) async fn spawn<S, F, T, D>(
    io: IoRuntime,
    name: &'static str,
    setup: S,
) -> Result<T, ConnectError>
where
    S: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<(T, D), ConnectError>> + Send,
    T: Send + 'static,
    D: Future<Output = ()> + Send + 'static,
{
    match io {
        IoRuntime::Current => {
            let runtime = Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
            let (ready, task) = setup().await?;
            runtime.spawn(task);
            Ok(ready)
        }
        IoRuntime::Dedicated => {
            let (sender, receiver) = oneshot::channel();
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || run_thread(setup, sender))
                .map_err(|error| ConnectError::Thread(error.kind()))?;
            // The sender is only dropped without an answer if the thread panicked.
            receiver
                .await
                .unwrap_or(Err(ConnectError::Thread(std::io::ErrorKind::Other)))
        }
    }
}

fn run_thread<S, F, T, D>(setup: S, sender: oneshot::Sender<Result<T, ConnectError>>)
where
    S: FnOnce() -> F,
    F: Future<Output = Result<(T, D), ConnectError>>,
    D: Future<Output = ()>,
{
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nobody hears of it if the caller has gone, and nobody needs to.
            let _ = sender.send(Err(ConnectError::Thread(error.kind())));
            return;
        }
    };
    runtime.block_on(async {
        match setup().await {
            Ok((ready, task)) => {
                // A caller that has gone drops what is ready, which ends the task.
                let _ = sender.send(Ok(ready));
                // Before each turn of the future that a runtime blocks on, it asks the kernel what
                // is new, which it does not before those of a task: the more there is for a turn,
                // the fewer of them there are.
                task.await;
            }
            Err(error) => {
                let _ = sender.send(Err(error));
            }
        }
    });
}
