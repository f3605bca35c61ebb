//! Words of the command line become the values that are sent.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use rmpv::Value;
use thiserror::Error;

use super::json::{self, JsonError};
use crate::args::{ParamSource, Params};

/// A param that cannot be sent.
#[derive(Debug, Error)]
pub(crate) enum ParamError {
    /// It is not the JSON it was said to be.
    #[error(
        "param {number} cannot be used: {source} (strings need quotes: '\"text\"'; without -j, \
         params are strings)"
    )]
    Json {
        /// Which param, counted from one.
        number: usize,
        /// What is wrong with it.
        source: JsonError,
    },
    /// The file that it names cannot be read.
    #[error("param {number} cannot be used: cannot read {place}: {source}")]
    Unreadable {
        /// Which param, counted from one.
        number: usize,
        /// The file, or stdin.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// Stdin can be read once.
    #[error("param {number} cannot be used: stdin is another param already")]
    StdinTwice {
        /// Which param, counted from one.
        number: usize,
    },
}

/// Converts the params into the values that are sent.
///
/// # Errors
///
/// [`ParamError`], if one of them should be JSON and is not, or is too large for msgpack, or names
/// a file that is not there.
pub(crate) fn into_values(params: &Params, source: ParamSource) -> Result<Vec<Value>, ParamError> {
    let (texts, is_json) = match params {
        Params::Text(texts) => (texts, false),
        Params::Json(texts) => (texts, true),
    };
    let mut stdin = Some(io::stdin());
    let mut values = Vec::with_capacity(texts.len());
    for (text, number) in texts.iter().zip(1..) {
        let bytes = match source {
            ParamSource::Words => Cow::Borrowed(text.as_bytes()),
            ParamSource::Files => read(text, number, &mut stdin)?,
        };
        let text = str::from_utf8(&bytes);
        values.push(match (text, is_json) {
            (Ok(text), true) => parse_json(text, number)?,
            (Ok(text), false) => Value::from(text),
            // Only what is in a file can be something else than text.
            (Err(_), true) => parse_json(&String::from_utf8_lossy(&bytes), number)?,
            (Err(_), false) => Value::Binary(bytes.into_owned()),
        });
    }
    Ok(values)
}

fn parse_json(text: &str, number: usize) -> Result<Value, ParamError> {
    json::parse(text).map_err(|source| ParamError::Json { number, source })
}

/// Returns what a word stands for: the content of a file, or itself.
fn read<'a>(
    word: &'a str,
    number: usize,
    stdin: &mut Option<io::Stdin>,
) -> Result<Cow<'a, [u8]>, ParamError> {
    let unreadable = |place: &str, source| ParamError::Unreadable {
        number,
        place: place.to_owned(),
        source,
    };
    if word == "-" {
        let stdin = stdin.take().ok_or(ParamError::StdinTwice { number })?;
        let mut bytes = Vec::new();
        return match stdin.lock().read_to_end(&mut bytes) {
            Ok(_) => Ok(Cow::Owned(bytes)),
            Err(error) => Err(unreadable("stdin", error)),
        };
    }
    match word.strip_prefix('@') {
        None => Ok(Cow::Borrowed(word.as_bytes())),
        Some(word) if word.starts_with('@') => Ok(Cow::Borrowed(word.as_bytes())),
        Some(path) => match fs::read(Path::new(path)) {
            Ok(bytes) => Ok(Cow::Owned(bytes)),
            Err(error) => Err(unreadable(path, error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(params: &Params) -> Result<Vec<Value>, ParamError> {
        into_values(params, ParamSource::Words)
    }

    #[test]
    fn text_params_are_strings() {
        let params = Params::Text(vec!["1".to_owned(), "@x".to_owned(), "-".to_owned()]);
        let expected = [Value::from("1"), Value::from("@x"), Value::from("-")];
        assert_eq!(values(&params).unwrap(), expected);
    }

    #[test]
    fn what_is_not_json_says_which_param() {
        let params = Params::Json(vec!["1".to_owned(), "bad".to_owned()]);
        let error = values(&params).unwrap_err().to_string();
        assert!(error.starts_with("param 2 cannot be used: expected a JSON value at character 1"));
    }

    #[test]
    fn a_file_that_is_not_there_says_which_one() {
        let params = Params::Text(vec!["@@x".to_owned(), "@/nowhere/x".to_owned()]);
        let error = into_values(&params, ParamSource::Files).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("param 2 cannot be used: cannot read /nowhere/x"));
    }
}
