//! What to do when the user, or the system, wants the command to end.

use std::future::pending;

use crate::error::CliError;

/// Does some work until it is done, or until Ctrl-C is pressed. The work is dropped then.
///
/// # Errors
///
/// What the work reports, or [`CliError::Interrupted`].
pub(crate) async fn until_interrupted<T>(
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    tokio::select! {
        biased;
        outcome = work => outcome,
        () = interrupted() => Err(CliError::Interrupted),
    }
}

/// Waits until Ctrl-C is pressed.
pub(crate) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the signal ends the process by itself.
        pending::<()>().await;
    }
}
