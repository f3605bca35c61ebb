//! Stands in for crate `zeromq-src` 0.2, which `zmq-sys` builds libzmq with.
//!
//! `zmq-sys` asks for libzmq without libsodium, which leaves CURVE out. This builds the current
//! release instead, with libsodium, so that all rows of libzmq are measured with one library.

use std::path::Path;

/// What `zmq-sys` names in its build script.
pub struct LibLocation;

/// Builds libzmq.
#[derive(Default)]
pub struct Build;

impl Build {
    /// A build with libsodium.
    pub fn new() -> Self {
        Self
    }

    /// Does nothing: the build has libsodium, whatever is asked for.
    pub fn with_libsodium(&mut self, _: Option<LibLocation>) -> &mut Self {
        self
    }

    /// Compiles libzmq and says how to link it.
    pub fn build(&mut self) {
        let sodium = upstream::LibLocation::new(
            Path::new(env!("SODIUM_LIB")),
            Path::new(env!("SODIUM_INCLUDE")),
        );
        upstream::Build::new().with_libsodium(Some(sodium)).build();
    }
}
