//! What is wrong with a definition, all of it.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Collects errors, so that the user learns of all of them at once.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    errors: Option<syn::Error>,
}

impl Problems {
    /// Adds a problem with `tokens`, which the message says how to solve.
    pub(crate) fn add(&mut self, tokens: impl ToTokens, message: &str) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            None => self.errors = Some(error),
        }
    }

    /// Returns the value of a result, or adds its error.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Whether there are any.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_none()
    }

    /// Returns code that makes the compiler report them.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.errors
            .map(syn::Error::into_compile_error)
            .unwrap_or_default()
    }
}
