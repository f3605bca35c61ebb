//! Who comes in, and who does not: mechanisms and authenticators against scripted raw peers.

mod curve;
mod null;
mod options;
mod plain;
mod support;
mod zap;
