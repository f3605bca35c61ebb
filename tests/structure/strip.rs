//! Reduces Rust source to the code that ships: comments, literals and test modules become spaces.

/// Returns `text` with comments and the contents of string and character literals blanked.
///
/// Line breaks stay, so that line numbers of the result are those of the file.
pub(crate) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => line_end(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at + 1),
            b'r' if !in_word(bytes, at) => raw_string_end(bytes, at + 1).unwrap_or(at),
            b'b' if !in_word(bytes, at) && bytes[at..].starts_with(b"br") => {
                raw_string_end(bytes, at + 2).unwrap_or(at)
            }
            b'\'' => char_end(bytes, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            out.push(bytes[at]);
            at += 1;
        } else {
            out.extend(bytes[at..end].iter().map(|&byte| blank(byte)));
            at = end;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Blanks every item under `#[cfg(test)]`, or of the models, in the result of [`code_only`].
pub(crate) fn without_test_items(code: &str) -> String {
    let mut rest = with_one_condition(code);
    while let Some(start) = rest.find(TEST) {
        let end = item_end(rest.as_bytes(), start + TEST.len());
        let blanked: Vec<u8> = rest.as_bytes()[start..end]
            .iter()
            .map(|&byte| blank(byte))
            .collect();
        rest.replace_range(start..end, &String::from_utf8_lossy(&blanked));
    }
    rest
}

/// What marks an item that is built for tests alone.
const TEST: &str = "#[cfg(test)]";

/// The same for models of concurrency, and for tests that need the locks of the operating system.
const MODEL: &str = "#[cfg(all(test, shuttle))]";
const NO_MODEL: &str = "#[cfg(all(test, not(shuttle)))]";

/// Marks all of them as tests are marked, without moving anything.
fn with_one_condition(code: &str) -> String {
    [MODEL, NO_MODEL]
        .iter()
        .fold(code.to_owned(), |code, condition| {
            let padded = format!("{TEST:width$}", width = condition.len());
            code.replace(condition, &padded)
        })
}

/// Returns the names of the modules that `code` declares as `#[cfg(test)] mod name;`, or as models.
pub(crate) fn test_modules(code: &str) -> Vec<String> {
    with_one_condition(code)
        .split(TEST)
        .skip(1)
        .filter_map(|after| {
            let declaration = after.trim_start();
            let declaration = declaration
                .strip_prefix("pub(crate) ")
                .unwrap_or(declaration);
            let name = declaration.strip_prefix("mod ")?;
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
            name[end..]
                .trim_start()
                .starts_with(';')
                .then(|| name[..end].to_owned())
        })
        .collect()
}

/// Whether `word` occurs in `line` with no identifier character on either side.
///
/// A side on which `word` itself ends in punctuation is not looked at.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let open = |outer: Option<char>, inner: Option<char>| {
            !(inner.is_some_and(is_name) && outer.is_some_and(is_name))
        };
        open(before, word.chars().next()) && open(after, word.chars().next_back())
    })
}

fn blank(byte: u8) -> u8 {
    if byte == b'\n' { b'\n' } else { b' ' }
}

fn in_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    rest.iter()
        .position(|&byte| byte == b'\n')
        .map_or(bytes.len(), |length| at + length)
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_u32;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn raw_string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let hashes = bytes[start..].iter().take_while(|&&b| b == b'#').count();
    let body = start + hashes + 1;
    if bytes.get(start + hashes) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let length = bytes[body..]
        .windows(close.len())
        .position(|window| window == close)?;
    Some(body + length + close.len())
}

/// The end of a character literal, or `None` if the quote starts a lifetime.
fn char_end(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes.get(start + 1) == Some(&b'\\') {
        let close = bytes[start + 3..].iter().position(|&b| b == b'\'')?;
        return Some(start + 3 + close + 1);
    }
    let text = std::str::from_utf8(&bytes[start + 1..]).ok()?;
    let mut chars = text.char_indices();
    chars.next()?;
    let (close, quote) = chars.next()?;
    (quote == '\'').then_some(start + 1 + close + 1)
}

/// The end of the item that starts at `start`: its closing brace, or its semicolon.
fn item_end(code: &[u8], start: usize) -> usize {
    let mut depth = 0_u32;
    for (offset, &byte) in code[start..].iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return start + offset + 1;
                }
            }
            b';' if depth == 0 => return start + offset + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::{code_only, has_word, test_modules, without_test_items};

    #[test]
    fn comments_and_literals_are_blanked() {
        let code = code_only("a(\"x // y\"); // z\nlet c = '\\''; let d: &'a str = r#\"\"q\"\"#;");
        assert!(!code.contains(['x', 'y', 'z', 'q']), "{code}");
        assert!(code.contains("&'a str"), "{code}");
        assert_eq!(code.lines().count(), 2);
    }

    #[test]
    fn test_items_are_blanked_and_the_rest_stays() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\nfn c() {}\n";
        let left = without_test_items(code);
        assert!(left.contains("fn a") && left.contains("fn c"), "{left}");
        assert!(!left.contains("fn b"), "{left}");
        let code = "#[cfg(all(test, shuttle))]\nuse d::e;\nfn c() {}\n";
        assert_eq!(without_test_items(code).trim(), "fn c() {}");
        let code = "#[cfg(all(test, not(shuttle)))]\nmod tests { fn b() {} }\nfn c() {}\n";
        assert_eq!(without_test_items(code).trim(), "fn c() {}");
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_found() {
        assert_eq!(
            test_modules("#[cfg(test)]\nmod proptests;\n"),
            ["proptests"]
        );
        let models = test_modules("#[cfg(all(test, shuttle))]\nmod models;\n");
        assert_eq!(models, ["models"]);
        assert!(test_modules("#[cfg(test)]\nmod tests {\n}\n").is_empty());
    }

    #[test]
    fn words_have_edges() {
        assert!(has_word("use rand::Rng;", "rand"));
        assert!(!has_word("let operand = 1;", "rand"));
        assert!(has_word("x.unwrap()", ".unwrap()"));
    }
}
