//! Does what may take long on a thread of its own. Unlike the runtime's, such a thread keeps the
//! program from ending neither while a disk hangs nor while another program runs.

use std::thread;

use tokio::sync::oneshot;

/// What came of it; `None` if the system gives no thread for it.
pub(super) async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = oneshot::channel();
    let begun = thread::Builder::new().spawn(move || {
        // A window that is gone needs to hear nothing.
        let _gone = tell.send(work());
    });
    begun.ok()?;
    told.await.ok()
}
