//! Clients and methods as services of tower (L5).
//!
//! A [`Client`](crate::Client) is a `tower::Service` that takes a [`Call`] and gives a
//! [`Reply`](crate::Reply), so that layers can go around it: timeouts, retries, limits, load
//! shedding. The other way round, [`Method::tower`](crate::Method::tower) offers a service as a
//! method of a server. Both speak of the same types, so a client is a service that can be offered:
//! that is a proxy.
//!
//! Calls have single results here, because that is what layers take a response for: that the work is
//! over. Around a stream, a limit would count calls that only began, a timeout would end at the first
//! item, and a retry would not see an error behind it. A method that gives a stream is a
//! [`CallError::UnexpectedStream`](crate::CallError::UnexpectedStream) through a service, and its items
//! come by [`Client::stream`](crate::Client::stream), which has its own slots and timeouts.
//!
//! ```
//! use tower::{Service, ServiceExt};
//! use zrpc::tower::Call;
//! use zrpc::{Client, Method, Server};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let square = tower::service_fn(|call: Call| async move {
//!     let (number,): (i64,) = call.args()?;
//!     zrpc::Reply::new(&(number * number))
//! });
//! let server = Server::builder()
//!     .register(Method::tower("square", square))
//!     .bind("tcp://127.0.0.1:*")
//!     .build()
//!     .await?;
//!
//! let client = Client::connect(&server.endpoints()[0]).await?;
//! let mut client = tower::ServiceBuilder::new()
//!     .concurrency_limit(10)
//!     .service(client);
//! let call = Call::new("square", (7,))?;
//! let reply = client.ready().await?.call(call).await?;
//! assert_eq!(reply.decode::<i64>()?, 49);
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod call;
mod client;
mod method;

pub use call::Call;
