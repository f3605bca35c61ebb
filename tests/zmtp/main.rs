//! Our sockets against scripted raw peers over TCP, as the bound and as the connecting side.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something fails, and says where"
)]

mod authentication;
mod chaos;
mod closing;
mod events;
mod extended;
mod fan_out;
mod greeting;
mod handshake;
mod heartbeat;
mod hostile;
mod limits;
mod marks;
mod pair;
mod peers;
mod publishers;
mod reconnect;
mod request_options;
mod request_reply;
mod routing;
mod security;
mod subscriptions;
mod suite;
mod traffic;
