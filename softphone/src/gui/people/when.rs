//! When something was and how long it took, in the words of the person's language.

use std::time::Duration;

use codec::UnixMillis;
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};

/// When something was, as people say it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum When {
    Today,
    Yesterday,
    /// Within the last week: 1 is Monday.
    Weekday(i8),
    /// Earlier this year, or in the twelve months before now.
    Date(Date),
    /// Before that.
    Year(Date),
}

/// When `at` was, seen from `clock`, on the clocks of `zone`: `14:32`, `yesterday 14:32`,
/// `Monday 14:32`, `3 March`, `3 March 2024`.
#[must_use]
pub fn when(
    texts: &FluentLanguageLoader,
    at: UnixMillis,
    clock: UnixMillis,
    zone: &TimeZone,
) -> String {
    let (Some(at), Some(clock)) = (zoned(at, zone), zoned(clock, zone)) else {
        return String::new();
    };
    let time = format!("{:02}:{:02}", at.hour(), at.minute());
    match of(&at, &clock) {
        When::Today => time,
        When::Yesterday => fl!(texts, "when-yesterday", time = time),
        When::Weekday(day) => fl!(texts, "when-weekday", day = day, time = time),
        When::Date(date) => fl!(
            texts,
            "when-date",
            day = date.day(),
            month = month(texts, date)
        ),
        When::Year(date) => fl!(
            texts,
            "when-year",
            day = date.day(),
            month = month(texts, date),
            year = date.year().to_string()
        ),
    }
}

/// The day of `at` on the clocks of `zone`, with its year.
#[must_use]
pub fn day(texts: &FluentLanguageLoader, at: UnixMillis, zone: &TimeZone) -> String {
    let Some(at) = zoned(at, zone) else {
        return String::new();
    };
    fl!(
        texts,
        "when-year",
        day = at.day(),
        month = month(texts, at.date()),
        year = at.year().to_string()
    )
}

/// The time of day of `at` on the clocks of `zone`, to the millisecond: `14:32:07.250`.
#[must_use]
pub fn time_of_day(at: UnixMillis, zone: &TimeZone) -> String {
    let Some(at) = zoned(at, zone) else {
        return String::new();
    };
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    format!("{hour:02}:{minute:02}:{second:02}.{:03}", at.millisecond())
}

/// How long something took: `42 s`, `4 min 12 s`, `1 h 2 min`.
#[must_use]
pub fn lasted(texts: &FluentLanguageLoader, lasted: Duration) -> String {
    let seconds = lasted.as_secs();
    match seconds {
        0..60 => fl!(texts, "lasted-seconds", seconds = seconds),
        60..3_600 => fl!(
            texts,
            "lasted-minutes",
            minutes = (seconds / 60),
            seconds = (seconds % 60)
        ),
        _ => fl!(
            texts,
            "lasted-hours",
            hours = (seconds / 3_600),
            minutes = (seconds / 60 % 60)
        ),
    }
}

/// How long something has been going on, as a clock: `0:42`, `12:05`, `1:02:33`.
#[must_use]
pub fn timer(lasts: Duration) -> String {
    let seconds = lasts.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

fn zoned(at: UnixMillis, zone: &TimeZone) -> Option<Zoned> {
    let at = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
    Some(at.to_zoned(zone.clone()))
}

fn month(texts: &FluentLanguageLoader, date: Date) -> String {
    fl!(texts, "when-month", month = date.month())
}

fn of(at: &Zoned, clock: &Zoned) -> When {
    let (day, today) = (at.date(), clock.date());
    let days = (today - day).get_days();
    match days {
        // A clock that was set back makes what was just now seem to come: that is today as well.
        ..=0 => When::Today,
        1 => When::Yesterday,
        2..7 => When::Weekday(at.weekday().to_monday_one_offset()),
        7..330 => When::Date(day),
        _ if day.year() == today.year() => When::Date(day),
        _ => When::Year(day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Zoned {
        text.parse().expect("a time")
    }

    #[test]
    fn what_was_just_before_midnight_was_yesterday() {
        let clock = at("2026-03-04T00:05:00-03:00[America/Sao_Paulo]");
        let was = |text: &str| of(&at(text), &clock);
        let today = "2026-03-04T00:01:00-03:00[America/Sao_Paulo]";
        assert_eq!(was(today), When::Today);
        let late = "2026-03-03T23:59:00-03:00[America/Sao_Paulo]";
        assert_eq!(was(late), When::Yesterday);
        let monday = "2026-03-02T08:00:00-03:00[America/Sao_Paulo]";
        assert_eq!(was(monday), When::Weekday(1));
        assert!(matches!(
            was("2026-02-20T08:00:00-03:00[America/Sao_Paulo]"),
            When::Date(_)
        ));
        assert!(matches!(
            was("2024-02-20T08:00:00-03:00[America/Sao_Paulo]"),
            When::Year(_)
        ));
        let later = "2026-03-05T08:00:00-03:00[America/Sao_Paulo]";
        assert_eq!(was(later), When::Today);
    }

    #[test]
    fn timers_read_like_clocks() {
        let timer = |seconds| timer(Duration::from_secs(seconds));
        assert_eq!(timer(0), "0:00");
        assert_eq!(timer(42), "0:42");
        assert_eq!(timer(725), "12:05");
        assert_eq!(timer(3_753), "1:02:33");
    }

    #[test]
    fn lines_of_the_log_have_their_time_to_the_millisecond() {
        let shown = time_of_day(1_700_000_000_250, &TimeZone::UTC);
        assert_eq!(shown, "22:13:20.250");
        assert_eq!(time_of_day(u64::MAX, &TimeZone::UTC), "");
    }
}
