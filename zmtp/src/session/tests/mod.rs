//! Sessions against scripted peers and each other, in virtual time.
