//! A call, and its results as they come.

use std::io::Write;

use futures_util::FutureExt;
use rmpv::Value;
use zrpc::{Client, Response};

use crate::error::CliError;
use crate::logging::log_item;
use crate::output::Printer;

/// Calls a method and prints what it gives: a result, or the items of a stream as they come.
///
/// # Errors
///
/// [`CliError`], if the call fails, or the printing.
pub(crate) async fn call<W: Write>(
    client: &Client,
    method: &str,
    args: Vec<Value>,
    mut printer: Printer<W>,
) -> Result<(), CliError> {
    let mut items = match client.request(method, args).send::<Value>().await? {
        Response::Value(value) => return Ok(printer.print(&value)?),
        Response::Stream(items) => items,
        _ => return Err(CliError::UnknownReply),
    };
    let mut position = printer.begin_stream()?;
    loop {
        let next = match items.next_item().now_or_never() {
            Some(next) => next,
            None => {
                // Nothing is at hand: what was printed must not wait for what comes.
                printer.flush()?;
                items.next_item().await
            }
        };
        match next {
            Ok(Some(item)) => {
                log_item(method, &item);
                printer.print_item(&mut position, &item)?;
            }
            Ok(None) => return Ok(printer.end_stream()?),
            Err(error) => {
                printer.flush()?;
                return Err(error.into());
            }
        }
    }
}
