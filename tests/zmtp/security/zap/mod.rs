//! Handlers of ZAP behind sockets: asked by our servers, and ours asked by others.

mod answering;
mod asking;
mod support;
