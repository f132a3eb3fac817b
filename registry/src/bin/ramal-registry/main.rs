//! `ramal-registry`: the registry without a window, and its operator's commands.

use std::process::ExitCode;

use registry::cli;

mod admin;
mod journal;
mod options;
mod serve;

use options::{CommandLine, Program};

fn main() -> ExitCode {
    let CommandLine { program, options } = match cli::parse() {
        Ok(line) => line,
        Err(code) => return code,
    };
    let done = match program {
        Some(Program::Admin(options)) => admin::run(&options),
        None => cli::block_on(serve::run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => cli::complain(2, &why),
    }
}
