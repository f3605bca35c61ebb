//! Layer 1: the wire layer as `Decoder` and `Encoder` of tokio-util.
//!
//! These suit programs that speak ZMTP without sockets, such as test peers: [`GreetingCodec`]
//! exchanges the greetings and [`FrameCodec`] everything after them.
//!
//! # Example
//!
//! ```no_run
//! use futures_util::{SinkExt, StreamExt};
//! use tokio::net::TcpStream;
//! use tokio_util::codec::Framed;
//! use zmtp::codec::{FrameCodec, GreetingCodec};
//! use zmtp::wire::greeting::{Greeting, MechanismName};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let stream = TcpStream::connect("127.0.0.1:5555").await?;
//! let mut greetings = Framed::new(stream, GreetingCodec::new());
//! greetings.send(Greeting::new(MechanismName::NULL)).await?;
//! let peer = greetings.next().await.ok_or("closed")??;
//! println!("peer speaks {}", peer.version);
//!
//! // Octets that came with the greeting stay in the buffer.
//! let mut frames = greetings.map_codec(|_| FrameCodec::default());
//! while let Some(frame) = frames.next().await {
//!     println!("{:?}", frame?);
//! }
//! # Ok(())
//! # }
//! ```

mod frame;
mod greeting;

pub use frame::{FrameCodec, FrameCodecError};
pub use greeting::{GreetingCodec, GreetingCodecError};

#[cfg(test)]
mod tests;
