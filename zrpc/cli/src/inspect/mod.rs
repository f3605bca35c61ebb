//! What a service says about itself: fetched, understood, printed.

mod decode;
mod fetch;
mod listing;
mod signature;

#[cfg(test)]
mod tests;

pub(crate) use self::fetch::{Detail, Remote, fetch_listing};
pub(crate) use self::listing::Listing;
