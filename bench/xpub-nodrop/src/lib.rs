//! `ZMQ_XPUB_NODROP`, which crate `zmq` has no method for: a PUB or XPUB socket that waits for
//! subscribers that are behind, instead of dropping what is meant for them.
//!
//! A crate of its own, because it takes a call into C, and the benchmark forbids unsafe code.

use std::ffi::{c_int, c_void};

/// Makes `send` on a PUB or XPUB socket wait where it would drop.
///
/// # Errors
///
/// What libzmq answers, such as `EINVAL` for another type of socket.
pub fn set(socket: &mut zmq::Socket) -> zmq::Result<()> {
    let value: c_int = 1;
    // SAFETY: the socket is borrowed, so that it is open and nobody else uses it, and libzmq reads
    // an option of the size that is given, from a value that lives until the call returns.
    let result = unsafe {
        zmq_sys::zmq_setsockopt(
            socket.as_mut_ptr(),
            zmq_sys::ZMQ_XPUB_NODROP as c_int,
            (&raw const value).cast::<c_void>(),
            size_of::<c_int>(),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        // SAFETY: takes nothing and reads the error number of this thread.
        Err(zmq::Error::from_raw(unsafe { zmq_sys::zmq_errno() }))
    }
}
