//! Many calls in a row between two phones at one registry, all in this process, and what is left
//! of them: files, sockets, threads, tasks and memory, counted from the system.
//!
//! ```sh
//! make endurance                       # 1,000 calls
//! make endurance CALLS=100
//! ```
//!
//! Each call is established, carries voice both ways for a moment, and is hung up. The registry and
//! each phone have a runtime of their own, so that their tasks are counted apart; files, threads
//! and memory are those of all three. Exit code: 0 every call was established and nothing is left
//! of them, 1 not so, 2 wrong use.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use registry::cli;

#[path = "endurance/counts.rs"]
mod counts;
#[path = "endurance/rig.rs"]
mod rig;
#[path = "endurance/verdict.rs"]
mod verdict;

use rig::Rig;
use verdict::{Row, verdict};

/// How many calls are made before anything is counted: by then caches are filled, and threads that
/// stay have been started.
const WARM_UP: u32 = 50;

/// Makes many calls in a row and counts what is left of them.
#[derive(Debug, Parser)]
#[command(name = "endurance")]
struct Options {
    /// How many calls, after those of the warm-up
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,
    /// For how many milliseconds each call goes on once voice has come in on both sides
    #[arg(long, value_name = "MS", default_value_t = 100)]
    talk: u64,
}

fn main() -> ExitCode {
    let options: Options = match cli::parse() {
        Ok(options) => options,
        Err(code) => return code,
    };
    let talk = Duration::from_millis(options.talk);
    match run(WARM_UP, options.calls, 100, talk, &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => cli::complain(1, &why),
    }
}

/// Makes `calls` calls after `warm_up` others, counts after every `every`, writes a table to `out`.
///
/// # Errors
/// A call was not established, or something is left of the calls, for people.
fn run(
    warm_up: u32,
    calls: u32,
    every: u32,
    talk: Duration,
    out: &mut impl Write,
) -> Result<(), String> {
    let told = |error: io::Error| format!("cannot write: {error}");
    let mut rig = Rig::start()?;
    for number in 0..warm_up {
        rig.call(talk)
            .map_err(|why| format!("call {number} of the warm-up: {why}"))?;
    }
    let mut rows = vec![Row {
        calls: 0,
        counts: rig.settled(None),
    }];
    writeln!(out, "{}\n{}", Row::HEAD, rows[0]).map_err(told)?;
    let mut setups = Vec::new();
    for number in 1..=calls {
        let setup = rig
            .call(talk)
            .map_err(|why| format!("call {number}: {why}"))?;
        setups.push(setup);
        if number % every == 0 || number == calls {
            let row = Row {
                calls: number,
                counts: rig.settled(Some(&rows[0].counts)),
            };
            writeln!(out, "{row}").map_err(told)?;
            rows.push(row);
        }
    }
    writeln!(out, "\n{}", verdict::setups(&mut setups)).map_err(told)?;
    rig.stop()?;
    let judged = verdict(&rows)?;
    writeln!(out, "{judged}").map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_calls_are_established_and_leave_nothing_behind() {
        let mut out = Vec::new();
        let ended = run(5, 15, 5, Duration::from_millis(20), &mut out);
        let out = String::from_utf8(out).expect("text");
        assert_eq!(ended, Ok(()), "{out}");
        assert!(out.contains("15 calls, 15 established"), "{out}");
    }
}
