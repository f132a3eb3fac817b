//! `ramal-softphone`: the phone in a window.

use std::process::ExitCode;

use registry::cli;
use softphone::{
    gui::{self, Options},
    settings,
};

fn main() -> ExitCode {
    let options = Options {
        folder: settings::default_folder().unwrap_or_default(),
        ..Options::default()
    };
    match gui::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::complain(2, &error.to_string()),
    }
}
