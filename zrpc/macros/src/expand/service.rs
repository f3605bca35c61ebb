//! What the attribute is replaced by.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::{block, definition, implementation};
use crate::parse::Item;
use crate::problems::Problems;

/// Writes what the attribute and the item behind it stand for.
///
/// With a mistake in it, that is the item as it is and the messages, so that there are no further
/// messages about code that is missing.
pub(crate) fn service(options: TokenStream, item: TokenStream) -> TokenStream {
    let original = item.clone();
    let mut problems = Problems::default();
    let Some(item) = Item::parse(options, item, &mut problems) else {
        let errors = problems.into_compile_errors();
        return quote!(#original #errors);
    };
    if problems.is_empty() {
        return match item {
            Item::Block(block) => block::expand(&block),
            Item::Definition(definition) => definition::expand(definition),
            Item::Implementation(implementation) => implementation::expand(&implementation),
        };
    }
    let errors = problems.into_compile_errors();
    let item = match item {
        Item::Block(block) => block.item.into_token_stream(),
        Item::Definition(definition) => definition::rewrite(&definition),
        Item::Implementation(implementation) => implementation.item.into_token_stream(),
    };
    quote!(#item #errors)
}
