//! Checks of the source tree itself: what may use what, and how files look.

mod conformance;
mod dependencies;
mod files;
mod layers;
mod sans_io;
mod source;
mod strip;
