//! Times and durations, as people read them. PURE.

use std::time::Duration;

use codec::UnixMillis;
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use jiff::{Timestamp, Zoned, tz::TimeZone};

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

/// The zone of what leaves this machine, such as files.
pub const UTC: TimeZone = TimeZone::UTC;

/// A day on the clocks of `zone`: `2026-11-21`.
#[must_use]
pub fn day(at: UnixMillis, zone: &TimeZone) -> String {
    zoned(at, zone).map_or_else(String::new, |at| at.date().to_string())
}

/// A time of day on the clocks of `zone`: `10:31:07.250`.
#[must_use]
pub fn clock(at: UnixMillis, zone: &TimeZone) -> String {
    let clock = |at: Zoned| format!("{}.{:03}", whole_seconds(&at), at.millisecond());
    zoned(at, zone).map_or_else(String::new, clock)
}

/// A day on the clocks of `zone`, as people write it: `2026-11-21`, `21/11/2026`.
#[must_use]
pub fn date(texts: &FluentLanguageLoader, at: UnixMillis, zone: &TimeZone) -> String {
    zoned(at, zone).map_or_else(String::new, |at| {
        let (year, month, day) = (at.year().to_string(), two(at.month()), two(at.day()));
        fl!(texts, "date", year = year, month = month, day = day)
    })
}

/// A time of day on the clocks of `zone`, but with the day instead of a part of the second where
/// that is another day than that of `now`: `11-20 10:31:07`, `20/11 10:31:07`.
#[must_use]
pub fn clock_or_day(
    texts: &FluentLanguageLoader,
    at: UnixMillis,
    now: UnixMillis,
    zone: &TimeZone,
) -> String {
    let (Some(then), Some(today)) = (zoned(at, zone), zoned(now, zone)) else {
        return String::new();
    };
    match then.date() == today.date() {
        true => clock(at, zone),
        false => {
            let (month, day, time) = (two(then.month()), two(then.day()), whole_seconds(&then));
            fl!(texts, "date-time", month = month, day = day, time = time)
        }
    }
}

fn two(number: i8) -> String {
    format!("{number:02}")
}

fn whole_seconds(at: &Zoned) -> String {
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

/// Nothing for a time that no calendar has.
fn zoned(at: UnixMillis, zone: &TimeZone) -> Option<Zoned> {
    let at = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
    Some(at.to_zoned(zone.clone()))
}

#[cfg(test)]
mod tests {
    use jiff::tz::offset;
    use look::{Language, language};

    use super::*;
    use crate::gui::{DOMAIN, Texts};

    #[test]
    fn days_and_times_are_those_of_the_clocks_of_a_place() {
        // date -u -d DAY +%s
        for (seconds, shown) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_798_761_599, "2026-12-31"),
        ] {
            assert_eq!(day(seconds * 1000, &UTC), shown);
        }
        assert_eq!(clock(1_798_761_599_042, &UTC), "23:59:59.042");
        let brasilia = TimeZone::fixed(offset(-3));
        assert_eq!(clock(1_798_761_599_042, &brasilia), "20:59:59.042");
        // Two hours into the new year there, in UTC, is still the old one here.
        assert_eq!(day(1_798_761_600_000 + 7_200_000, &brasilia), "2026-12-31");
        assert_eq!(day(u64::MAX, &UTC), "");
    }

    #[test]
    fn a_line_of_another_day_says_which() {
        let brasilia = TimeZone::fixed(offset(-3));
        // 2026-11-21, 10:31:07.250 UTC.
        let now = 1_795_257_067_250;
        for (language, day, line) in [
            (Language::English, "2026-11-21", "11-20 23:31:07"),
            (
                Language::BrazilianPortuguese,
                "21/11/2026",
                "20/11 23:31:07",
            ),
        ] {
            let texts = language::loader(DOMAIN, &Texts, language);
            let of = |at| clock_or_day(&texts, at, now, &brasilia);
            assert_eq!(of(now), "07:31:07.250");
            assert_eq!(of(now - 8 * 3_600_000), line);
            assert_eq!(date(&texts, now, &brasilia), day);
        }
    }
}
