//! The table of all settings as Markdown: `docs/settings.md` holds it word for word.

use std::fmt::Write;

use super::{
    catalog, later,
    spec::{Setting, Unit},
};

/// One table a group of settings, then those of features to come.
pub(crate) fn markdown() -> String {
    let mut text = String::new();
    for (heading, settings) in catalog::GROUPS {
        let rows = settings.iter().map(|setting| row(*setting)).collect::<String>();
        // Writing to a string can't fail.
        let _infallible = write!(
            text,
            "## {heading}\n\n| setting | default | range | what it sets |\n|---|---|---|---|\n{rows}\n"
        );
    }
    text.push_str("## Of features to come\n\n| setting | what this build does |\n|---|---|\n");
    for (name, instead) in later::lines() {
        let _infallible = writeln!(text, "| `{name}` | {instead} |");
    }
    text
}

fn row(setting: Setting) -> String {
    let (default, range, about) = match setting {
        Setting::Integer(s) => {
            let unit = if s.unit == Unit::Count { String::new() } else { format!(" {}", s.unit) };
            let range = format!("{} to {}", grouped(s.min), grouped(s.max));
            (format!("{}{unit}", grouped(s.default)), range, s.about)
        }
        Setting::Switch(s) => {
            (if s.default { "`on`" } else { "`off`" }.to_owned(), "`on`, `off`".to_owned(), s.about)
        }
        Setting::Choice(s) => {
            let words: Vec<_> = s.words.iter().map(|word| format!("`{word}`")).collect();
            (s.default.to_owned(), words.join(", "), s.about)
        }
        Setting::Text(s) => (s.default.to_owned(), s.form.to_owned(), s.about),
    };
    format!("| `{}` | {default} | {range} | {about} |\n", setting.name())
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
