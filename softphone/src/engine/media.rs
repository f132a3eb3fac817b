//! A call's media: the link and the voice, from the first socket to the last word.

use std::time::{Duration, Instant};

use codec::{CallId, signal::MediaOffer};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use super::{
    DRAIN, Driver, ENCODED_MAX, Event, News, STATS_EVERY, Warning,
    link::{self, Order, Path, Prepared, Report},
    sound::Place,
};
use crate::{
    audio::{self, AudioError, Voice, VoiceEvent},
    call::{MediaFailure, Moved, Role},
    media::{
        Encoded,
        silence::{Hearing, Speaking},
        stats::VoiceStats,
    },
    phone::{Input, MediaNews},
};

/// How often it is told at most that a call has another path.
const PATH_EVERY: Duration = Duration::from_secs(1);

/// A call's media.
#[derive(Debug)]
pub(super) enum Media {
    /// Sockets are being opened.
    Preparing,
    /// The peer's half is awaited.
    Prepared(Prepared),
    /// It runs.
    Running(Running),
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) orders: mpsc::Sender<Order>,
    /// Where the peer is by now.
    pub(super) moved: watch::Sender<Moved>,
    /// Once the devices are open.
    pub(super) voice: Option<Voice>,
    /// What they were to be when they were being opened.
    used: (audio::Input, audio::Output),
    /// Once the call is up.
    watch: Option<(Hearing, Speaking)>,
    /// No voice goes either way.
    held: bool,
    /// The figures that were given last, and when.
    counted: (VoiceStats, Instant),
    round_trip: Option<Duration>,
    /// The path that was told last, and when.
    path: Option<(Path, Instant)>,
}

impl Driver {
    pub(super) fn prepare_media(&mut self, call: CallId) {
        self.media.insert(call, Media::Preparing);
        let (addresses, news) = (self.config.addresses.clone(), self.news.clone());
        self.tasks.spawn(async move {
            let prepared = link::prepare(addresses);
            let _ = news.send(News::Prepared(call, prepared)).await;
        });
    }

    pub(super) fn start_media(&mut self, call: CallId, remote: MediaOffer, role: Role) {
        let Some(Media::Prepared(prepared)) = self.media.remove(&call) else {
            return;
        };
        let (orders, ordered) = mpsc::channel(8);
        let (moved, peer_moved) = watch::channel(Moved::default());
        let (encoded, spoken) = mpsc::channel(ENCODED_MAX);
        let (reports, mut reported) = mpsc::channel(16);
        let report = move |report| {
            // Only round trips come often, and they come again.
            let _ = reports.try_send(report);
        };
        self.tasks
            .spawn(prepared.run(remote, role, ordered, peer_moved, spoken, report));
        let news = self.news.clone();
        self.tasks.spawn(async move {
            while let Some(report) = reported.recv().await {
                let _ = news.send(News::Link(call, report)).await;
            }
            // A link that has ended by itself without a word has failed; a call that is over does
            // not hear it.
            let failed = Report::Failed(MediaFailure::Failed);
            let _ = news.send(News::Link(call, failed)).await;
        });
        self.open_voice(call, encoded);
        let counted = (VoiceStats::default(), Instant::now());
        let running = Running {
            orders,
            moved,
            voice: None,
            used: (self.sounds.input.clone(), self.sounds.output.clone()),
            watch: None,
            held: false,
            counted,
            round_trip: None,
            path: None,
        };
        self.media.insert(call, Media::Running(running));
    }

    /// Opens the devices, which may take a while, beside everything else.
    fn open_voice(&mut self, call: CallId, encoded: mpsc::Sender<Encoded>) {
        let (input, output) = (self.sounds.input.clone(), self.sounds.output.clone());
        let output = self.sounds.numbered(output);
        let format = self.config.format;
        let (events, mut happened) = mpsc::channel(16);
        let news = self.news.clone();
        self.tasks.spawn_blocking(move || {
            let opened = Voice::start(&input, &output, format, encoded, events);
            let _ = news.blocking_send(News::Opened(call, opened));
        });
        let news = self.news.clone();
        self.tasks.spawn(async move {
            while let Some(event) = happened.recv().await {
                let _ = news.send(News::Voice(call, event)).await;
            }
            // So has a sound thread.
            let failed = Report::Failed(MediaFailure::Local);
            let _ = news.send(News::Link(call, failed)).await;
        });
    }

    /// What a link reports; what concerns the phone is its next input.
    pub(super) fn link_news(&mut self, call: CallId, report: Report) -> Option<Input> {
        let news = match report {
            Report::Connected => MediaNews::Connected,
            Report::Heard => MediaNews::Heard,
            Report::Reconnecting => MediaNews::Reconnecting,
            Report::Reconnected => MediaNews::Reconnected,
            Report::Moved(moved) => MediaNews::Moved(moved),
            Report::Failed(failure) => MediaNews::Failed(failure),
            Report::RoundTrip(time) => {
                if let Some(Media::Running(running)) = self.media.get_mut(&call) {
                    running.round_trip = Some(time);
                }
                return None;
            }
            Report::Path(path) => {
                let now = Instant::now();
                if let Some(Media::Running(running)) = self.media.get_mut(&call)
                    && running.path.is_none_or(|(told, at)| {
                        // A path that is still another one is reported again: a peer that moves
                        // to and fro fills nobody's queue.
                        told != path && now.saturating_duration_since(at) >= PATH_EVERY
                    })
                {
                    running.path = Some((path, now));
                    self.tell(Event::Path { call, path });
                }
                return None;
            }
        };
        Some(Input::Media(call, news))
    }

    /// The devices are open, or not.
    pub(super) fn opened(
        &mut self,
        call: CallId,
        opened: Result<Voice, AudioError>,
    ) -> Option<Input> {
        match opened {
            Ok(voice) => {
                self.voice_opened(call, voice);
                None
            }
            Err(error) => {
                self.tell(Event::Warning(Warning::Sound(error)));
                Some(Input::Media(call, MediaNews::Failed(MediaFailure::Local)))
            }
        }
    }

    pub(super) fn voice_event(&mut self, call: CallId, event: VoiceEvent) {
        match event {
            VoiceEvent::InputEnded => self.tell(Event::InputEnded { call }),
            VoiceEvent::InputLost { why } => {
                self.tell(Event::InputLost { call, why });
                if matches!(self.sounds.input, audio::Input::File(_)) {
                    // There is no more to come than at its end.
                    self.tell(Event::InputEnded { call });
                }
            }
            VoiceEvent::InputBack => self.tell(Event::InputBack { call }),
            VoiceEvent::OutputLost { why } => self.tell(Event::OutputLost { call, why }),
            VoiceEvent::OutputBack => self.tell(Event::OutputBack { call }),
        }
    }

    /// The two hear each other from now on.
    pub(super) fn media_up(&mut self, call: CallId) {
        let Some(Media::Running(running)) = self.media.get_mut(&call) else {
            return;
        };
        let now = Instant::now();
        running.watch = Some((Hearing::starting(now), Speaking::starting(now)));
        running.counted.1 = now;
        if let Some(voice) = &running.voice {
            voice.open();
        }
    }

    fn voice_opened(&mut self, call: CallId, voice: Voice) {
        // The call may be over by now; then the devices close again.
        let Some(Media::Running(running)) = self.media.get_mut(&call) else {
            return;
        };
        let packets = voice.packets();
        let sink = Box::new(move |packet| packets.receive(packet));
        let _ = running.orders.try_send(Order::Deliver(sink));
        self.sounds.set_up(&voice);
        voice.hold(running.held);
        if running.watch.is_some() {
            voice.open();
        }
        let (input, output) = running.used.clone();
        running.voice = Some(voice);
        // A person may have changed them meanwhile.
        if input != self.sounds.input {
            self.change(Place::Input(self.sounds.input.clone()));
        }
        if output != self.sounds.output {
            self.change(Place::Output(self.sounds.output.clone()));
        }
    }

    pub(super) fn hold_media(&mut self, call: CallId, held: bool) {
        if let Some(Media::Running(running)) = self.media.get_mut(&call) {
            running.held = held;
            if let Some(voice) = &running.voice {
                voice.hold(held);
            }
        }
    }

    pub(super) fn stop_media(&mut self, call: CallId) {
        let Some(Media::Running(running)) = self.media.remove(&call) else {
            return;
        };
        let Some(voice) = running.voice else { return };
        self.ending.insert(call, None);
        let news = self.news.clone();
        self.tasks.spawn(async move {
            // A disk or a device that hangs must not keep the phone from going on.
            let _ = timeout(DRAIN, voice.finish()).await;
            let _ = news.send(News::Finished(call)).await;
        });
    }

    /// Tells how loud each call is, and what that has come to mean.
    pub(super) fn give_levels(&mut self) {
        let now = Instant::now();
        // Of what is no microphone, or is turned down, no sound is expected.
        let expected = self.sounds.speaks();
        let mut events = Vec::new();
        for (&call, media) in &mut self.media {
            let Media::Running(Running {
                voice: Some(voice),
                watch: Some((hearing, speaking)),
                held,
                ..
            }) = media
            else {
                continue;
            };
            let (levels, input) = (voice.levels(), voice.input_dbfs());
            let packets = voice.stats().buffer.received;
            if let Some(heard) = hearing.note(packets, levels.heard_dbfs, *held, now) {
                events.push(Event::Unheard { call, heard });
            }
            let input = Some(input).filter(|_| expected && !*held);
            if let Some(spoken) = speaking.note(input, now) {
                events.push(Event::Unspoken { call, spoken });
            }
            events.push(Event::Levels { call, levels });
        }
        events.into_iter().for_each(|event| self.tell(event));
    }

    pub(super) fn give_stats(&mut self) {
        let now = Instant::now();
        let mut figures = Vec::new();
        for (&call, media) in &mut self.media {
            let Media::Running(Running {
                voice: Some(voice),
                watch: Some(_),
                counted,
                round_trip,
                ..
            }) = media
            else {
                continue;
            };
            let stats = voice.stats();
            let elapsed = now.saturating_duration_since(counted.1);
            if elapsed < STATS_EVERY / 2 {
                // The call has just come up; the next figures are of a whole second and more.
                continue;
            }
            let report = stats.since(&counted.0, elapsed);
            *counted = (stats, now);
            figures.push(Event::Stats {
                call,
                voice: report,
                round_trip: *round_trip,
            });
        }
        figures.into_iter().for_each(|event| self.tell(event));
    }
}
