//! Deciding who may call what.

use std::fmt;

use crate::{CallContext, Fault};

/// Decides which calls are served.
///
/// It is asked about each call before the handler starts, on the runtime of the handlers, or, for a
/// method that holds its thread, on that thread. What it returns as an error is what the caller gets.
/// It must not wait; what has to ask somebody else first belongs into middleware.
///
/// Names are compared as the server knows them: [`CallContext::method`] is the name of the method
/// that would run, whatever the request looked like. Calls of methods that do not exist are answered
/// with a `NameError` and not asked about. Introspection is asked about like any other method; its
/// names begin with `_zerorpc_`.
///
/// A closure that takes `&CallContext` is one:
///
/// ```
/// use zrpc::{CallContext, Fault, Server};
///
/// let builder = Server::builder().authorize(|call: &CallContext| {
///     let is_admin = call.user_id() == Some(b"admin");
///     match call.method() {
///         "shutdown" | "_zerorpc_inspect" if !is_admin => {
///             Err(Fault::new("PermissionError", "only for administrators"))
///         }
///         _ => Ok(()),
///     }
/// });
/// # drop(builder);
/// ```
pub trait Authorize: Send + Sync + 'static {
    /// Decides about one call.
    ///
    /// # Errors
    ///
    /// The call is not served, and the fault is what its caller gets.
    fn authorize(&self, call: &CallContext) -> Result<(), Fault>;
}

impl<F> Authorize for F
where
    F: Fn(&CallContext) -> Result<(), Fault> + Send + Sync + 'static,
{
    fn authorize(&self, call: &CallContext) -> Result<(), Fault> {
        self(call)
    }
}

impl fmt::Debug for dyn Authorize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorize")
    }
}
