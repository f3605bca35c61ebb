//! The names and header keys that the protocol itself uses.

/// Heartbeat, and credit too for peers before version 3.
pub const HEARTBEAT: &str = "_zpc_hb";
/// Credit.
pub const MORE: &str = "_zpc_more";
/// The caller gave up. Sent only to a server that said in the header of its channel that it
/// understands it; no other implementation does.
pub const CANCEL: &str = "_zpc_cancel";
/// Header key: for how many milliseconds the sender of a request waits for its first reply.
pub const TIMEOUT: &str = "_zpc_timeout";
/// The result of a call.
pub const OK: &str = "OK";
/// The failure of a call or of a stream.
pub const ERR: &str = "ERR";
/// One item of a stream.
pub const STREAM: &str = "STREAM";
/// The end of a stream.
pub const STREAM_DONE: &str = "STREAM_DONE";

/// Header key: the id of the event.
pub const MESSAGE_ID: &str = "message_id";
/// Header key: the protocol version.
pub const VERSION: &str = "v";
/// Header key: the id of the event that opened the channel.
pub const RESPONSE_TO: &str = "response_to";
