//! Layer 4: the sockets for programs without a runtime.
//!
//! Each socket here is the one of the same name at the root of the crate, behind calls that block the
//! thread instead of futures. The tasks of all of them run on one thread in the background, which is
//! started when it is needed first. Handles move between threads, and halves or clones are used from
//! several at once, as those of the sockets inside.
//!
//! ```
//! use zmtp::blocking::{PullSocket, PushSocket};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut pull = PullSocket::new();
//! let endpoint = pull.bind("tcp://127.0.0.1:*")?;
//! std::thread::spawn(move || {
//!     let mut push = PushSocket::new();
//!     push.connect(&endpoint).expect("an endpoint that was bound");
//!     push.send(["hello", "world"]).expect("the socket is open");
//!     push.close();
//! });
//! assert_eq!(pull.recv()?, ["hello", "world"]);
//! # Ok(())
//! # }
//! ```
//!
//! A program that ends takes the thread in the background with it, and what is still queued there:
//! [`Socket::close`] waits until it is sent.

mod error;
mod monitor;
mod poller;
mod runtime;
mod socket;
mod types;
mod wait;

pub use error::{RecvTimeoutError, SendTimeoutError, TimedOut};
pub use monitor::Monitor;
pub use poller::Poller;
pub use socket::Socket;
pub use types::{
    DealerReceiver, DealerSender, DealerSocket, PairReceiver, PairSender, PairSocket, PubSocket,
    PullSocket, PushSocket, RepSocket, ReqSocket, RouterReceiver, RouterSender, RouterSocket,
    SubSocket, XPubReceiver, XPubSender, XPubSocket, XSubReceiver, XSubSender, XSubSocket,
};
