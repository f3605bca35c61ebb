//! Carries the task context between tasks and the headers of events.

use super::{HeaderEntries, Middleware, ServerRequest, TaskContext};

/// Lets the [`TaskContext`] travel: a server loads it from the requests that it gets, and a client
/// puts it into those that it makes, so that nested calls inherit it.
///
/// Register it with each server and client along the way. It carries the entries that it was
/// given the names of, and no others: what is in a header came from whoever could reach the
/// server, and is passed on to others in this server's name. Replies carry it back, as Python's do.
///
/// Entries that do not fit into the bounds of [`HeaderEntries`] are left out, all of one header
/// together.
///
/// # Example
///
/// ```
/// use zrpc::middleware::Propagation;
/// use zrpc::{Client, Server};
///
/// let propagation = Propagation::of(["trace_id", "tenant"]);
/// let client = Client::builder().middleware(propagation.clone());
/// let server = Server::builder().middleware(propagation);
/// # drop((client, server));
/// ```
#[derive(Debug, Clone)]
pub struct Propagation {
    keys: Vec<String>,
}

impl Propagation {
    /// Carries the entries of these names.
    pub fn of<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self {
            keys: keys.into_iter().map(Into::into).collect(),
        }
    }

    fn carried(&self, from: &HeaderEntries) -> HeaderEntries {
        let mut carried = HeaderEntries::new();
        if let Err(error) = carried.copy(from, self.keys.iter().map(String::as_str)) {
            tracing::debug!(%error, "left the task context out");
        }
        carried
    }
}

impl Middleware for Propagation {
    fn load_task_context(&self, request: &mut ServerRequest, context: &mut TaskContext) {
        if request.header().is_empty() {
            return;
        }
        if let Err(error) = context.merge(&self.carried(request.header())) {
            tracing::debug!(%error, "left the task context of a request out");
        }
    }

    fn get_task_context(&self, context: &TaskContext, header: &mut HeaderEntries) {
        if context.is_empty() {
            return;
        }
        if let Err(error) = header.merge(&self.carried(context.entries())) {
            tracing::debug!(%error, "left the task context out");
        }
    }
}
