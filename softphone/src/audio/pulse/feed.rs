//! Writes what a sound server is to play, as soon as the server asks for it and no sooner.
//!
//! Between the sound thread and the server is no buffer: what waits, waits in the server, and of
//! that as little as goes. When the server asks for a period it has a *slack* left, in which it is
//! to be answered. It grows where the server ran empty, and shrinks again.

use std::{
    ops::Range,
    os::fd::BorrowedFd,
    time::{Duration, Instant},
};

use pulseaudio::protocol::{
    CreatePlaybackStreamReply, DESCRIPTOR_SIZE, Descriptor, DescriptorFlags, encode_descriptor,
};

use super::{
    SAMPLE_BYTES,
    inbox::{Came, Inbox, Latency, PLAYS},
};
use crate::audio::{
    device::{duration_at, samples_in},
    pace::FRAME_TIME,
};

/// How late the answer to a request may come.
const SLACK: Duration = Duration::from_millis(5);

/// The most that the slack grows to.
const SLACK_MAX: Duration = Duration::from_millis(45);

/// A device may take so much at a time, and no more.
const DEVICE_MAX: Duration = Duration::from_millis(100);

/// The slack shrinks after so long in which the server did not run empty: at first ...
const CALM_MIN: Duration = Duration::from_secs(10);

/// ... and where it has always run empty again.
const CALM_MAX: Duration = Duration::from_secs(300);

/// Whoever feeds the stream so late has stood still: that it ran empty says nothing of the slack.
const STALL: Duration = Duration::from_millis(60);

/// Once is an accident: the slack grows when the server runs empty again after so long, in which
/// that is over.
const AGAIN: Range<Duration> = Duration::from_millis(500)..Duration::from_secs(10);

/// A server that began to play so lately may run empty.
const START: Duration = Duration::from_secs(3);

/// What comes later than this is not given to the server at all.
const LATE_MAX: Duration = Duration::from_millis(60);

/// No period is longer than that.
const PERIOD_MAX: Duration = Duration::from_millis(200);

/// The server is asked for the latency after so many pieces.
const ASKS_EVERY: u32 = 100;

/// A stream that plays, from the side of whoever has the sound.
pub(in crate::audio) struct Feed {
    inbox: Inbox,
    channel: u32,
    rate: u32,
    latency: Option<Latency>,
    /// What the server has played that it was not given again, in samples.
    owed: usize,
    /// What it asks for at a time, in samples.
    period: usize,
    /// What it has left when it asks, in samples; and at the least.
    slack: usize,
    slack_min: usize,
    /// What is played next begins so many samples later than what was before it ended.
    skips: usize,
    /// How long the server has to do with its slack before that shrinks.
    calm: Duration,
    /// When it ran empty, and what came so soon after that it is not again.
    emptied: Option<Instant>,
    /// It shrank, and did not run empty since.
    shrunk: bool,
    underruns: u32,
    /// When something was written first.
    begun: Option<Instant>,
    /// When it was looked after last ...
    looked: Instant,
    /// ... ran empty last, or its slack was changed ...
    changed: Instant,
    /// ... and until when there is something to play.
    plays_until: Instant,
    pieces: u32,
    message: Vec<u8>,
}

impl Feed {
    /// Fills the stream that was `created` with as much silence as it is to hold.
    pub(super) fn begin(inbox: Inbox, created: &CreatePlaybackStreamReply) -> Self {
        let rate = created.sample_spec.sample_rate;
        let period = created.buffer_attr.minimum_request_length as usize / SAMPLE_BYTES;
        let period = period.min(samples_in(PERIOD_MAX, rate));
        // A device that takes more than a period at a time is to find it.
        let device = Duration::from_micros(created.stream_latency).min(DEVICE_MAX);
        let slack = samples_in(SLACK, rate) + samples_in(device, rate).saturating_sub(period);
        let now = Instant::now();
        let mut feed = Self {
            inbox,
            channel: created.channel,
            rate,
            latency: None,
            owed: 0,
            period,
            slack,
            slack_min: slack,
            skips: 0,
            calm: CALM_MIN,
            emptied: None,
            shrunk: false,
            underruns: 0,
            begun: None,
            looked: now,
            changed: now,
            plays_until: now,
            pieces: 0,
            message: Vec::with_capacity(DESCRIPTOR_SIZE + (period + slack) * SAMPLE_BYTES),
        };
        feed.send(&vec![0.0; period + slack]);
        feed
    }

    /// Whether the server wants at least so many samples.
    pub(in crate::audio) fn wants(&mut self, samples: usize, now: Instant) -> bool {
        let (mut asked, mut ran_empty) = (0_usize, 0);
        self.inbox.take(
            |_| {},
            |came| match came {
                Came::Wants(more) if more.channel == self.channel => {
                    asked = asked.saturating_add(more.length as usize / SAMPLE_BYTES);
                }
                Came::Wants(_) => {}
                Came::RanEmpty => ran_empty += 1,
                Came::Latency(latency) => self.latency = Some(latency),
            },
        );
        self.owed = self.owed.saturating_add(asked);
        self.steer(ran_empty, now);
        self.leave_out();
        self.owes(samples)
    }

    /// Whether it wanted so many when that was last asked, and was not given them.
    pub(in crate::audio) fn owes(&self, samples: usize) -> bool {
        self.owed >= samples
    }

    /// The server plays on when it is empty, and does not play what comes after its time. Where
    /// that is much it is left out at once.
    fn leave_out(&mut self) {
        if self.owed > self.period + self.slack + samples_in(LATE_MAX, self.rate) {
            let frame = samples_in(FRAME_TIME, self.rate);
            self.skips = self.skips.saturating_add(self.owed - frame);
            self.owed = frame;
        }
    }

    /// A server that ran empty is to be given a frame more from now on, and one less after a while:
    /// where it runs empty again, that while becomes longer.
    fn steer(&mut self, ran_empty: u32, now: Instant) {
        let frame = samples_in(FRAME_TIME, self.rate);
        let since = |then: Instant| now.saturating_duration_since(then);
        let stalled = since(self.looked) > STALL;
        self.looked = now;
        if ran_empty > 0 && self.begun.is_some_and(|begun| since(begun) >= START) {
            self.underruns += ran_empty;
            let after = self.emptied.map(since);
            let again = after.is_some_and(|after| AGAIN.contains(&after));
            // What runs empty all the time does so again as well.
            if after.is_none_or(|after| after >= AGAIN.start) {
                self.emptied = Some(now);
            }
            self.changed = now;
            if again
                && !stalled
                && self.slack + frame <= samples_in(SLACK_MAX, self.rate) + self.slack_min
            {
                self.slack += frame;
                self.owed += frame;
                if std::mem::take(&mut self.shrunk) {
                    self.calm = (self.calm * 2).min(CALM_MAX);
                }
            }
        } else if self.slack > self.slack_min
            && self.owed >= frame
            && since(self.changed) >= self.calm
        {
            self.changed = now;
            self.shrunk = true;
            self.slack -= frame;
            self.owed -= frame;
        }
    }

    /// Has the server play this, which it has asked for.
    pub(in crate::audio) fn write(&mut self, sound: &[f32], now: Instant) {
        self.begun.get_or_insert(now);
        self.owed = self.owed.saturating_sub(sound.len());
        self.plays_until = now + duration_at(self.slack + sound.len(), self.rate);
        self.send(sound);
        self.pieces += 1;
        if self.pieces >= ASKS_EVERY {
            self.pieces = 0;
            self.inbox.ask(PLAYS, self.channel);
        }
    }

    /// How long there is something to play.
    pub(in crate::audio) fn delay(&self, now: Instant) -> Duration {
        self.plays_until.saturating_duration_since(now)
    }

    /// Times that the server ran empty, since this was last asked.
    pub(in crate::audio) fn underruns(&mut self) -> u32 {
        std::mem::take(&mut self.underruns)
    }

    /// The slack is at least this from now on: whoever feeds the stream comes that seldom.
    pub(in crate::audio) fn afford(&mut self, slack: Duration) {
        let slack = samples_in(slack, self.rate);
        if let Some(more) = slack.checked_sub(self.slack_min) {
            let more = more.next_multiple_of(samples_in(FRAME_TIME, self.rate).max(1));
            self.slack_min += more;
            self.slack += more;
            self.owed += more;
        }
    }

    /// How long sound takes in the server and its device, if it has told.
    pub(in crate::audio) fn latency(&self) -> Option<Duration> {
        Some(self.latency?.total(self.rate))
    }

    /// What it is woken by, while there is a stream.
    pub(in crate::audio) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.inbox.socket()
    }

    fn send(&mut self, sound: &[f32]) {
        let descriptor = Descriptor {
            length: u32::try_from(sound.len() * SAMPLE_BYTES).unwrap_or(u32::MAX),
            channel: self.channel,
            // From the end of what was sent before.
            offset: (std::mem::take(&mut self.skips) * SAMPLE_BYTES) as u64,
            flags: DescriptorFlags::empty(),
        };
        let mut header = [0; DESCRIPTOR_SIZE];
        encode_descriptor(&mut header, &descriptor);
        self.message.clear();
        self.message.extend_from_slice(&header);
        self.message
            .extend(sound.iter().flat_map(|sample| sample.to_le_bytes()));
        self.inbox.send(&self.message);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufReader, Read},
        os::unix::net::UnixStream,
        sync::Arc,
        thread,
    };

    use assert_no_alloc::assert_no_alloc;
    use pulseaudio::protocol::{
        Command, MAX_VERSION, Request, Underflow, read_command_message, read_descriptor,
        stream::BufferAttr, write_command_message,
    };

    use super::*;
    use crate::audio::device::Health;

    const MILLI: Duration = Duration::from_millis(1);

    /// Samples of 10 ms.
    const FRAME: usize = 480;

    /// A server that asks for 10 ms at a time, and the stream that it has made.
    struct Server {
        socket: BufReader<UnixStream>,
        /// What it has to play, in samples.
        holds: usize,
        /// What was left out.
        skipped: usize,
    }

    fn stream(latency: Duration) -> (Server, Feed) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut created = CreatePlaybackStreamReply {
            channel: 7,
            buffer_attr: BufferAttr {
                minimum_request_length: u32::try_from(FRAME * SAMPLE_BYTES).unwrap(),
                ..BufferAttr::default()
            },
            stream_latency: u64::try_from(latency.as_micros()).unwrap(),
            ..CreatePlaybackStreamReply::default()
        };
        created.sample_spec.sample_rate = 48_000;
        let health = Arc::new(Health::watched_by(thread::current()));
        let inbox = Inbox::new(ours, &[], MAX_VERSION, health).unwrap();
        let feed = Feed::begin(inbox, &created);
        let mut server = Server {
            socket: BufReader::new(theirs),
            holds: 0,
            skipped: 0,
        };
        server.hear();
        (server, feed)
    }

    impl Server {
        /// Takes what was sent in one piece.
        fn hear(&mut self) -> Vec<f32> {
            let mut bytes = Vec::new();
            loop {
                let descriptor = read_descriptor(&mut self.socket).unwrap();
                bytes.resize(descriptor.length as usize, 0);
                self.socket.read_exact(&mut bytes).unwrap();
                if descriptor.channel == 7 {
                    self.skipped += usize::try_from(descriptor.offset).unwrap() / SAMPLE_BYTES;
                    break;
                }
            }
            let samples = bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes);
            let samples: Vec<f32> = samples.collect();
            self.holds += samples.len();
            samples
        }

        fn say(&mut self, command: &Command) {
            write_command_message(self.socket.get_mut(), u32::MAX, command, MAX_VERSION).unwrap();
        }

        fn ask(&mut self, samples: usize) {
            self.say(&Command::Request(Request {
                channel: 7,
                length: u32::try_from(samples * SAMPLE_BYTES).unwrap(),
            }));
        }

        fn run_empty(&mut self) {
            self.say(&Command::Underflow(Underflow {
                channel: 7,
                offset: 0,
            }));
        }

        /// Plays 10 ms, and asks for as much.
        fn play(&mut self) {
            self.holds -= FRAME;
            self.ask(FRAME);
        }
    }

    /// Gives what is wanted; how many frames that was.
    fn give(server: &mut Server, feed: &mut Feed, now: Instant) -> usize {
        let mut given = 0;
        while feed.wants(FRAME, now) {
            feed.write(&[0.5; FRAME], now);
            assert_eq!(server.hear(), [0.5; FRAME]);
            given += 1;
        }
        given
    }

    #[test]
    fn the_server_has_the_slack_left_whenever_it_asks() {
        for (latency, slack) in [
            (Duration::ZERO, 240),
            (MILLI * 4, 240),
            (MILLI * 900, 4_560),
        ] {
            let (mut server, mut feed) = stream(latency);
            let now = Instant::now();
            assert_eq!(give(&mut server, &mut feed, now), 0);
            for n in 1..100 {
                server.play();
                assert_eq!(server.holds, slack);
                let now = now + MILLI * 10 * n;
                assert_eq!(give(&mut server, &mut feed, now), 1);
                assert_eq!(feed.delay(now), duration_at(slack + FRAME, 48_000));
                assert!(feed.delay(now + MILLI * 200).is_zero());
            }
            assert_eq!(feed.underruns(), 0);
        }
    }

    /// Plays for so many seconds after the start, and runs empty in those of which `is_empty` says
    /// so: what the server had left at each, and how many underruns there were.
    fn lefts(seconds: usize, mut is_empty: impl FnMut(usize, usize) -> bool) -> (Vec<usize>, u32) {
        let (mut server, mut feed) = stream(Duration::ZERO);
        let mut now = Instant::now();
        // Before there was any sound, and soon after, it is no underrun.
        server.run_empty();
        server.play();
        give(&mut server, &mut feed, now);
        server.run_empty();
        give(&mut server, &mut feed, now);
        now += START;
        let mut lefts = Vec::new();
        for n in 0..seconds * 100 {
            now += MILLI * 10;
            server.play();
            if n % 100 == 0 {
                lefts.push(server.holds);
                if is_empty(n / 100, server.holds) {
                    server.run_empty();
                }
            }
            give(&mut server, &mut feed, now);
        }
        (lefts, feed.underruns())
    }

    #[test]
    fn a_server_that_runs_empty_again_is_given_more_and_less_after_a_while() {
        let (lefts, underruns) = lefts(60, |second, _| [5, 20, 22, 24, 26, 28].contains(&second));
        assert_eq!(underruns, 6);
        let at = |second: usize| lefts[second];
        assert_eq!(
            [at(21), at(23), at(25), at(27), at(29)],
            [240, 720, 1_200, 1_680, 2_160]
        );
        assert_eq!([at(37), at(40), at(50)], [2_160, 1_680, 1_200]);
        let once = self::lefts(60, |second, _| second % 12 == 0).0;
        assert!(once.iter().all(|&left| left == 240), "{once:?}");
    }

    #[test]
    fn a_server_that_runs_empty_five_times_a_second_is_given_more() {
        let (mut server, mut feed) = stream(Duration::ZERO);
        let origin = Instant::now();
        for tick in 0..500u32 {
            server.play();
            if tick >= 400 && tick % 20 == 0 {
                server.run_empty();
            }
            give(&mut server, &mut feed, origin + MILLI * 10 * tick);
        }
        server.play();
        assert_eq!((server.holds, feed.underruns()), (720, 5));
    }

    #[test]
    fn a_server_that_runs_empty_with_less_is_left_what_it_needs_for_longer_each_time() {
        let lefts = lefts(400, |_, left| left == 240).0;
        let shrinks: Vec<usize> = (1..lefts.len())
            .filter(|&second| lefts[second] < lefts[second - 1])
            .collect();
        let apart: Vec<usize> = shrinks.windows(2).map(|two| two[1] - two[0]).collect();
        assert_eq!(shrinks.first(), Some(&12));
        assert_eq!(apart, [22, 42, 82, 162]);
        assert!(lefts.iter().all(|&left| left <= 720), "{lefts:?}");
    }

    #[test]
    fn whoever_stood_still_is_not_told_to_be_earlier() {
        let (mut server, mut feed) = stream(Duration::ZERO);
        let now = Instant::now();
        server.play();
        give(&mut server, &mut feed, now);
        server.run_empty();
        server.play();
        let later = now + Duration::from_secs(5);
        assert_eq!(give(&mut server, &mut feed, later), 1);
        server.play();
        assert_eq!((feed.underruns(), server.holds), (1, 240));
    }

    #[test]
    fn what_comes_much_too_late_is_left_out() {
        for (late, given) in [(2, 2), (7, 7), (8, 1), (500, 1), (2_000_000, 1)] {
            let (mut server, mut feed) = stream(Duration::ZERO);
            let now = Instant::now();
            for _ in 0..200 {
                server.play();
                give(&mut server, &mut feed, now);
            }
            server.ask(late * FRAME);
            let later = now + MILLI * 10 * u32::try_from(late).unwrap_or(u32::MAX);
            assert_eq!(give(&mut server, &mut feed, later), given, "{late}");
            assert_eq!(server.skipped, (late - given) * FRAME, "{late}");
            server.ask(FRAME);
            assert_eq!(give(&mut server, &mut feed, later), 1);
            assert_eq!(server.skipped, (late - given) * FRAME);
        }
    }

    #[test]
    fn whoever_comes_seldom_affords_more() {
        let (mut server, mut feed) = stream(Duration::ZERO);
        for _ in 0..2 {
            feed.afford(MILLI * 20);
            server.play();
            give(&mut server, &mut feed, Instant::now());
        }
        server.play();
        assert_eq!(server.holds, 240 + 2 * FRAME);
    }

    #[test]
    fn the_server_is_asked_for_the_latency_once_a_second() {
        let (mut server, mut feed) = stream(Duration::ZERO);
        let now = Instant::now();
        for _ in 0..ASKS_EVERY {
            server.play();
            assert_eq!(give(&mut server, &mut feed, now), 1);
        }
        let (number, question) = read_command_message(&mut server.socket, MAX_VERSION).unwrap();
        let is_asked = matches!(question, Command::GetPlaybackLatency(it) if it.channel == 7);
        assert!(is_asked && number == PLAYS);
        server.play();
        assert_eq!(give(&mut server, &mut feed, now), 1);
    }

    #[test]
    fn sound_is_written_without_allocating_and_a_server_that_is_gone_takes_none() {
        let (mut server, mut feed) = stream(Duration::ZERO);
        server.play();
        let now = Instant::now();
        assert_no_alloc(|| {
            assert!(feed.wants(FRAME, now));
            feed.write(&[0.5; FRAME], now);
        });
        assert_eq!(server.hear(), [0.5; FRAME]);
        drop(server);
        assert!(feed.socket().is_some());
        feed.write(&[0.5; FRAME], now);
        assert!(feed.socket().is_none());
    }
}
