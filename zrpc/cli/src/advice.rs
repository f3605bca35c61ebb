//! What the user can do about an error.

use zrpc::{CallError, ConnectError};

use crate::args::{Action, ParamSource, Params, definition};
use crate::params::into_values;

/// What to do about a failed call.
pub(crate) fn for_call(error: &CallError) -> Option<&'static str> {
    match error {
        CallError::Remote(remote) if remote.name == "NameError" => {
            Some("without a command, zrpc lists the methods")
        }
        CallError::Timeout { .. } => {
            Some("check that a server answers at the address, or wait longer with --timeout")
        }
        CallError::LostRemote { .. } => {
            Some("the server fell silent; --heartbeat must be that of the server")
        }
        _ => None,
    }
}

/// What to do about arguments of a wrong type, if they are strings that look like something else.
pub(crate) fn about_params(action: &Action) -> Option<&'static str> {
    let Action::Call {
        params: Params::Text(texts),
        source: ParamSource::Words,
        ..
    } = action
    else {
        return None;
    };
    let is_json = |text: &String| {
        let read = into_values(&Params::Json(vec![text.clone()]), ParamSource::Words);
        read.is_ok()
    };
    texts
        .iter()
        .any(is_json)
        .then_some("params are strings; with -j they are JSON, such as numbers")
}

/// What to do about an address that cannot be used.
pub(crate) fn for_address(error: &ConnectError) -> Option<String> {
    let ConnectError::Endpoint { endpoint, .. } = error else {
        return None;
    };
    if endpoint.contains("://") {
        return None;
    }
    let definition = definition();
    let tools = definition.get_subcommands().map(|tool| tool.get_name());
    Some(match nearest(endpoint, tools) {
        Some(tool) => format!("did you mean the tool {tool}?"),
        None => "an address looks like tcp://127.0.0.1:4242; see zrpc --help".to_owned(),
    })
}

/// Returns the name that was probably meant.
pub(crate) fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted: Vec<char> = wanted.chars().take(LONGEST + 1).collect();
    if wanted.len() > LONGEST {
        return None;
    }
    let names = names.into_iter();
    let near = names.filter_map(|name| {
        let other: Vec<char> = name.chars().take(LONGEST + 1).collect();
        // One mistake in three letters still is the same word.
        let tolerated = wanted.len().max(other.len()).div_ceil(3);
        let distance = (other.len() <= LONGEST).then(|| distance(&wanted, &other))?;
        (distance > 0 && distance <= tolerated && distance < other.len())
            .then_some((distance, name))
    });
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The number of letters to insert, remove or replace to make one word of the other.
fn distance(one: &[char], two: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (at, letter) in one.iter().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (above, other) in row.iter_mut().skip(1).zip(two) {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = *above;
            left = replaced.min(diagonal + 1).min(left + 1);
            *above = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Longer words are not compared: the names come from a peer.
const LONGEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (one, two, expected) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "", 3),
            ("same", "same", 0),
            ("flaw", "lawn", 2),
        ] {
            let (one, two): (Vec<_>, Vec<_>) = (one.chars().collect(), two.chars().collect());
            assert_eq!(distance(&one, &two), expected);
        }
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        let names = ["hello", "help", "add"];
        assert_eq!(nearest("helo", names), Some("hello"));
        assert_eq!(nearest("ad", names), Some("add"));
        assert_eq!(nearest("subtract", names), None);
        assert_eq!(nearest("x", names), None);
        assert_eq!(nearest(&"h".repeat(1000), names), None);
    }

    #[test]
    fn an_address_that_is_none_gets_an_example_or_a_tool() {
        let advice = |endpoint: &str| {
            for_address(&ConnectError::Endpoint {
                endpoint: endpoint.to_owned(),
                detail: String::new(),
            })
        };
        assert_eq!(
            advice("benhc").as_deref(),
            Some("did you mean the tool bench?")
        );
        let example = "an address looks like tcp://127.0.0.1:4242; see zrpc --help";
        for endpoint in ["localhost:4242", "help", "list"] {
            assert_eq!(advice(endpoint).as_deref(), Some(example));
        }
        assert_eq!(advice("tcp://x"), None);
    }
}
