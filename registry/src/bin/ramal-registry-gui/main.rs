//! `ramal-registry-gui`: a registry with a window.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use iced::{Size, window};
use jiff::tz::TimeZone;
use look::display;
use registry::{
    cli,
    gui::{self, App, Start, WINDOW, host::Hosting, preferences::Preferences},
    operate::Options,
};

/// A registry with a window: keeps the table of who can be called where, and shows it.
///
/// What is typed here counts for this start; the window remembers the rest. The same registry runs
/// without a window as ramal-registry, with the same data folder, one at a time.
#[derive(Debug, Parser)]
#[command(name = "ramal-registry-gui", version, about)]
struct CommandLine {
    /// Where to listen, instead of where it listened last
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// The folder for what the registry keeps [default: ramal/registry in the user's data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Opens the registry at once
    #[arg(long)]
    open: bool,
}

/// What desktops show of the window where no `.desktop` file tells them.
const ICON: &[u8] = include_bytes!("../../../assets/ramal-registry-gui-64.rgba");

fn main() -> ExitCode {
    let line: CommandLine = match cli::parse() {
        Ok(line) => line,
        Err(code) => return code,
    };
    let Some(data) = line.data.or_else(Options::usual_folder) else {
        return cli::complain(2, "there is no home folder; use --data DIR");
    };
    let start = Start {
        found: Preferences::load(&data),
        data,
        listen: line.listen,
        open: line.open,
        zone: TimeZone::system(),
        hosting: Hosting::default(),
    };
    let hosting = start.hosting.clone();
    let left = {
        let hosting = hosting.clone();
        move || {
            let is_closed = hosting.close();
            let says = if is_closed { GONE } else { LATE };
            // The code of a program that ends already is not changed any more.
            let _ = cli::complain(1, says);
        }
    };
    match display::run(|| run(start), left) {
        Ok(()) if hosting.close() => ExitCode::SUCCESS,
        Ok(()) => cli::complain(1, LATE),
        Err(why) => {
            // It may be open already, as it need not wait for the window.
            let _ = hosting.close();
            cli::complain(2, &format!("{why}; ramal-registry does without one"))
        }
    }
}

/// What is said where the window did not end by itself.
const GONE: &str = "the window is gone, and the registry was closed; ramal-registry needs no \
                    display";
/// What is said where the registry did not close.
const LATE: &str = "the registry did not close in time: what was not acknowledged may be lost";

fn run(start: Start) -> iced::Result {
    let remembered = start.found.preferences.window;
    let scale = start.found.preferences.text_size.factor();
    let size = remembered.map_or(WINDOW, |(width, height)| Size::new(width, height));
    iced::application(move || App::new(&start), App::update, App::view)
        .settings(look::settings("ramal-registry-gui"))
        .window(window::Settings {
            size,
            min_size: Some(gui::smallest(scale)),
            exit_on_close_request: false,
            icon: look::window_icon(ICON),
            ..window::Settings::default()
        })
        .title(App::title)
        .theme(App::theme)
        .style(App::style)
        .scale_factor(App::scale)
        .subscription(App::subscription)
        .run()
}
