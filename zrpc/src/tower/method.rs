//! A service as a method of a server.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

use proto::Args;
use tower_service::Service;

use super::Call;
use crate::service::{Handler, Signature, Task, TaskHandler};
use crate::{Fault, Method, Reply};

/// A clone of the service serves each call, as it may not be ready for two.
struct Served<S> {
    /// A service need not be shareable to be offered.
    service: Mutex<S>,
}

impl Method {
    /// Makes a method from a service of tower. It takes any arguments; the [`Call`] decodes them.
    ///
    /// Each call is served by a clone of the service, once that is ready. What is limited or shared
    /// must be so by the service and its clones, as the layers of tower do. Errors become faults;
    /// boxed ones do by [`Fault::from_boxed`].
    ///
    /// # Example
    ///
    /// ```
    /// use tower::ServiceExt;
    /// use zrpc::{Client, Fault, Method};
    ///
    /// # fn example(client: Client) {
    /// // Passes calls on to another server, ten at a time.
    /// let limited = tower::ServiceBuilder::new()
    ///     .concurrency_limit(10)
    ///     .service(client);
    /// let proxy = Method::tower("crunch", limited);
    /// # drop(proxy);
    /// # }
    /// ```
    pub fn tower<S>(name: impl Into<String>, service: S) -> Self
    where
        S: Service<Call, Response = Reply, Error: Into<Fault>> + Clone + Send + 'static,
        S::Future: Send,
    {
        let handler = Arc::new(Served {
            service: Mutex::new(service),
        });
        Self::with_handler::<Vec<rmpv::Value>>(name.into(), Handler::Task(handler))
    }
}

impl<S> TaskHandler for Served<S>
where
    S: Service<Call, Response = Reply, Error: Into<Fault>> + Clone + Send + 'static,
    S::Future: Send,
{
    fn start(&self, method: &str, _signature: &Signature, args: Args) -> Result<Task, Fault> {
        // A service whose clone panicked is as good as before.
        let service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        let mut service = service.clone();
        let call = Call::received(method, &args);
        Ok(Task::Value(Box::pin(async move {
            poll_fn(|context| service.poll_ready(context))
                .await
                .map_err(Into::into)?;
            let reply = service.call(call).await.map_err(Into::into)?;
            Ok(reply.0)
        })))
    }
}
