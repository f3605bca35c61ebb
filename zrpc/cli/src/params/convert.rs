//! Words of the command line become the values that are sent.

use rmpv::Value;
use thiserror::Error;

use super::json::{self, JsonError};
use crate::args::Params;

/// A param that is not the JSON it was said to be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "param {number} cannot be used: {source} (strings need quotes: '\"text\"'; without -j, \
         params are strings)"
)]
pub(crate) struct ParamError {
    /// Which param, counted from one.
    number: usize,
    /// What is wrong with it.
    source: JsonError,
}

/// Converts the params into the values that are sent.
///
/// # Errors
///
/// [`ParamError`], if one of them should be JSON and is not, or is too large for msgpack.
pub(crate) fn into_values(params: Params) -> Result<Vec<Value>, ParamError> {
    match params {
        Params::Text(texts) => Ok(texts.into_iter().map(Value::from).collect()),
        Params::Json(texts) => {
            let numbered = texts.iter().zip(1..);
            numbered
                .map(|(text, number)| {
                    json::parse(text).map_err(|source| ParamError { number, source })
                })
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_params_are_strings() {
        let params = Params::Text(vec!["1".to_owned(), "x".to_owned()]);
        let values = [Value::from("1"), Value::from("x")];
        assert_eq!(into_values(params).unwrap(), values);
    }

    #[test]
    fn what_is_not_json_says_which_param() {
        let params = Params::Json(vec!["1".to_owned(), "bad".to_owned()]);
        let error = into_values(params).unwrap_err().to_string();
        assert!(error.starts_with("param 2 cannot be used: expected a JSON value at character 1"));
    }
}
