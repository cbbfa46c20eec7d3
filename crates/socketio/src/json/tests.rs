//! The scanner against tables, against `serde_json`, and against hostile texts.

use proptest::prelude::*;

use super::plain::plain_len;
use super::{Invalid, check_placeholders, elements, push_string, unquote, validate};

const VALID: &[&str] = &[
    "0",
    "-0",
    "1.5e-3",
    "1E+9",
    "true",
    "false",
    "null",
    "\"\"",
    "[]",
    "{}",
    " [ ] ",
    "[{}]",
    "{\"a\":[]}",
    "[1 , 2]",
    "\t{\n\"a\" : 1 ,\r\"b\":[ null ]}",
    r#""\ud800""#,
    r#""\u0000\"\\\/\b\f\n\r\t""#,
    "\"\u{7f}\u{2028}é😀\"",
    "{\"a\":1,\"a\":2,\"__proto__\":{}}",
    "12345678901234567890123456789e999",
];

const INVALID: &[&str] = &[
    "",
    " ",
    "[",
    "]",
    "{",
    "}",
    "[1",
    "[1,",
    "[,]",
    "[1,]",
    "[1 2]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "[}",
    "{]",
    "[1}",
    "{\"a\":1]",
    "[]]",
    "[] x",
    "1 2",
    "01",
    "-",
    "+1",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x1",
    "NaN",
    "Infinity",
    "tru",
    "truex",
    "True",
    "nul",
    "\"",
    "\"a",
    "\"\\",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\u{1}\"",
    "\"\n\"",
    "'a'",
    "[\u{b}1]",
    "[\u{a0}1]",
    "\u{feff}[]",
    "//\n[]",
    "[1]\0",
    "{\"a\":1 \"b\":2}",
    "{,}",
    "[\"a\":1]",
];

#[test]
fn valid_json_is_accepted_and_everything_else_refused() {
    for text in VALID {
        assert_eq!(validate(text.as_bytes(), 128), Ok(()), "{text:?}");
    }
    for text in INVALID {
        assert_eq!(validate(text.as_bytes(), 128), Err(Invalid::Syntax), "{text:?}");
        assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text:?}");
    }
}

#[test]
fn nesting_is_limited_and_never_recursive() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(validate(nested(128).as_bytes(), 128), Ok(()));
    assert_eq!(validate(nested(129).as_bytes(), 128), Err(Invalid::Syntax));
    assert_eq!(validate(nested(129).as_bytes(), usize::MAX), Err(Invalid::Syntax));
    assert_eq!(validate(nested(3).as_bytes(), 2), Err(Invalid::Syntax));
    assert_eq!(validate("[".repeat(1_000_000).as_bytes(), 128), Err(Invalid::Syntax));
    let mixed = format!("{}1{}", "[{\"a\":".repeat(64), "}]".repeat(64));
    assert_eq!(validate(mixed.as_bytes(), 128), Ok(()));
    assert_eq!(validate(mixed.as_bytes(), 127), Err(Invalid::Syntax));
}

#[test]
fn elements_are_found_where_they_stand() {
    let table: &[(&str, &[&str])] = &[
        ("[]", &[]),
        ("[1]", &["1"]),
        (
            " [ \"a,]\" , {\"b\":[1,2]} ,[],-1.5e3\n, null ] ",
            &["\"a,]\"", "{\"b\":[1,2]}", "[]", "-1.5e3", "null"],
        ),
    ];
    for (text, expected) in table {
        let spans = elements(text.as_bytes(), 0, 128, 16).unwrap();
        let found: Vec<&str> =
            spans.iter().map(|span| &text[span.start as usize..span.end as usize]).collect();
        assert_eq!(found, *expected, "{text:?}");
    }
    assert_eq!(elements(b"[1,2,3]", 0, 128, 2), Err(Invalid::TooMany));
    assert_eq!(elements(b"[1,2,3", 0, 128, 2), Err(Invalid::Syntax));
}

#[test]
fn placeholders_stand_for_attachments_that_come() {
    let table = [
        (r#"["a",{"_placeholder":true,"num":0}]"#, 1, true),
        (r#"["a",{"num":1,"_placeholder":true}]"#, 2, true),
        (r#"["a",[{"x":{"_placeholder":true,"num":0}}],{"_placeholder":true,"num":0}]"#, 1, true),
        (r#"["a",{"_placeholder":true,"num":0,"more":[1]}]"#, 1, true),
        (r#"["a",{"_placeholder":true,"num":1.0}]"#, 2, true),
        (r#"["a",{"_placeholder":false,"num":9}]"#, 1, true),
        (r#"["a",{"_placeholder":"true","num":9}]"#, 1, true),
        (r#"["a",{"_placeholder":true,"_placeholder":0}]"#, 1, true),
        (r#"["a"]"#, 3, true),
        (r#"["a",{"_placeholder":true,"num":1}]"#, 1, false),
        (r#"["a",{"_placeholder":true,"num":-1}]"#, 1, false),
        (r#"["a",{"_placeholder":true,"num":0.5}]"#, 1, false),
        (r#"["a",{"_placeholder":true,"num":"0"}]"#, 1, false),
        (r#"["a",{"_placeholder":true,"num":[0]}]"#, 1, false),
        (r#"["a",{"_placeholder":true}]"#, 1, false),
        (r#"["a",{"_placeholder":true,"num":0}]"#, 0, false),
        (r#"["a",{"\u005fplaceholder":true,"num":1e9}]"#, 1, false),
        (r#"["a",[[{"b":{"_placeholder":true,"num":3}}]]]"#, 3, false),
        (r#"["a",{"num":0,"b":{"num":5},"_placeholder":true}]"#, 1, true),
    ];
    for (text, attachments, legal) in table {
        let result = check_placeholders(text.as_bytes(), 128, attachments);
        assert_eq!(result.is_ok(), legal, "{text} with {attachments}");
    }
}

#[test]
fn strings_are_taken_out_of_their_quotes() {
    let table = [
        (r#""plain""#, "plain"),
        (r#""a\"\\\/\b\f\n\r\tb""#, "a\"\\/\u{8}\u{c}\n\r\tb"),
        (r#""\u0041\u00e9\ud83d\ude00""#, "Aé😀"),
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""\ud83dx\ude00""#, "\u{fffd}x\u{fffd}"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        ("12.5", "12.5"),
    ];
    for (raw, plain) in table {
        assert_eq!(unquote(raw), plain, "{raw}");
    }
}

/// JSON-like noise: what a mutation of real texts looks like.
fn noise() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"_placeholder\"",
        "\"num\"",
        "true",
        "false",
        "null",
        "0",
        "-1",
        "1.5",
        "1e3",
        " ",
        "\n",
        "\\",
        "\\u0041",
        "\\ud800",
        "é",
        "\u{1}",
        "x",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn the_scanner_agrees_with_serde_json(text in noise()) {
        // serde_json refuses lone surrogates, which JSON's grammar (and Node) takes.
        prop_assume!(!text.contains("\\ud800"));
        let expected = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        prop_assert_eq!(validate(text.as_bytes(), 128).is_ok(), expected);
    }

    #[test]
    fn plain_text_ends_where_a_plain_search_says(
        text in prop::collection::vec(prop::sample::select(b"\x00\x1f !\"#\\[]a\x7f\x80\xa2\xdc\xff".to_vec()), 0..40),
    ) {
        let end = text.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20);
        prop_assert_eq!(plain_len(&text), end.unwrap_or(text.len()));
    }

    #[test]
    fn any_bytes_are_survived(text in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = validate(&text, 128);
        let _ = elements(&text, 0, 128, 16);
        let _ = check_placeholders(&text, 128, 2);
    }

    #[test]
    fn a_pushed_string_is_the_one_that_comes_out(text in any::<String>()) {
        let mut json = String::new();
        push_string(&mut json, &text);
        prop_assert_eq!(unquote(&json), text.as_str());
        prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
