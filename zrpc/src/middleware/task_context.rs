//! What travels with a task: the entries that its calls pass on.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entries::{EntryError, HeaderEntries};
use crate::HeaderError;

tokio::task_local! {
    static CURRENT: TaskContext;
}

/// Entries that belong to the current task, or blocking thread, and to all calls that it makes.
///
/// A handler runs with the context that the middleware of its server loaded from the request, and
/// the middleware of a client puts the context of the calling task into its requests. So what the
/// first caller sets is known to every server along the way. [`Propagation`](super::Propagation) is
/// the middleware that does both.
///
/// A context is a value, cheap to clone, and does not change while a task runs with it.
///
/// # Example
///
/// Outside of handlers, and around a task that is spawned:
///
/// ```
/// use zrpc::middleware::TaskContext;
///
/// # async fn example(client: zrpc::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let context = TaskContext::current().with("trace_id", "4bf92f35")?;
/// let call = context.scope(async move { client.call::<String>("hello", ("RPC",)).await });
/// println!("{}", call.await?);
///
/// // A spawned task has no context, unless it is given one.
/// tokio::spawn(TaskContext::fork(async {
///     assert!(TaskContext::current().get::<String>("trace_id").is_ok());
/// }));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskContext {
    /// `None` stands for no entries.
    entries: Option<Arc<HeaderEntries>>,
}

impl TaskContext {
    /// Returns a context without entries. Does not allocate.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: None }
    }

    /// Returns the context of the current task or blocking thread; one without entries if it has
    /// none.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Decodes an entry. Returns `None` if there is none of this name.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] if the entry is no `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, HeaderError> {
        match &self.entries {
            Some(entries) => entries.get(key),
            None => Ok(None),
        }
    }

    /// Sets an entry, replacing one of this name.
    ///
    /// # Errors
    ///
    /// [`EntryError`]: the protocol has an entry of this name, or there is no room.
    pub fn insert<T>(&mut self, key: &str, value: &T) -> Result<(), EntryError>
    where
        T: Serialize + ?Sized,
    {
        self.make_mut().insert(key, value)
    }

    /// Sets an entry, and returns the context.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn with<T>(mut self, key: &str, value: &T) -> Result<Self, EntryError>
    where
        T: Serialize + ?Sized,
    {
        self.insert(key, value)?;
        Ok(self)
    }

    /// Takes over entries, replacing those of the same name.
    ///
    /// # Errors
    ///
    /// [`EntryError::TooMany`] and [`EntryError::TooLong`]; nothing is changed then.
    pub fn merge(&mut self, entries: &HeaderEntries) -> Result<(), EntryError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.make_mut().merge(entries)
    }

    /// Takes an entry out. Returns whether there was one of this name.
    pub fn remove(&mut self, key: &str) -> bool {
        self.entries().contains(key) && self.make_mut().remove(key)
    }

    /// Returns the entries.
    #[must_use]
    pub fn entries(&self) -> &HeaderEntries {
        static NONE: HeaderEntries = HeaderEntries::new();
        self.entries.as_deref().unwrap_or(&NONE)
    }

    /// Returns whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Runs a future with this context.
    ///
    /// # Cancel safety
    ///
    /// As that of the future.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    /// Runs a closure with this context. For threads, and the handlers that block them.
    pub fn sync_scope<T>(self, closure: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, closure)
    }

    /// Gives a future, to be spawned, the context of the current task: what Python's
    /// `fork_task_context` does.
    ///
    /// # Cancel safety
    ///
    /// As that of the future.
    pub fn fork<F: Future>(future: F) -> impl Future<Output = F::Output> {
        Self::current().scope(future)
    }

    fn make_mut(&mut self) -> &mut HeaderEntries {
        Arc::make_mut(self.entries.get_or_insert_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_spawned_task_has_the_context_that_it_is_given() {
        let context = TaskContext::new().with("id", &7).unwrap();
        let id = || TaskContext::current().get::<u8>("id").unwrap();
        assert_eq!(id(), None);
        context
            .clone()
            .scope(async {
                assert_eq!(id(), Some(7));
                let plain = tokio::spawn(async move { id() });
                assert_eq!(plain.await.unwrap(), None);
                let forked = tokio::spawn(TaskContext::fork(async move { id() }));
                assert_eq!(forked.await.unwrap(), Some(7));
            })
            .await;
        let on_thread = move || context.sync_scope(|| TaskContext::current().get("id").unwrap());
        assert_eq!(std::thread::spawn(on_thread).join().unwrap(), Some(7));
    }

    #[test]
    fn changing_a_context_leaves_its_clones_alone() {
        let mut context = TaskContext::new().with("id", &7).unwrap();
        let before = context.clone();
        context.insert("id", &8).unwrap();
        assert_eq!(before.get::<u8>("id").unwrap(), Some(7));
        assert!(context.remove("id"));
        assert!(context.is_empty());
    }
}
