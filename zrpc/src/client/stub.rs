//! What typed clients are made of: a client, a prefix, and options.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::handle::Client;
use super::request::Request;
use super::stream::ReplyStream;
use crate::CallError;

/// A [`Client`] for one of the services of a server: with a prefix for the names of methods, and
/// with options for its calls. The typed clients of `#[zrpc::service]` are made of it.
///
/// Cloning it is cheap, and all clones share the connection.
///
/// # Example
///
/// ```no_run
/// # async fn example(client: zrpc::Client) -> Result<(), zrpc::CallError> {
/// use std::time::Duration;
/// use zrpc::Stub;
///
/// let math = Stub::new(client)
///     .with_prefix("math.")
///     .with_timeout(Duration::from_secs(3));
/// let sum: i64 = math.call("add", (1, 2)).await?; // Calls `math.add`.
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Stub {
    client: Client,
    prefix: Option<Arc<str>>,
    options: Option<Arc<Options>>,
}

type Options = dyn Fn(Request) -> Request + Send + Sync;

impl Stub {
    /// Makes a stub that calls methods by their names, with the options of the client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            prefix: None,
            options: None,
        }
    }

    /// Returns a stub that puts `prefix` in front of the names of methods, and in front of the
    /// prefix that this one has.
    #[must_use = "the stub itself does not change"]
    pub fn with_prefix(&self, prefix: &str) -> Self {
        let own = self.prefix.as_deref().unwrap_or_default();
        Self {
            prefix: Some(format!("{prefix}{own}").into()),
            ..self.clone()
        }
    }

    /// Returns a stub whose calls have other options: `options` is asked for each, after those of
    /// this one.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # fn example(stub: zrpc::Stub) {
    /// let patient = stub.with(|request| request.no_timeout().slots(16));
    /// # }
    /// ```
    #[must_use = "the stub itself does not change"]
    pub fn with(&self, options: impl Fn(Request) -> Request + Send + Sync + 'static) -> Self {
        let own = self.options.clone();
        let all = move |request| match &own {
            Some(own) => options(own(request)),
            None => options(request),
        };
        Self {
            options: Some(Arc::new(all)),
            ..self.clone()
        }
    }

    /// Returns a stub whose calls wait no longer for their first reply, see [`Request::timeout`].
    #[must_use = "the stub itself does not change"]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        self.with(move |request| request.timeout(timeout))
    }

    /// Returns the client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Calls a method and waits for its result, see [`Client::call`].
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the call.
    pub async fn call<R: DeserializeOwned>(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<R, CallError> {
        self.request(method, args).call().await
    }

    /// Calls a method that gives a stream, see [`Client::stream`].
    ///
    /// # Errors
    ///
    /// [`CallError::Encode`] and [`CallError::NotPortable`]; everything else is an error of the
    /// stream.
    ///
    /// # Cancel safety
    ///
    /// The future is ready at once. Dropping the stream ends the call.
    pub async fn stream<T: DeserializeOwned>(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<ReplyStream<T>, CallError> {
        self.request(method, args).stream().await
    }

    /// Prepares a call, see [`Client::request`].
    pub fn request(&self, method: impl Into<String>, args: impl Serialize) -> Request {
        let mut method = method.into();
        if let Some(prefix) = &self.prefix {
            method.insert_str(0, prefix);
        }
        let request = self.client.request(method, args);
        match &self.options {
            Some(options) => options(request),
            None => request,
        }
    }
}

impl From<Client> for Stub {
    fn from(client: Client) -> Self {
        Self::new(client)
    }
}

impl fmt::Debug for Stub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stub")
            .field("client", &self.client)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
