//! Judges figures against what they must reach.

use serde::Serialize;
use serde_json::Value;

use crate::checks::Checks;
use crate::scenario::closed::ClosedFigures;
use crate::scenario::idle::IdleFigures;
use crate::scenario::logins::LoginFigures;
use crate::scenario::paced::PacedFigures;
use crate::scenario::pages::PagesFigures;
use crate::scenario::presence::PresenceFigures;
use crate::scenario::sync::SyncFigures;
use chat_client::ClientError as LoadError;

/// One row of the table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    /// The row's short name.
    pub(super) name: &'static str,
    /// What is measured.
    pub(super) what: &'static str,
    /// What it must reach.
    pub(super) must: &'static str,
    /// What came out.
    #[serde(flatten)]
    pub(super) verdict: Verdict,
}

/// What came out of a row.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verdict {
    /// The figure in words.
    pub(super) measured: String,
    /// What else is worth a look.
    pub(super) beside: String,
    /// Whether the figure is reached; false too when it could not be measured.
    pub(super) reached: bool,
    /// Every figure of the scenario.
    pub(super) figures: Value,
}

impl Row {
    /// The row in one line, for the terminal.
    pub(super) fn line(&self) -> String {
        let word = if self.verdict.reached { "reached" } else { "MISSED " };
        format!("{word} {:<11} {}  [{}]", self.name, self.verdict.measured, self.verdict.beside)
    }
}

impl Verdict {
    /// A verdict over `figures`.
    pub(super) fn new(reached: bool, measured: String, beside: String, figures: &impl Serialize) -> Verdict {
        let figures = serde_json::to_value(figures).unwrap_or_default();
        Verdict { measured, beside, reached, figures }
    }

    /// A row that has no figures.
    pub(super) fn failed(error: &LoadError) -> Verdict {
        Verdict::new(false, format!("failed: {error}"), String::new(), &Value::Null)
    }

    /// Judges a closed loop.
    pub(super) fn closed(figures: &ClosedFigures, limit: f64) -> Verdict {
        let reached = at_most(figures.server_cpu_us_per_message, limit) && figures.checks.clean();
        let measured = format!("{}; {}", micros(figures.server_cpu_us_per_message), checked(&figures.checks));
        let times = &figures.send_to_receive;
        let beside = format!(
            "{} msg/s; send to receive p50 {} µs, p99 {} µs; load tool {} µs a message",
            figures.delivered_per_second, times.p50_us, times.p99_us, figures.load_cpu_us_per_message
        );
        Verdict::new(reached, measured, beside, figures)
    }

    /// Judges a closed loop by nothing but the server's own work: how fast its database is says nothing of it.
    pub(super) fn cpu(figures: &ClosedFigures, limit: f64) -> Verdict {
        let beside = format!("load tool {} µs a message", figures.load_cpu_us_per_message);
        Verdict { beside, ..Verdict::closed(figures, limit) }
    }

    /// Judges an open loop.
    pub(super) fn paced(figures: &PacedFigures) -> Verdict {
        let reached = at_most(figures.p50_in_fsyncs, 3.0) && figures.checks.clean();
        let (times, fsync) = (&figures.schedule_to_receive, figures.fsync.unwrap_or_default());
        let measured = format!(
            "p50 {} µs = {} × {} µs; {}",
            times.p50_us,
            figures.p50_in_fsyncs.unwrap_or_default(),
            fsync.p50_us,
            checked(&figures.checks)
        );
        let beside = format!(
            "p90 {} µs, p99 {} µs, max {} µs; server {}; load tool late by {} µs (p99)",
            times.p90_us,
            times.p99_us,
            times.max_us,
            micros(figures.server_cpu_us_per_message),
            figures.send_lag.p99_us
        );
        Verdict::new(reached, measured, beside, figures)
    }

    /// Judges idle connections.
    pub(super) fn idle(figures: &IdleFigures) -> Verdict {
        let kib = figures.kib_per_connection;
        let beside = format!(
            "{} connections/s, {} each",
            figures.connections_per_second,
            micros(figures.server_cpu_us_per_connection)
        );
        Verdict::new(at_most(kib, 18.0), format!("{} KiB", kib.unwrap_or_default()), beside, figures)
    }

    /// Judges presence.
    pub(super) fn presence(figures: &PresenceFigures) -> Verdict {
        let complete = figures.lost + figures.doubled + figures.false_offline == 0;
        let reached = at_most(figures.server_cpu_us_per_connection, 800.0) && complete;
        let measured = format!(
            "{}; {} lost, {} doubled, {} false offline",
            micros(figures.server_cpu_us_per_connection),
            figures.lost,
            figures.doubled,
            figures.false_offline
        );
        let beside = format!("{} pieces of news in {} s", figures.news_due, figures.seconds);
        Verdict::new(reached, measured, beside, figures)
    }

    /// Judges history pages.
    pub(super) fn pages(figures: &PagesFigures) -> Verdict {
        let kinds = [&figures.newest, &figures.deep_by_skip, &figures.deep_by_cursor];
        let cheap = kinds.iter().all(|kind| at_most(kind.server_cpu_us_per_page, 100.0));
        let [newest, skip, cursor] = kinds.map(|kind| micros(kind.server_cpu_us_per_page));
        let ratio = figures.deep_in_newest;
        let measured = format!("newest {newest}, deep {skip} by skip, {cursor} by cursor");
        let beside = format!("deep {} × newest", ratio.unwrap_or_default());
        Verdict::new(cheap && at_most(ratio, 1.3), measured, beside, figures)
    }

    /// Judges catching up.
    pub(super) fn sync(figures: &SyncFigures) -> Verdict {
        let cost = figures.server_cpu_ms_per_walk;
        let measured = format!("{} ms", cost.unwrap_or_default());
        let beside = format!(
            "{} times; p50 {} µs, p99 {} µs",
            figures.walks, figures.latency.p50_us, figures.latency.p99_us
        );
        Verdict::new(at_most(cost, 20.0), measured, beside, figures)
    }

    /// Judges messages beside logins.
    pub(super) fn logins(figures: &LoginFigures) -> Verdict {
        let reached = figures.p99_ratio <= 2.0 && figures.logins > 0 && figures.checks.clean();
        let measured = format!(
            "{} µs = {} × {} µs; {}",
            figures.beside_logins.p99_us,
            figures.p99_ratio,
            figures.alone.p99_us,
            checked(&figures.checks)
        );
        let beside = format!(
            "{} logins; p50 {} µs, alone {} µs",
            figures.logins, figures.beside_logins.p50_us, figures.alone.p50_us
        );
        Verdict::new(reached, measured, beside, figures)
    }
}

/// The checks in words: three zeros, or everything that is not zero.
pub(super) fn checked(checks: &Checks) -> String {
    if checks.clean() {
        return "0 lost, 0 doubled, 0 out of order".to_owned();
    }
    let mut words = format!(
        "{} lost, {} doubled, {} out of order, {} acks out of order, {} seq gaps, {} unanswered",
        checks.lost,
        checks.doubled,
        checks.out_of_order,
        checks.acks_out_of_order,
        checks.seq_gaps,
        checks.unanswered
    );
    for (why, count) in checks.refused.iter().chain(&checks.broken_connections) {
        words.push_str(&format!(", {count} × {why}"));
    }
    words
}

fn at_most(figure: Option<f64>, limit: f64) -> bool {
    figure.is_some_and(|figure| figure <= limit)
}

fn micros(figure: Option<f64>) -> String {
    figure.map_or_else(|| "unknown".to_owned(), |figure| format!("{figure} µs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_named() {
        assert_eq!(checked(&Checks::default()), "0 lost, 0 doubled, 0 out of order");
        let refused = [("unavailable".to_owned(), 3)].into();
        let words = checked(&Checks { lost: 2, refused, ..Checks::default() });
        assert!(words.starts_with("2 lost") && words.ends_with("3 × unavailable"), "{words}");
    }

    #[test]
    fn an_unknown_figure_reaches_nothing() {
        assert!(!at_most(None, 1.0) && !at_most(Some(1.1), 1.0) && at_most(Some(1.0), 1.0));
    }
}
