//! RealtimeKit (`org.freedesktop.RealtimeKit1`): the service of Linux desktops that grants
//! real-time priority to the programs of whoever sits at the machine, who may not take it by
//! themselves.

use std::{io, thread, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{runtime, time::timeout};
use zbus::{Connection, Proxy};

const SERVICE: &str = "org.freedesktop.RealtimeKit1";
const PATH: &str = "/org/freedesktop/RealtimeKit1";

/// A service that takes longer than that does not answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Asks for real-time priority for this thread, from one of its own: the sound does not wait for an
/// answer.
pub(super) fn ask(priority: u32) {
    let thread = this_thread();
    let asked = thread::Builder::new().name("priority".to_owned());
    // Without a thread sound goes on as it does without an answer.
    let _ = asked.spawn(move || {
        let built = runtime::Builder::new_current_thread().enable_all().build();
        let answer = built.map_err(zbus::Error::from).and_then(|runtime| {
            runtime.block_on(async {
                let granted = timeout(ANSWER_MAX, async {
                    grant(&Connection::system().await?, thread, priority).await
                });
                granted
                    .await
                    .unwrap_or_else(|late| Err(io::Error::from(late).into()))
            })
        });
        match answer {
            Ok(priority) => tracing::debug!(priority, "RealtimeKit granted real-time priority"),
            Err(why) => tracing::debug!(%why, "sound goes without real-time priority"),
        }
    });
}

/// What the system knows this thread by.
fn this_thread() -> u64 {
    let id = rustix::thread::gettid().as_raw_nonzero();
    id.get().unsigned_abs().into()
}

/// Has the service at `bus` grant it; which priority that is, as it may be less.
async fn grant(bus: &Connection, thread: u64, priority: u32) -> zbus::Result<u32> {
    let kit = Proxy::new(bus, SERVICE, PATH, SERVICE).await?;
    let most: i32 = kit.get_property("MaxRealtimePriority").await?;
    let micros: i64 = kit.get_property("RTTimeUSecMax").await?;
    limit(u64::try_from(micros).unwrap_or(0))?;
    let priority = priority.min(u32::try_from(most).unwrap_or(0));
    let () = kit.call("MakeThreadRealtime", &(thread, priority)).await?;
    Ok(priority)
}

/// The service grants nothing to a program that could stop the machine: one whose real-time threads
/// may compute for longer than this without a pause, in microseconds. Ours take a few milliseconds.
fn limit(micros: u64) -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Rttime);
    let least = |limit: Option<u64>| Some(limit.map_or(micros, |limit| limit.min(micros)));
    let new = Rlimit {
        current: least(current),
        maximum: least(maximum),
    };
    Ok(setrlimit(Resource::Rttime, new)?)
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::net::UnixStream,
        sync::{Arc, Mutex},
    };

    use zbus::{Guid, connection::Builder, interface};

    use super::*;

    /// A service that grants priorities of 5 and below.
    struct Kit {
        granted: Arc<Mutex<Vec<(u64, u32)>>>,
    }

    #[interface(name = "org.freedesktop.RealtimeKit1")]
    impl Kit {
        async fn make_thread_realtime(&self, thread: u64, priority: u32) {
            self.granted.lock().unwrap().push((thread, priority));
        }

        #[zbus(property)]
        async fn max_realtime_priority(&self) -> i32 {
            5
        }

        // So long that no other test is stopped by it.
        #[zbus(property, name = "RTTimeUSecMax")]
        async fn rt_time_u_sec_max(&self) -> i64 {
            3_600_000_000
        }
    }

    #[tokio::test]
    async fn the_service_is_asked_for_this_thread_and_for_no_more_than_it_grants() {
        let granted = Arc::<Mutex<Vec<_>>>::default();
        let kit = Kit {
            granted: Arc::clone(&granted),
        };
        let (ours, theirs) = UnixStream::pair().unwrap();
        let service = Builder::unix_stream(theirs)
            .server(Guid::generate())
            .p2p()
            .serve_at(PATH, kit)
            .build();
        let (bus, service) = tokio::join!(Builder::unix_stream(ours).p2p().build(), service);
        let (bus, _service) = (bus.unwrap(), service.unwrap());
        for (wanted, expected) in [(10, 5), (3, 3)] {
            let got = grant(&bus, 7, wanted).await.unwrap();
            assert_eq!(got, expected);
            assert_eq!(granted.lock().unwrap().pop(), Some((7, expected)));
        }
        let limit = getrlimit(Resource::Rttime).maximum;
        assert!(limit.is_some_and(|limit| limit <= 3_600_000_000));
    }

    #[test]
    fn a_thread_is_known_by_its_own_number() {
        let other = thread::spawn(this_thread).join().unwrap();
        assert_ne!(other, this_thread());
    }
}
