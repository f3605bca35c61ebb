//! The peer programs against each other, Python on both sides: when another
//! interop test fails, it is not the fault of the peers.

mod zerorpc;
mod zmq;
