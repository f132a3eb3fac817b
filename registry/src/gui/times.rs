//! Times and durations, as people read them. PURE.

use std::time::Duration;

use codec::UnixMillis;
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A duration with its largest unit: `45 s`, `3 min`, `2 h`, `5 d`.
#[must_use]
pub fn lasting(texts: &FluentLanguageLoader, duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ ..MINUTE => fl!(texts, "seconds", count = seconds),
        seconds @ ..HOUR => fl!(texts, "minutes", count = (seconds / MINUTE)),
        seconds @ ..DAY => fl!(texts, "hours", count = (seconds / HOUR)),
        seconds => fl!(texts, "days", count = (seconds / DAY)),
    }
}

/// How long ago something was that is known to the hour: `5 h ago`.
#[must_use]
pub fn ago(texts: &FluentLanguageLoader, at: UnixMillis, now: UnixMillis) -> String {
    match now.saturating_sub(at) / 1000 {
        ..HOUR => fl!(texts, "within-the-hour"),
        seconds => {
            let duration = lasting(texts, Duration::from_secs(seconds));
            fl!(texts, "ago", duration = duration)
        }
    }
}

/// A day, UTC: `2026-11-21`.
#[must_use]
pub fn day(at: UnixMillis) -> String {
    // Days since 0000-03-01 of the Gregorian calendar, in eras of 400 years (Hinnant, "chrono-
    // Compatible Low-Level Date Algorithms").
    let days = at / (DAY * 1000) + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + 400 * era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A time of day, UTC: `10:31:07.250`.
#[must_use]
pub fn clock(at: UnixMillis) -> String {
    let seconds = at / 1000 % DAY;
    let (hours, minutes) = (seconds / HOUR, seconds % HOUR / MINUTE);
    format!(
        "{hours:02}:{minutes:02}:{:02}.{:03}",
        seconds % MINUTE,
        at % 1000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_those_of_the_calendar() {
        // date -u -d DAY +%s
        for (seconds, shown) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(day(seconds * 1000), shown);
        }
        assert_eq!(clock(1_798_761_599_042), "23:59:59.042");
        assert_eq!(clock(951_782_400_000 + 37_867_250), "10:31:07.250");
    }
}
