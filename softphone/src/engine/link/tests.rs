//! Two links on this machine, over real sockets on loopback addresses.

use std::{
    net::Ipv4Addr,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use tokio::task::JoinSet;

use super::*;

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
    voice: mpsc::Sender<Encoded>,
    reports: Arc<Mutex<Vec<Report>>>,
    /// Packets that came.
    came: Arc<AtomicU32>,
}

impl Side {
    fn has(&self, report: &Report) -> bool {
        self.reports.lock().unwrap().contains(report)
    }

    fn came(&self) -> u32 {
        self.came.load(Relaxed)
    }

    fn moved(&self) -> Option<Moved> {
        let reports = self.reports.lock().unwrap();
        reports.iter().find_map(|report| match report {
            Report::Moved(moved) => Some(moved.clone()),
            _ => None,
        })
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
        let side = Side {
            ips,
            orders,
            voice,
            reports: Arc::default(),
            came: Arc::default(),
        };
        let (reports, came) = (Arc::clone(&side.reports), Arc::clone(&side.came));
        let count = move |_| {
            came.fetch_add(1, Relaxed);
        };
        side.orders.send(Order::Speak).await.unwrap();
        let deliver = Order::Deliver(Box::new(count));
        side.orders.send(deliver).await.unwrap();
        let report = move |report| reports.lock().unwrap().push(report);
        tasks.spawn(prepared.run(remote, role, ordered, spoken, report));
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
            let encoded = Encoded {
                timestamp: Timestamp(number.wrapping_mul(960)),
                marker: number == 0,
                payload: vec![8; 40],
            };
            // A link that has failed takes no more.
            let _ = side.voice.send(encoded).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

fn both_heard(sides: &[Side; 2]) -> bool {
    sides.iter().all(|side| side.has(&Report::Heard))
}

#[tokio::test]
async fn two_sides_that_know_each_other_connect_and_hear_each_other() {
    let (sides, _tasks) = connect(|_| {}).await;
    assert!(speak_until(&sides, both_heard).await);
    for side in sides {
        let reports = side.reports.lock().unwrap();
        assert_eq!(reports[..2], [Report::Connected, Report::Heard]);
    }
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
        *sides[mover].ips.lock().unwrap() = vec![loopback(3)];
        let told = |sides: &[Side; 2]| sides[mover].moved().is_some();
        assert!(speak_until(&sides, told).await);
        let moved = sides[mover].moved().unwrap();
        assert_eq!((moved.added.len(), moved.removed.len()), (1, 1));
        assert_eq!(moved.added[0].addr.ip(), loopback(3));
        // One time the other side is told. The other time it finds out by itself.
        if mover == 0 {
            let order = Order::PeerMoved(moved);
            sides[1].orders.send(order).await.unwrap();
        }
        let before = sides.each_ref().map(Side::came);
        let goes_on = |sides: &[Side; 2]| {
            let came = sides.each_ref().map(Side::came);
            (0..2).all(|side| came[side] >= before[side] + 25)
        };
        let goes_on = speak_until(&sides, goes_on).await;
        let reports = sides
            .each_ref()
            .map(|side| side.reports.lock().unwrap().clone());
        let came = sides.each_ref().map(Side::came);
        assert!(goes_on, "{mover}: {before:?} {came:?} {reports:?}");
        for side in &sides {
            assert!(!side.has(&Report::Failed(MediaFailure::Lost)));
        }
    }
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
