//! What the counts say: whether anything is left of the calls.

use std::{fmt, time::Duration};

use super::counts::Counts;

/// Memory may grow by so much over 1,000 calls, as its slope over the second half says: about
/// 4 KiB a call, which is nothing that a call needs and keeps.
const GROWTH_MAX_KIB: f64 = 4096.0;

/// So many calls at least show a slope; fewer show how an allocator settles.
const CALLS_FOR_SLOPE: u32 = 500;

/// The counts after so many calls.
#[derive(Debug, Clone)]
pub struct Row {
    /// How many calls.
    pub calls: u32,
    /// What was held then.
    pub counts: Counts,
}

impl Row {
    /// What stands over the columns.
    pub const HEAD: &'static str =
        " calls  files   tcp   udp other  threads  tasks (registry callee caller)   RSS KiB";
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            open,
            threads,
            tasks: [registry, callee, caller],
            rss_kib,
        } = &self.counts;
        let all: usize = open.values().sum();
        let (tcp, udp, calls) = (self.counts.of("tcp"), self.counts.of("udp"), self.calls);
        let other = all - tcp - udp;
        let tasks = registry + callee + caller;
        write!(
            f,
            "{calls:6} {all:6} {tcp:5} {udp:5} {other:5} {threads:8}  {tasks:5} \
             ({registry:8} {callee:6} {caller:6}) {rss_kib:9}"
        )
    }
}

/// How long the calls took to set up, in one line. Sorts them.
pub fn setups(setups: &mut [Duration]) -> String {
    setups.sort_unstable();
    let ms = |pct: usize| {
        let at = (setups.len() * pct).div_ceil(100).max(1) - 1;
        setups
            .get(at)
            .map_or(0.0, |setup| setup.as_secs_f64() * 1000.0)
    };
    let (calls, median, p90) = (setups.len(), ms(50), ms(90));
    let (p99, max) = (ms(99), ms(100));
    format!(
        "{calls} calls, {calls} established; \
         set-up median {median:.1} ms, p90 {p90:.1}, p99 {p99:.1}, max {max:.1}"
    )
}

/// Compares the last of the rows with the first, the one of the warm-up.
///
/// # Errors
/// What there is more of, for people.
pub fn verdict(rows: &[Row]) -> Result<String, String> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Err("nothing was counted".to_owned());
    };
    let more = last.counts.more_than(&first.counts);
    if !more.is_empty() {
        return Err(format!(
            "left over after {} calls: {}",
            last.calls,
            more.join("; ")
        ));
    }
    let nothing = "no file, socket, thread or task is left over";
    if last.calls < CALLS_FOR_SLOPE {
        return Ok(nothing.to_owned());
    }
    let half: Vec<&Row> = rows
        .iter()
        .filter(|row| 2 * row.calls >= last.calls)
        .collect();
    let growth = 1000.0 * slope(&half);
    let memory = format!("memory grows by {growth:.0} KiB in 1,000 calls (second half)");
    if growth > GROWTH_MAX_KIB {
        return Err(memory);
    }
    Ok(format!("{nothing}; {memory}"))
}

/// KiB a call, by least squares.
fn slope(rows: &[&Row]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let points: Vec<(f64, f64)> = rows
        .iter()
        .map(|row| (f64::from(row.calls), row.counts.rss_kib as f64))
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a few rows")]
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x_mean, y_mean) = (mean(|point| point.0), mean(|point| point.1));
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in &points {
        above += (x - x_mean) * (y - y_mean);
        below += (x - x_mean).powi(2);
    }
    if below > 0.0 { above / below } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rss_kib: impl Fn(u32) -> u64) -> Vec<Row> {
        let row = |calls| Row {
            calls,
            counts: Counts {
                rss_kib: rss_kib(calls),
                ..Counts::default()
            },
        };
        (0..=10).map(|number| row(100 * number)).collect()
    }

    #[test]
    fn memory_that_keeps_growing_is_told_from_memory_that_settles() {
        assert!(verdict(&rows(|_| 20_000)).is_ok());
        // Up to the middle, and no further.
        assert!(verdict(&rows(|calls| 20_000 + 20 * u64::from(calls.min(500)))).is_ok());
        assert!(verdict(&rows(|calls| 20_000 + 5 * u64::from(calls))).is_err());
    }

    #[test]
    fn what_is_left_over_is_told() {
        let mut rows = rows(|_| 20_000);
        rows[10].counts.open.insert("udp".to_owned(), 2);
        let told = verdict(&rows).expect_err("two sockets are left");
        assert!(told.contains("udp: 2 instead of 0"), "{told}");
    }

    #[test]
    fn percentiles_are_those_of_the_calls() {
        let mut times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        times.reverse();
        let told = setups(&mut times);
        assert!(
            told.contains("median 50.0 ms, p90 90.0, p99 99.0, max 100.0"),
            "{told}"
        );
    }
}
