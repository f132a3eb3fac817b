//! What the registry does: plots of the last ten minutes, and the figures behind them.

use i18n_embed_fl::fl;
use iced::{
    Fill,
    widget::{column, container, row, space::horizontal},
};
use look::{Element, Icon, Plot, space, text};

use super::{Cx, page, scrolled};
use crate::{
    desk::Stats,
    server::{PULSES_MAX, Pulse},
};

/// What the registry does, as a person looks at it.
#[derive(Debug)]
pub struct Activity {
    /// The last pulse that is in the plots.
    last: u64,
    registrations: Plot,
    lookups: Plot,
    envelopes: Plot,
    users: Plot,
}

/// What happened: nothing can be pressed here.
#[derive(Debug, Clone)]
pub enum Message {}

impl Default for Activity {
    fn default() -> Self {
        Self {
            last: 0,
            registrations: Plot::new(PULSES_MAX, 5.0),
            lookups: Plot::new(PULSES_MAX, 5.0),
            envelopes: Plot::new(PULSES_MAX, 5.0),
            users: Plot::new(PULSES_MAX, 5.0),
        }
    }
}

impl Activity {
    /// Takes in what is new, second by second.
    pub fn pulses(&mut self, pulses: &[Pulse]) {
        // A registry that was opened anew counts from 1 again: a gap shows where the other ended.
        if pulses.last().is_some_and(|last| last.number < self.last) {
            self.last = 0;
            for plot in [
                &mut self.registrations,
                &mut self.lookups,
                &mut self.envelopes,
                &mut self.users,
            ] {
                plot.push(None);
            }
        }
        for pulse in pulses.iter().filter(|it| it.number > self.last) {
            self.registrations.push(figure(pulse.registrations));
            self.lookups.push(figure(pulse.lookups));
            self.envelopes.push(figure(pulse.envelopes));
            let users = u32::try_from(pulse.registered).unwrap_or(u32::MAX);
            self.users.push(figure(users.into()));
        }
        self.last = pulses.last().map_or(self.last, |last| last.number);
    }

    /// The screen.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let title = fl!(cx.texts, "activity");
        if self.last == 0 {
            let empty = look::empty(
                Icon::Plot,
                fl!(cx.texts, "activity-empty-title"),
                fl!(cx.texts, "activity-empty-text"),
                None,
            );
            let card = container(empty)
                .style(look::surface)
                .width(Fill)
                .height(Fill);
            return page(title, String::new(), horizontal(), column![card]);
        }
        let a_second = |value: f32| fl!(cx.texts, "a-second", value = number(value));
        let rate = |plot, name: String| look::card(look::plot(plot, name, a_second));
        let users = look::plot(&self.users, fl!(cx.texts, "plot-users"), number);
        let plots = column![
            row![
                rate(&self.registrations, fl!(cx.texts, "plot-registrations")),
                rate(&self.lookups, fl!(cx.texts, "plot-lookups")),
            ]
            .spacing(space::L),
            row![
                rate(&self.envelopes, fl!(cx.texts, "plot-envelopes")),
                look::card(users),
            ]
            .spacing(space::L),
        ]
        .spacing(space::L);
        let figures = cx.seen.stats.as_deref().map(|stats| figures(stats, cx));
        let all = column![plots].extend(figures).spacing(space::L);
        page(
            title,
            fl!(cx.texts, "activity-span"),
            horizontal(),
            scrolled(all),
        )
    }
}

/// The figures since the registry was opened.
fn figures<'a>(stats: &Stats, cx: &Cx<'a>) -> Element<'a, Message> {
    let uptime = std::time::Duration::from_secs(stats.uptime_s);
    let of = |kind: &str| {
        let found = stats.requests.iter().find(|it| it.kind == kind);
        found.map_or(0, |it| it.all)
    };
    let left = [
        (
            fl!(cx.texts, "figure-uptime"),
            super::times::lasting(cx.texts, uptime),
        ),
        (
            fl!(cx.texts, "figure-connections"),
            stats.connections.to_string(),
        ),
        (fl!(cx.texts, "figure-owned"), stats.owned.to_string()),
        (
            fl!(cx.texts, "figure-registered"),
            stats.registered.to_string(),
        ),
    ];
    let right = [
        (
            fl!(cx.texts, "figure-registrations"),
            of("register").to_string(),
        ),
        (fl!(cx.texts, "figure-refreshes"), of("refresh").to_string()),
        (fl!(cx.texts, "figure-lookups"), of("lookup").to_string()),
        (fl!(cx.texts, "figure-envelopes"), of("send").to_string()),
    ];
    let limits = Limited::ALL.map(|limited| {
        let name = match limited {
            Limited::TurnedAway => fl!(cx.texts, "figure-turned-away"),
            Limited::Ended => fl!(cx.texts, "figure-ended"),
            Limited::Refused => fl!(cx.texts, "figure-refused"),
            Limited::Slowed => fl!(cx.texts, "figure-slowed"),
        };
        (name, limited.of(stats).to_string())
    });
    let list = |figures: [(String, String); 4]| {
        let lines = figures.into_iter().map(|(name, value)| {
            row![
                text::body(name).style(text::muted).width(Fill),
                text::strong(value),
            ]
            .into()
        });
        column(lines).spacing(space::XS).width(Fill)
    };
    let content = column![
        text::strong(fl!(cx.texts, "figures")),
        row![list(left), list(right)].spacing(space::XXL),
        look::separator(),
        text::strong(fl!(cx.texts, "figures-limits")),
        row![
            list(limits),
            text::caption(fl!(cx.texts, "figures-limits-help"))
                .style(text::muted)
                .width(Fill)
        ]
        .spacing(space::XXL),
    ];
    look::card(content.spacing(space::M))
}

/// What becomes of those who want more than their share, in four sums of what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limited {
    /// They did not get in.
    TurnedAway,
    /// Their connection was ended.
    Ended,
    /// A request was refused, or not all of it done.
    Refused,
    /// They were read more slowly.
    Slowed,
}

impl Limited {
    const ALL: [Self; 4] = [Self::TurnedAway, Self::Ended, Self::Refused, Self::Slowed];

    /// The words of what is counted here.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::TurnedAway => &[
                "full",
                "address_full",
                "plain_refused",
                "greetings_too_fast",
                "banned",
            ],
            Self::Ended => &[
                "bad_greeting",
                "late_greeting",
                "idle",
                "incomplete",
                "slow_reader",
            ],
            Self::Refused => &[
                "bad_frames",
                "registrations_refused",
                "watches_refused",
                "envelopes_dropped",
                "claims_too_fast",
                "guesses_too_fast",
                "registrations_too_fast",
                "envelopes_too_fast",
                "ownership_too_fast",
                "directory_refused",
            ],
            Self::Slowed => &["slowed"],
        }
    }

    fn of(self, stats: &Stats) -> u64 {
        let counted = stats.counted.iter();
        let here = counted.filter(|(word, _)| self.words().contains(&word.as_str()));
        here.map(|(_, times)| times).sum()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a plot is no more exact than that"
)]
fn figure(value: f64) -> f32 {
    value as f32
}

/// A figure with as many places as it needs.
fn number(value: f32) -> String {
    match value {
        value if value > 0.0 && value < 10.0 && value.fract() > 0.05 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Counters;

    /// Counted, but no limit that somebody has reached; or in one of the others as well.
    const ELSEWHERE: [&str; 4] = [
        "connections",
        "unanswered",
        "changes_missed",
        "counted_together",
    ];

    #[test]
    fn whatever_a_registry_counts_of_its_limits_is_in_one_sum() {
        for (word, _) in Counters::default().all() {
            let in_sums = Limited::ALL.iter().filter(|it| it.words().contains(&word));
            let expected = usize::from(!ELSEWHERE.contains(&word));
            assert_eq!(in_sums.count(), expected, "{word}");
        }
        // Nothing is looked for that nobody counts.
        let counters = Counters::default();
        let counted: Vec<&str> = counters.all().map(|(word, _)| word).collect();
        let all = Limited::ALL.iter().flat_map(|it| it.words());
        all.for_each(|word| assert!(counted.contains(word), "{word}"));
    }
}
