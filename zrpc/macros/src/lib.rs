//! The attribute `#[zrpc::service]`, which makes services and their typed clients from an `impl`
//! block or a `trait`. It is used through the crate `zrpc`, whose documentation describes it.
//!
//! - `parse` reads what the user wrote into the `model`, and says what is wrong with it.
//! - `expand` writes the service and its client from the model.
//! - `problems` collects what is wrong, so that all of it is reported at once.

mod expand;
mod model;
mod parse;
mod problems;

/// Makes a service, and a typed client of it, from an `impl` block or a `trait`.
///
/// See the documentation of the crate `zrpc`.
#[proc_macro_attribute]
pub fn service(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand::service(options.into(), item.into()).into()
}
