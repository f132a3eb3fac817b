//! Two links on this machine, over real sockets on loopback addresses.

use std::{
    net::Ipv4Addr,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use codec::signal::CandidateKind;
use tokio::task::JoinSet;

use super::*;
use crate::media::watchdog::RECONNECTING_AFTER;

/// The addresses of one side, which a test may change.
type Ips = Arc<Mutex<Vec<IpAddr>>>;

fn loopback(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

fn prepare_on(ips: &Ips) -> Prepared {
    let ips = Arc::clone(ips);
    prepare(Addresses::new(move || Ok(ips.lock().unwrap().clone()))).unwrap()
}

/// One side that runs.
struct Side {
    ips: Ips,
    orders: mpsc::Sender<Order>,
    moved: watch::Sender<Moved>,
    voice: mpsc::Sender<Encoded>,
    reports: Arc<Mutex<Vec<Report>>>,
    /// Packets that came.
    came: Arc<AtomicU32>,
    /// Those of them that came in each form.
    forms: Arc<[AtomicU32; 2]>,
}

/// The forms in which voice is sent in turns, and what tells of them in each payload.
const FORMS: [Coding; 2] = [Coding::Opus, Coding::Red];

impl Side {
    fn has(&self, report: &Report) -> bool {
        self.reports.lock().unwrap().contains(report)
    }

    fn came(&self) -> u32 {
        self.came.load(Relaxed)
    }

    fn moved(&self) -> Option<Moved> {
        let reports = self.reports.lock().unwrap();
        reports.iter().rev().find_map(|report| match report {
            Report::Moved(moved) => Some(moved.clone()),
            _ => None,
        })
    }

    /// Where it said last that it sends to.
    fn path(&self) -> Option<IpAddr> {
        let reports = self.reports.lock().unwrap();
        reports.iter().rev().find_map(|report| match report {
            Report::Path(path) => Some(path.remote.ip()),
            _ => None,
        })
    }

    /// It has no other address than these any more.
    fn moves_to(&self, ips: &[u8]) {
        *self.ips.lock().unwrap() = ips.iter().map(|&last| loopback(last)).collect();
    }

    /// Has told of a change after which it is there.
    fn told_of(&self, last: u8) -> bool {
        let at = |candidate: &Candidate| candidate.addr.ip() == loopback(last);
        self.moved().is_some_and(|moved| moved.added.iter().any(at))
    }
}

/// A caller and a callee who know what `offers` makes of their offers, and their tasks.
async fn connect(offers: impl FnOnce(&mut [MediaOffer; 2])) -> ([Side; 2], JoinSet<()>) {
    let ips: [Ips; 2] = [1, 2].map(|last| Arc::new(Mutex::new(vec![loopback(last)])));
    let prepared = ips.each_ref().map(prepare_on);
    let mut known = prepared.each_ref().map(|side| side.offer.clone());
    offers(&mut known);
    let [of_caller, of_callee] = known;
    let (mut tasks, mut sides) = (JoinSet::new(), Vec::new());
    let remotes = [(of_callee, Role::Caller), (of_caller, Role::Callee)];
    for ((prepared, ips), (remote, role)) in prepared.into_iter().zip(ips).zip(remotes) {
        let (orders, ordered) = mpsc::channel(8);
        let (voice, spoken) = mpsc::channel(64);
        let (moved, peer_moved) = watch::channel(Moved::default());
        let side = Side {
            ips,
            orders,
            moved,
            voice,
            reports: Arc::default(),
            came: Arc::default(),
            forms: Arc::default(),
        };
        let (reports, came) = (Arc::clone(&side.reports), Arc::clone(&side.came));
        let forms = Arc::clone(&side.forms);
        let count = move |packet: Packet| {
            came.fetch_add(1, Relaxed);
            let form = usize::from(packet.payload[0]);
            assert_eq!(packet.coding, FORMS[form]);
            forms[form].fetch_add(1, Relaxed);
        };
        side.orders.send(Order::Speak).await.unwrap();
        let deliver = Order::Deliver(Box::new(count));
        side.orders.send(deliver).await.unwrap();
        let report = move |report| reports.lock().unwrap().push(report);
        tasks.spawn(prepared.run(remote, role, ordered, peer_moved, spoken, report));
        sides.push(side);
    }
    let sides = sides.try_into().unwrap_or_else(|_| panic!("two sides"));
    (sides, tasks)
}

/// Both sides speak until `done`, or for long enough to be sure that it will not be.
async fn speak_until(sides: &[Side; 2], done: impl Fn(&[Side; 2]) -> bool) -> bool {
    for number in 0..2_000u32 {
        if done(sides) {
            return true;
        }
        for side in sides {
            let form = number % 2;
            let encoded = Encoded {
                timestamp: Timestamp(number.wrapping_mul(960)),
                marker: number == 0,
                payload: vec![u8::try_from(form).unwrap(); 40],
                coding: FORMS[form as usize],
            };
            // A link that has failed takes no more.
            let _ = side.voice.send(encoded).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

/// Both sides hear each other from now on.
async fn goes_on(sides: &[Side; 2]) -> bool {
    let before = sides.each_ref().map(Side::came);
    speak_until(sides, |sides| {
        let came = sides.each_ref().map(Side::came);
        (0..2).all(|side| came[side] >= before[side] + 25)
    })
    .await
}

/// What the sides have reported, without that which comes again and again.
fn all_reports(sides: &[Side; 2]) -> [Vec<Report>; 2] {
    let again = |report: &Report| matches!(report, Report::RoundTrip(_) | Report::Path(_));
    sides.each_ref().map(|side| {
        let mut reports = side.reports.lock().unwrap().clone();
        reports.retain(|report| !again(report));
        reports
    })
}

fn both_heard(sides: &[Side; 2]) -> bool {
    sides.iter().all(|side| side.has(&Report::Heard))
}

#[tokio::test]
async fn two_sides_that_know_each_other_connect_and_hear_each_other() {
    let (sides, _tasks) = connect(|_| {}).await;
    assert!(speak_until(&sides, both_heard).await);
    for reports in all_reports(&sides) {
        assert_eq!(reports[..2], [Report::Connected, Report::Heard]);
    }
}

#[tokio::test]
async fn voice_comes_in_the_form_in_which_it_was_sent() {
    let (sides, _tasks) = connect(|_| {}).await;
    let both_forms = |side: &Side| side.forms.iter().all(|count| count.load(Relaxed) > 5);
    assert!(speak_until(&sides, |sides| sides.iter().all(both_forms)).await);
}

#[tokio::test]
async fn a_swapped_fingerprint_ends_the_call() {
    for swapped in 0..2 {
        let (sides, _tasks) = connect(|offers| offers[swapped].fingerprint.0[0] ^= 1).await;
        let untrusted = Report::Failed(MediaFailure::Untrusted);
        let fails = |sides: &[Side; 2]| sides[1 - swapped].has(&untrusted);
        assert!(speak_until(&sides, fails).await);
        assert!(!sides[1 - swapped].has(&Report::Heard));
    }
}

#[tokio::test]
async fn a_call_follows_a_side_that_changes_its_address() {
    for mover in 0..2 {
        let (sides, _tasks) = connect(|_| {}).await;
        assert!(speak_until(&sides, both_heard).await);
        let there = |sides: &[Side; 2], last| sides[1 - mover].path() == Some(loopback(last));
        let first = [1, 2][mover];
        assert!(speak_until(&sides, |sides| there(sides, first)).await);
        sides[mover].moves_to(&[3]);
        let told = |sides: &[Side; 2]| sides[mover].told_of(3);
        assert!(speak_until(&sides, told).await);
        let moved = sides[mover].moved().unwrap();
        assert_eq!((moved.added.len(), moved.removed.len()), (1, 1));
        // One time the other side is told. The other time it finds out by itself.
        if mover == 0 {
            sides[1].moved.send_replace(moved);
        }
        assert!(goes_on(&sides).await, "{mover}: {:?}", all_reports(&sides));
        // The other side's path is told, and another one when it is another.
        assert!(speak_until(&sides, |sides| there(sides, 3)).await);
    }
}

async fn moves_again_and_again(mover: usize) {
    let (sides, _tasks) = connect(|_| {}).await;
    assert!(speak_until(&sides, both_heard).await);
    for last in 3..6 {
        sides[mover].moves_to(&[last]);
        let told = |sides: &[Side; 2]| sides[mover].told_of(last);
        assert!(speak_until(&sides, told).await);
        let goes_on = goes_on(&sides).await;
        assert!(goes_on, "{mover}, {last}: {:?}", all_reports(&sides));
    }
}

#[tokio::test]
async fn a_call_follows_a_side_that_moves_again_and_again_without_a_word() {
    tokio::join!(moves_again_and_again(0), moves_again_and_again(1));
}

async fn is_away_for_six_seconds(mover: usize) {
    let (sides, _tasks) = connect(|_| {}).await;
    assert!(speak_until(&sides, both_heard).await);
    sides[mover].moves_to(&[]);
    let gone = |sides: &[Side; 2]| sides[mover].moved().is_some();
    assert!(speak_until(&sides, gone).await);
    let back = Instant::now() + Duration::from_secs(6);
    speak_until(&sides, |_| Instant::now() >= back).await;
    sides[mover].moves_to(&[3]);
    assert!(goes_on(&sides).await, "{mover}: {:?}", all_reports(&sides));
    for side in &sides {
        assert!(side.has(&Report::Reconnecting) && side.has(&Report::Reconnected));
    }
}

#[tokio::test]
async fn a_call_goes_on_by_itself_when_the_network_comes_back_after_six_seconds() {
    tokio::join!(is_away_for_six_seconds(0), is_away_for_six_seconds(1));
}

#[tokio::test]
async fn of_moves_that_come_too_fast_the_newest_counts() {
    let (sides, _tasks) = connect(|_| {}).await;
    assert!(speak_until(&sides, both_heard).await);
    let begun = Instant::now();
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let socket = tokio::net::UdpSocket::bind((loopback(1), 0)).await;
        sockets.push(socket.unwrap());
    }
    let move_to = |socket: &tokio::net::UdpSocket| {
        let candidate = Candidate {
            kind: CandidateKind::Host,
            addr: socket.local_addr().unwrap(),
            priority: 1,
        };
        sides[0].moved.send_replace(Moved {
            added: Candidates::first_of([candidate]),
            removed: Candidates::default(),
        });
    };
    // ICE says something to each address that it is given.
    let limit = Duration::from_secs(20);
    move_to(&sockets[0]);
    let first = tokio::time::timeout(limit, sockets[0].readable()).await;
    assert!(first.is_ok());
    move_to(&sockets[1]);
    move_to(&sockets[2]);
    let newest = tokio::time::timeout(limit, sockets[2].readable()).await;
    assert!(newest.is_ok());
    assert!(begun.elapsed() >= MOVES_APART);
    assert!(sockets[1].try_recv(&mut [0; 8]).is_err());
}

#[tokio::test]
async fn ice_keeps_one_entry_for_an_address_however_often_it_comes_and_goes() {
    let mut rtc = Rtc::new(Instant::now());
    rtc.direct_api().set_remote_ice_credentials(IceCreds::new());
    let candidate = remote_candidate(&Candidate {
        kind: CandidateKind::Host,
        addr: ([127, 0, 0, 1], 9).into(),
        priority: 1,
    });
    for _ in 0..100 {
        rtc.add_remote_candidate(candidate.clone());
        // It finds only the first entry of an address, so there is no other.
        assert!(rtc.direct_api().invalidate_candidate(&candidate));
        assert!(!rtc.direct_api().invalidate_candidate(&candidate));
    }
}

#[tokio::test]
async fn what_is_due_is_done_although_datagrams_keep_coming() {
    let prepared = prepare_on(&Arc::new(Mutex::new(vec![loopback(1)])));
    let at = prepared.offer.candidates[0].addr;
    let reports = Arc::<Mutex<Vec<Report>>>::default();
    let told = Arc::clone(&reports);
    let report = move |report| told.lock().unwrap().push(report);
    let now = Instant::now();
    let mut link = Link::new(prepared, Role::Callee, report, now);
    link.watchdog.heard(now - RECONNECTING_AFTER);
    // Nothing but a stranger's datagrams, as in a flood.
    let mut garbage = [0x80; 60];
    let received = (garbage.len(), at, ([127, 0, 0, 1], 9).into());
    link.receive_some(received, &mut garbage).unwrap();
    assert_eq!(*reports.lock().unwrap(), [Report::Reconnecting]);
}

#[tokio::test]
async fn sides_that_are_silent_on_purpose_know_that_they_are_there() {
    let (sides, _tasks) = connect(|_| {}).await;
    assert!(speak_until(&sides, both_heard).await);
    // Longer than it takes to be missed.
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    for side in &sides {
        assert!(!side.has(&Report::Reconnecting), "{:?}", side.reports);
    }
}

#[tokio::test]
async fn a_side_that_closes_is_known_to_have_closed() {
    let (sides, _tasks) = connect(|_| {}).await;
    assert!(speak_until(&sides, both_heard).await);
    let [caller, callee] = sides;
    // Its orders end: the call is over there.
    drop(caller.orders);
    let closed = Report::Failed(MediaFailure::Closed);
    let ended = async {
        while !callee.has(&closed) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let limit = Duration::from_secs(20);
    assert!(tokio::time::timeout(limit, ended).await.is_ok());
}
