//! Keeps `docs/conformance` complete and true: no requirement is missing, and what the tests
//! cover is computed from them.
//!
//! A test names the requirements that it holds the code to in a comment or in a table of cases.
//! After a change, `CONFORMANCE=write cargo test -p tests --test structure` brings the pages up
//! to date.

mod checks;
mod page;
