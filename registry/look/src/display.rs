//! Whether there is a display to open a window on, and what is done where it goes away.
//!
//! iced 0.14 panics where a display is named that is not there, and Xlib ends the whole program
//! where the connection to its server breaks, without returning from the window's loop.

use std::{
    any::Any,
    cell::RefCell,
    error::Error,
    fmt,
    panic::{self, AssertUnwindSafe},
};

/// Why there is no window.
#[derive(Debug)]
pub enum NoWindow {
    /// No display is named to the program.
    NoDisplay,
    /// Nothing is where one is named.
    NoAnswer,
    /// It cannot be drawn on.
    Failed(iced::Error),
}

impl fmt::Display for NoWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDisplay => f.write_str("there is no display to open a window on"),
            Self::NoAnswer => f.write_str("cannot open a window: the display does not answer"),
            Self::Failed(error) => write!(f, "cannot open a window: {error}"),
        }
    }
}

impl Error for NoWindow {}

/// Runs a window until it is closed. If the program ends before that, because the display went away
/// or something failed, it first does what is `left` to do. On the main thread; on Linux with glibc
/// only, which is where Xlib ends programs.
///
/// # Errors
/// [`NoWindow`].
pub fn run(
    window: impl FnOnce() -> iced::Result,
    left: impl FnOnce() + 'static,
) -> Result<(), NoWindow> {
    match is_named() {
        true => run_on_display(window, left),
        false => Err(NoWindow::NoDisplay),
    }
}

fn run_on_display(
    window: impl FnOnce() -> iced::Result,
    left: impl FnOnce() + 'static,
) -> Result<(), NoWindow> {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !is_no_display(info.payload()) {
            told(info);
        }
    }));
    LEFT.with_borrow_mut(|it| it.0 = Some(Box::new(left)));
    let ran = panic::catch_unwind(AssertUnwindSafe(window));
    let left = LEFT.take();
    match ran {
        Err(panic) if !is_no_display(&*panic) => {
            drop(left);
            panic::resume_unwind(panic)
        }
        ran => {
            left.forget();
            match ran {
                Ok(ran) => ran.map_err(NoWindow::Failed),
                Err(_) => Err(NoWindow::NoAnswer),
            }
        }
    }
}

thread_local! {
    /// glibc drops what belongs to the thread that ends the program.
    static LEFT: RefCell<Left> = const { RefCell::new(Left(None)) };
}

/// What is left to do when it is dropped.
#[derive(Default)]
struct Left(Option<Box<dyn FnOnce()>>);

impl Left {
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Some(left) = self.0.take() {
            left();
        }
    }
}

/// Whether a panic says that there is no display.
fn is_no_display(panic: &dyn Any) -> bool {
    let said = panic.downcast_ref::<String>();
    said.is_some_and(|said| said.starts_with("Create event loop"))
}

/// Whether a display is named to the program.
fn is_named() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux")
        || ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"]
            .into_iter()
            .any(is_set)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc, thread};

    use super::*;

    /// What comes of a window, and whether what was left was done.
    fn comes_of(window: fn() -> iced::Result) -> (Option<Result<(), NoWindow>>, bool) {
        let done = Rc::new(Cell::new(false));
        let left = {
            let done = Rc::clone(&done);
            move || done.set(true)
        };
        let ran = panic::catch_unwind(AssertUnwindSafe(|| run_on_display(window, left)));
        (ran.ok(), done.get())
    }

    #[test]
    fn what_is_left_is_done_only_where_a_window_does_not_end_by_itself() {
        let (ran, done) = comes_of(|| Ok(()));
        assert!(matches!(ran, Some(Ok(()))) && !done);
        let (ran, done) = comes_of(|| panic::panic_any("Create event loop: no".to_owned()));
        assert!(matches!(ran, Some(Err(NoWindow::NoAnswer))) && !done);
        let (ran, done) = comes_of(|| panic!("something else"));
        assert!(ran.is_none() && done, "it is a panic still");
    }

    #[test]
    fn what_is_left_is_done_where_a_thread_ends_within_its_window() {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let ended = thread::spawn(move || {
            let left = move || tell.send(()).expect("somebody listens");
            // As Xlib does it: nothing after this runs.
            LEFT.with_borrow_mut(|it| it.0 = Some(Box::new(left)));
        });
        ended.join().expect("it ends");
        assert_eq!(told.try_recv(), Ok(()));
    }
}
