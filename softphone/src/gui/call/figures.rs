//! The figures of a call as live plots of the last minute, and the one word for them.

use std::time::{Duration, Instant};

use i18n_embed_fl::fl;
use iced::{
    Element, Fill, Length,
    widget::{Grid, column, container, text::IntoFragment},
};
use look::{Kind, Plot, space, text};

use super::{
    Message,
    quality::{Figures, Quality, SHOWN_FOR, Track},
};
use crate::{gui::Cx, media::stats::VoiceReport};

/// How wide a plot is at most, in logical pixels.
const PLOT: f32 = 220.0;

/// How high a plot is with its name, in logical pixels.
const PLOT_HEIGHT: f32 = 116.0;

/// What is known of how a call comes through.
#[derive(Debug)]
pub struct Course {
    track: Track,
    loss: Plot,
    concealed: Plot,
    jitter: Plot,
    round_trip: Plot,
    delay: Plot,
}

impl Default for Course {
    fn default() -> Self {
        let seconds = usize::try_from(SHOWN_FOR.as_secs()).expect("a minute");
        let plot = |least| Plot::new(seconds, least);
        Self {
            track: Track::default(),
            loss: plot(2.0),
            concealed: plot(2.0),
            jitter: plot(10.0),
            round_trip: plot(50.0),
            delay: plot(150.0),
        }
    }
}

impl Course {
    /// Takes in the figures of one more second.
    pub fn add(&mut self, at: Instant, voice: VoiceReport, round_trip: Option<Duration>) {
        let figures = Figures {
            at,
            voice,
            round_trip,
        };
        self.track.add(figures);
        self.loss.push(voice.loss_pct);
        self.concealed.push(voice.concealed_pct);
        self.jitter.push(voice.jitter_ms);
        let round_trip = round_trip.map(|there| there.as_secs_f32() * 1_000.0);
        self.round_trip.push(round_trip);
        self.delay.push(figures.delay_ms());
    }

    /// How well it comes through; nothing before that is known.
    #[must_use]
    pub fn quality(&self) -> Option<Quality> {
        self.track.quality()
    }

    /// The plots.
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let texts = cx.texts;
        let percent = move |value: f32| {
            let value = format!("{value:.1}");
            let (whole, tenth) = value.split_once('.').unwrap_or((&value, "0"));
            fl!(texts, "call-percent", whole = whole, tenth = tenth)
        };
        let millis = move |value: f32| {
            let value = format!("{value:.0}");
            fl!(texts, "call-millis", value = value)
        };
        let plots: [Element<'a, Message>; 5] = [
            one(&self.loss, fl!(texts, "call-figure-loss"), percent),
            one(
                &self.concealed,
                fl!(texts, "call-figure-concealed"),
                percent,
            ),
            one(&self.jitter, fl!(texts, "call-figure-jitter"), millis),
            one(&self.round_trip, fl!(texts, "call-figure-rtt"), millis),
            one(&self.delay, fl!(texts, "call-figure-delay"), millis),
        ];
        let tips = [
            fl!(texts, "call-figure-loss-hint"),
            fl!(texts, "call-figure-concealed-hint"),
            fl!(texts, "call-figure-jitter-hint"),
            fl!(texts, "call-figure-rtt-hint"),
            fl!(texts, "call-figure-delay-hint"),
        ];
        let plots = plots
            .into_iter()
            .zip(tips)
            .map(|(plot, tip)| look::tip(plot, tip, None));
        let grid = Grid::with_children(plots)
            .fluid(PLOT)
            .spacing(space::L)
            .height(Length::Shrink);
        let advice = match self.quality() {
            Some(Quality::Fair) => Some(fl!(texts, "call-quality-advice-fair")),
            Some(Quality::Poor) => Some(fl!(texts, "call-quality-advice-poor")),
            Some(Quality::Good) | None => None,
        };
        let advice = advice.map(|advice| look::banner(Kind::Warning, advice, None));
        let parts = self.track.newest().map(|figures| {
            let voice = &figures.voice;
            let of = |millis: f32| format!("{millis:.0}");
            let said = fl!(
                texts,
                "call-delay-parts",
                microphone = of(voice.capture_ms),
                coding = of(voice.encode_ms),
                network = of(figures.network_ms()),
                waiting = of(voice.playout_delay_ms),
                loudspeaker = of(voice.device_ms)
            );
            text::caption(said).style(text::muted)
        });
        let last = text::caption(fl!(texts, "call-figures-last")).style(text::muted);
        look::card(
            column![]
                .extend(advice)
                .push(grid)
                .push(parts)
                .push(last)
                .spacing(space::M),
        )
    }
}

fn one<'a>(
    plot: &'a Plot,
    name: impl IntoFragment<'a>,
    say: impl Fn(f32) -> String,
) -> Element<'a, Message> {
    container(look::plot(plot, name, say))
        .width(Fill)
        .height(PLOT_HEIGHT)
        .into()
}

/// The word for how well a call comes through.
pub fn word(quality: Option<Quality>, cx: &Cx<'_>) -> (Kind, String) {
    let texts = cx.texts;
    match quality {
        Some(Quality::Good) => (Kind::Positive, fl!(texts, "call-quality-good")),
        Some(Quality::Fair) => (Kind::Warning, fl!(texts, "call-quality-fair")),
        Some(Quality::Poor) => (Kind::Danger, fl!(texts, "call-quality-poor")),
        None => (Kind::Neutral, fl!(texts, "call-quality-unknown")),
    }
}
