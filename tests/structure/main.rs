//! Checks of the source tree itself: what may use what, and how files look.

mod cancellation;
mod comparison;
mod conformance;
mod dependencies;
mod document;
mod files;
mod hostile;
mod layers;
mod options;
mod sans_io;
mod source;
mod strip;
mod warnings;
mod zerorpc;
