//! Latency histograms: log-linear buckets of 1/64 octave, so a percentile is right within 1.6 %.

use serde::Serialize;

const SUB_BITS: u32 = 6;
const SUB: u64 = 1 << SUB_BITS;
const BUCKETS: usize = ((64 - SUB_BITS as usize) + 1) * SUB as usize;

/// Counts durations in nanoseconds.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

/// The percentiles that a report shows, in microseconds; all zero when nothing was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Percentiles {
    /// How many durations stand behind the figures.
    pub(crate) samples: u64,
    /// Half are shorter.
    pub(crate) p50_us: f64,
    /// Nine in ten are shorter.
    pub(crate) p90_us: f64,
    /// All but one in a hundred are shorter.
    pub(crate) p99_us: f64,
    /// The longest.
    pub(crate) max_us: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { buckets: vec![0; BUCKETS], count: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts one duration.
    pub(crate) fn record(&mut self, nanos: u64) {
        if let Some(bucket) = self.buckets.get_mut(bucket_of(nanos)) {
            *bucket += 1;
        }
        self.count += 1;
        self.max = self.max.max(nanos);
    }

    /// Counts all that `other` has counted.
    pub(crate) fn add(&mut self, other: &Histogram) {
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(mine, theirs)| *mine += theirs);
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// The duration in nanoseconds that the share `quantile` (0 to 1) of all durations does not pass.
    pub(crate) fn quantile(&self, quantile: f64) -> u64 {
        let rank = ((self.count as f64 * quantile).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return top_of(bucket).min(self.max);
            }
        }
        self.max
    }

    /// The percentiles that a report shows.
    pub(crate) fn percentiles(&self) -> Percentiles {
        let at = |quantile| micros(self.quantile(quantile));
        Percentiles {
            samples: self.count,
            p50_us: at(0.50),
            p90_us: at(0.90),
            p99_us: at(0.99),
            max_us: micros(self.max),
        }
    }
}

/// Nanoseconds as microseconds with one decimal.
pub(crate) fn micros(nanos: u64) -> f64 {
    round(nanos as f64 / 1e3, 1)
}

/// Rounds to `digits` decimals, so that reports show no more than was measured.
pub(crate) fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

fn bucket_of(nanos: u64) -> usize {
    let octave = (u64::BITS - nanos.leading_zeros()).saturating_sub(SUB_BITS + 1);
    // Below 128 ns every value has a bucket of its own; above, the six bits under the top one choose.
    let index = u64::from(octave) * SUB + (nanos >> octave);
    usize::try_from(index).unwrap_or(usize::MAX)
}

fn top_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let octave = (bucket / SUB).saturating_sub(1);
    let mantissa = bucket - octave * SUB;
    ((mantissa + 1) << octave).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_into_a_bucket_that_holds_it_within_two_percent() {
        for shift in 0..62 {
            for value in [1u64 << shift, (1 << shift) + (1 << shift) / 3, (2 << shift) - 1] {
                let top = top_of(bucket_of(value));
                assert!(top >= value && (top - value) as f64 <= value as f64 / 60.0, "{value} in {top}");
            }
        }
        assert!(bucket_of(u64::MAX) < BUCKETS);
    }

    #[test]
    fn percentiles_of_a_ramp_stand_where_they_should() {
        let mut histogram = Histogram::default();
        (1..=10_000u64).for_each(|micro| histogram.record(micro * 1_000));
        let p = histogram.percentiles();
        assert_eq!((p.samples, p.max_us), (10_000, 10_000.0));
        assert!((p.p50_us - 5_000.0).abs() < 100.0 && (p.p99_us - 9_900.0).abs() < 160.0, "{p:?}");
    }

    #[test]
    fn an_empty_histogram_says_zero() {
        assert_eq!(Histogram::default().percentiles(), Percentiles::default());
    }
}
