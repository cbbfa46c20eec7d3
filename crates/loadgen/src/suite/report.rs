//! The report: JSON for programs, a Markdown table for people.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::judge::Row;
use crate::procfs::Machine;
use crate::say;
use chat_client::ClientError as LoadError;

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// Everything that a suite found out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    date: String,
    machine: Machine,
    /// Processors of server and load tool; null when left to the system.
    cores: Option<(usize, usize)>,
    quick: bool,
    /// The rows that were run.
    pub(super) rows: Vec<Row>,
}

impl Report {
    /// An empty report of a run that begins now.
    pub(super) fn new(machine: Machine, cores: Option<(usize, usize)>, quick: bool) -> Report {
        let date = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string();
        Report { date, machine, cores, quick, rows: Vec::new() }
    }

    /// Writes the JSON to `out`, the table beside it, into the page `docs`, and to standard output.
    ///
    /// # Errors
    /// When a file cannot be written, or the page has no markers.
    pub(super) fn write(&self, out: &Path, docs: Option<&Path>) -> Result<(), LoadError> {
        let json = serde_json::to_string_pretty(self).map_err(|error| LoadError::Usage(error.to_string()))?;
        if let Some(folder) = out.parent() {
            fs::create_dir_all(folder).map_err(LoadError::io(format!("create {}", folder.display())))?;
        }
        let table = self.table();
        save(out, &(json + "\n"))?;
        save(&out.with_extension("md"), &table)?;
        if let Some(docs) = docs {
            let page = fs::read_to_string(docs).map_err(LoadError::io(format!("read {}", docs.display())))?;
            let page = between_markers(&page, &table).ok_or_else(|| {
                LoadError::Usage(format!("{} has no {BEGIN} … {END} to fill", docs.display()))
            })?;
            save(docs, &page)?;
        }
        say::line(&table)
    }

    fn table(&self) -> String {
        let machine = &self.machine;
        let mut text = format!(
            "Measured {} on {}, {} processors, {} MiB, Linux {}, store on {}; {}; load average {} \
             before.\n\n",
            self.date,
            machine.cpu,
            machine.processors,
            machine.memory_mib,
            machine.kernel,
            machine.file_system,
            self.pinning(),
            machine.load_average
        );
        if self.quick {
            text.push_str("**A quick run: these figures show that the suite works, nothing more.**\n\n");
        }
        if machine.is_memory_only() {
            text.push_str("**The store was in memory, so that syncs cost nothing: not comparable.**\n\n");
        }
        text.push_str("| what | must | measured | | beside |\n|---|---|---|---|---|\n");
        for Row { what, must, verdict, .. } in &self.rows {
            let word = if verdict.reached { "reached" } else { "**missed**" };
            let (measured, beside) = (cell(&verdict.measured), cell(&verdict.beside));
            // Writing into a String has no error.
            let _ = writeln!(text, "| {what} | {must} | {measured} | {word} | {beside} |");
        }
        text
    }

    fn pinning(&self) -> String {
        match self.cores {
            Some((server, load)) => format!("server on processor {server}, load tool on {load}"),
            None => "processors left to the system".to_owned(),
        }
    }
}

/// Text that stays in its cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\r', '\n'], " ")
}

fn save(path: &Path, text: &str) -> Result<(), LoadError> {
    fs::write(path, text).map_err(LoadError::io(format!("write {}", path.display())))
}

fn between_markers(page: &str, table: &str) -> Option<String> {
    let (head, rest) = page.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}\n\n{table}\n{END}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_replaces_what_stood_between_the_markers() {
        let page = format!("# Page\n{BEGIN}\nold\n{END}\nmore\n");
        let filled = between_markers(&page, "| new |\n").unwrap();
        assert_eq!(filled, format!("# Page\n{BEGIN}\n\n| new |\n\n{END}\nmore\n"));
        assert_eq!(between_markers("no markers", "| new |"), None);
    }
}
