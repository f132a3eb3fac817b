//! `ramal-registry admin`: asks a registry that runs on this machine.

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, SystemTime},
};

use codec::UnixMillis;
use registry::admin::{Answer, Ban, Command, Invite, Stats, User, socket_of};

use crate::options::{Admin, What};

/// How long the registry may take for a part of its answer.
const WITHIN: Duration = Duration::from_secs(30);

/// Asks, and prints the answer.
///
/// # Errors
/// Why it went wrong, and what to do.
pub fn run(options: &Admin) -> Result<(), String> {
    let data = options.data()?;
    let command = command(&options.what);
    let mut answers = ask(&data, &command)?;
    let mut out = io::stdout().lock();
    loop {
        let mut line = String::new();
        let read = answers.read_line(&mut line);
        if read.map_err(|error| format!("the registry did not answer: {error}"))? == 0 {
            return Err(
                "the registry closed the connection: it stops, or too many ask at once; try again"
                    .to_owned(),
            );
        }
        let answer = serde_json::from_str(&line)
            .map_err(|error| format!("the registry is of another version: {error}"))?;
        let written = match answer {
            Answer::Failed { why } => return Err(why),
            Answer::Done { said } => {
                if !said.is_empty() {
                    // Beside the lines, so that a script reads nothing but these.
                    let _ = writeln!(io::stderr(), "{said}");
                }
                return Ok(());
            }
            _ if options.json => out.write_all(inside(&line).as_bytes()),
            answer => out.write_all(shown(&answer).as_bytes()),
        };
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written.map_err(|error| format!("cannot write: {error}"))?,
        }
    }
}

fn command(what: &What) -> Command {
    match what.clone() {
        What::Users {
            filter,
            after,
            limit,
        } => Command::Users {
            prefix: filter,
            after,
            limit,
        },
        What::Release { name } => Command::Release { name },
        What::Ban { of } => Command::Ban { of },
        What::Unban { of } => Command::Unban { of },
        What::Bans => Command::Bans,
        What::Invite { codes, uses, days } => Command::Invite { codes, uses, days },
        What::Invites => Command::Invites,
        What::Stats => Command::Stats,
        What::Disconnect { of } => Command::Disconnect { of },
    }
}

fn ask(data: &Path, command: &Command) -> Result<BufReader<UnixStream>, String> {
    let path = socket_of(data);
    let mut stream = UnixStream::connect(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => format!(
            "no registry runs with the data folder {}: start it, or name its folder by --data \
             (one with --ephemeral cannot be asked)",
            data.display()
        ),
        ErrorKind::PermissionDenied => format!(
            "{}: permission denied: ask as the user who runs the registry (sudo -u USER)",
            path.display()
        ),
        _ => format!("cannot ask at {}: {error}", path.display()),
    })?;
    let mut line = serde_json::to_vec(command).map_err(|error| error.to_string())?;
    line.push(b'\n');
    let ask = || {
        stream.set_read_timeout(Some(WITHIN))?;
        stream.set_write_timeout(Some(WITHIN))?;
        stream.write_all(&line)
    };
    let asked: io::Result<()> = { ask }();
    asked.map_err(|error| format!("cannot ask at {}: {error}", path.display()))?;
    Ok(BufReader::new(stream))
}

/// What is in `{"user":...}` or its like.
fn inside(line: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    let inside = value.as_object().and_then(|object| object.values().next());
    inside.map_or_else(String::new, |inside| format!("{inside}\n"))
}

/// The same for people.
fn shown(answer: &Answer) -> String {
    match answer {
        Answer::User(user) => shown_user(user),
        Answer::Ban(ban) => shown_ban(ban),
        Answer::Invite(Invite {
            code,
            uses_left,
            expires_at,
        }) => {
            let names = if *uses_left == 1 { "name" } else { "names" };
            format!("{code}  {uses_left} {names}, until {}\n", date(*expires_at))
        }
        Answer::Stats(stats) => shown_stats(stats),
        Answer::Done { .. } | Answer::Failed { .. } => String::new(),
    }
}

fn shown_user(user: &User) -> String {
    let mut line = format!(
        "{:<24}  {}  since {}",
        user.name,
        user.fingerprint,
        date(user.claimed_at)
    );
    if user.banned {
        line += "  banned";
    }
    if let Some(at) = user.free_at {
        line += &format!("  given up, free from {}", date(at));
    }
    if user.devices.is_empty() {
        return line + &format!("  not registered, last used {}\n", ago(user.used_at));
    }
    line.push('\n');
    for device in &user.devices {
        let contacts: Vec<String> = device.contacts.iter().map(ToString::to_string).collect();
        let contacts = match contacts.is_empty() {
            true => "hidden".to_owned(),
            false => contacts.join(" "),
        };
        line += &format!(
            "    {contacts}  lease {} s  {}",
            device.lease_left_s, device.presence
        );
        match device.connection {
            Some(peer) => line += &format!("  connected from {peer}\n"),
            None => line += "  not connected\n",
        }
    }
    line
}

fn shown_ban(ban: &Ban) -> String {
    let since = date(ban.since);
    match (&ban.name, &ban.key, &ban.fingerprint) {
        (Some(name), ..) => format!("name {name}  since {since}\n"),
        (None, Some(key), Some(fingerprint)) => {
            format!("key {fingerprint}  since {since}  {key}\n")
        }
        _ => format!("since {since}\n"),
    }
}

fn shown_stats(stats: &Stats) -> String {
    let mut text = format!(
        "running     {} s\nconnections {} of {} identities\nnames       {} owned, {} registered\n",
        stats.uptime_s, stats.connections, stats.identities, stats.owned, stats.registered
    );
    text += &format!("\n{:<24}  {:>12}  {:>10}\n", "requests", "all", "a second");
    for requests in &stats.requests {
        let (all, per_s) = (requests.all, requests.per_s);
        text += &format!("{:<24}  {all:>12}  {per_s:>10.1}\n", requests.kind);
    }
    text += &format!("\n{:<24}  {:>12}\n", "counted", "times");
    for (word, times) in &stats.counted {
        text += &format!("{word:<24}  {times:>12}\n");
    }
    text
}

/// A day, UTC: `2026-11-21`.
fn date(at: UnixMillis) -> String {
    // Days since 0000-03-01 of the Gregorian calendar, in eras of 400 years (Hinnant, "chrono-
    // Compatible Low-Level Date Algorithms").
    let days = at / 86_400_000 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + 400 * era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// How long ago something was, to the hour or the day.
fn ago(at: UnixMillis) -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    match now.saturating_sub(at) / 3_600_000 {
        0 => "within the last hour".to_owned(),
        hours @ 1..48 => format!("{hours} h ago"),
        hours => format!("{} days ago", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        // date -u -d DAY +%s
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(seconds * 1000), day);
        }
    }

    #[test]
    fn a_line_for_scripts_is_what_was_told_and_no_more() {
        let told = r#"{"invite":{"code":"k3xq","uses_left":1,"expires_at":5}}"#;
        assert_eq!(
            inside(told),
            "{\"code\":\"k3xq\",\"expires_at\":5,\"uses_left\":1}\n"
        );
    }
}
