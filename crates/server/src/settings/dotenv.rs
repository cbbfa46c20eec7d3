//! The `.env` format as Node's `dotenv` reads it.
//!
//! Written here because the seed's files must mean the same as they did: no `$` expansion (secrets hold
//! dollars), unquoted values with spaces, `#` ends an unquoted value, quotes of three kinds over several
//! lines, `\n` and `\r` in double quotes only.

use std::collections::HashMap;

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// The values by name; the last of a name counts.
    pub(crate) values: HashMap<String, String>,
    /// The numbers of lines that are neither an assignment, nor a comment, nor empty.
    pub(crate) ignored: Vec<usize>,
}

/// Reads a file's text.
pub(crate) fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let (mut rest, mut line) = (text.trim_start_matches('\u{feff}'), 1);
    while !rest.is_empty() {
        let (first, _) = rest.split_once('\n').unwrap_or((rest, ""));
        let taken = match assignment(first, rest) {
            Some((name, value, length)) => {
                parsed.values.insert(name, value);
                length
            }
            None => {
                if !matches!(first.trim_start().chars().next(), None | Some('#')) {
                    parsed.ignored.push(line);
                }
                first.len()
            }
        };
        let (done, after) = rest.split_at(taken);
        // What stands behind a closing quote is a comment at most.
        let tail = after.find('\n').map_or(after.len(), |end| end + 1);
        line += done.matches('\n').count() + 1;
        rest = after.get(tail..).unwrap_or_default();
    }
    parsed
}

/// Reads `name=value` at the start of `rest`, whose first line is `first`: name, value and bytes taken.
fn assignment(first: &str, rest: &str) -> Option<(String, String, usize)> {
    let (before, after) = first.split_once('=')?;
    let name = before.trim();
    let name = name.strip_prefix("export ").map_or(name, str::trim_start);
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(legal) {
        return None;
    }
    let start = before.len() + 1;
    let blank = after.len() - after.trim_start().len();
    if let Some((value, length)) = rest.get(start + blank..).and_then(quoted) {
        return Some((name.to_owned(), value, start + blank + length));
    }
    let value = after.split('#').next().unwrap_or_default().trim();
    Some((name.to_owned(), value.to_owned(), first.len()))
}

/// Reads a quoted value: the value, and bytes taken with both quotes. `None` where no quote closes it.
fn quoted(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inner = text.get(1..)?;
    let mut escaped = false;
    let end = inner.find(|c| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    let value = inner.get(..end)?;
    let value = if quote == '"' { value.replace("\\n", "\n").replace("\\r", "\r") } else { value.to_owned() };
    Some((value, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<String> {
        parse(text).values.remove("A")
    }

    #[test]
    fn values_mean_what_they_mean_to_node() {
        let cases = [
            ("A=1", "1"),
            ("A = spaced out \n", "spaced out"),
            ("export A=x", "x"),
            ("A=", ""),
            ("A=x # comment", "x"),
            ("A=$HOME and ${HOME}", "$HOME and ${HOME}"),
            ("A=a=b==", "a=b=="),
            ("A='single # $x \\n'", "single # $x \\n"),
            ("A=\"double\\nline\" # comment", "double\nline"),
            ("A=`back \"and\" 'all'`", "back \"and\" 'all'"),
            ("A=\"two\nlines\"\nB=1", "two\nlines"),
            ("A=\"open", "\"open"),
            ("A=it's", "it's"),
            ("\u{feff}A=x\r\nB=2\r\n", "x"),
            ("A=first\nA=last", "last"),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_assignment_is_named_by_its_line() {
        let parsed = parse("# comment\n\nA=\"x\ny\"\nPORT 5000\n  # more\n=x\na b=1\nB=2");
        assert_eq!(parsed.ignored, [5, 7, 8]);
        assert_eq!(parsed.values.len(), 2);
        assert_eq!(parsed.values.get("B").map(String::as_str), Some("2"));
    }
}
