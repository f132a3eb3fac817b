//! What Ramal's programs have in common on a command line: how they read it and how they complain.

use std::{
    future::Future,
    io::{self, Write},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, error::ErrorKind};
use tokio::runtime::Builder;

/// The longest complaint about a command line: it repeats what was typed.
const LINE_CHARS_MAX: usize = 300;

/// Reads the command line.
///
/// # Errors
/// The exit code of a program that has nothing more to do: 0 when help or the version was asked
/// for and printed, 2 when the command line is wrong, which one line on standard error explains.
pub fn parse<T: Parser + CommandFactory>() -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Whoever closed the output has read enough.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            complain(2, "what to do? see --help")
        }
        _ => complain(2, &format!("{}; see --help", one_line(&error))),
    })
}

/// The first paragraph of clap's explanation, on one line: the rest is usage and advice.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let paragraph = text.lines().take_while(|line| !line.trim().is_empty());
    let line: String = paragraph.map(str::trim).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// Writes one line, `PROGRAM: why`, to standard error and returns the exit code `code`.
#[must_use]
pub fn complain(code: u8, why: &str) -> ExitCode {
    let program = std::env::args_os().next().unwrap_or_default();
    let program = std::path::Path::new(&program)
        .file_name()
        .unwrap_or_default();
    // Without a place to complain to, the exit code says it.
    let _ = writeln!(io::stderr(), "{}: {why}", program.to_string_lossy());
    ExitCode::from(code)
}

/// Runs a program's future to its end. What it left behind, such as a name server or a sound server
/// that does not answer, does not keep the program from ending.
///
/// # Panics
/// When the system gives no threads and no files at all, so that nothing can be run.
pub fn block_on<F: Future>(future: F) -> F::Output {
    run(Builder::new_multi_thread(), future)
}

/// Likewise, for a program that has little to do: all of its tasks share a thread, and none wakes
/// a second one for nothing.
///
/// # Panics
/// As [`block_on`].
pub fn block_on_one<F: Future>(future: F) -> F::Output {
    let mut one = Builder::new_multi_thread();
    one.worker_threads(1);
    run(one, future)
}

fn run<F: Future>(mut runtime: Builder, future: F) -> F::Output {
    let runtime = runtime.enable_all().build();
    let runtime = runtime.expect("a system that can run programs");
    let output = runtime.block_on(future);
    runtime.shutdown_background();
    output
}
