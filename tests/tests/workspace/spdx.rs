//! Reads licence expressions: names joined by `AND`, `OR` (or `/`) and parentheses.

/// Whether an expression can be met with licences that `allowed` accepts.
pub(crate) fn satisfies(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced =
        expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "+");
    let mut words = spaced.split_whitespace().peekable();
    let met = any_of(&mut words, allowed);
    assert!(words.next().is_none(), "not an expression: {expression}");
    met
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> bool {
    match words.next() {
        Some("(") => {
            let met = any_of(words, allowed);
            assert_eq!(words.next(), Some(")"));
            met
        }
        Some(name) => allowed(name),
        None => panic!("an expression ends too early"),
    }
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let mit = |name: &str| name == "MIT";
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("GPL-3.0 OR MIT AND GPL-2.0", false),
        ("(GPL-3.0 OR MIT) AND MIT", true),
        ("MIT WITH something", false),
    ] {
        assert_eq!(satisfies(expression, &mit), met, "{expression}");
    }
}
