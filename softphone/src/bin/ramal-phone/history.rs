//! `ramal-phone history`: the calls that are over, also while the phone runs.

use std::{path::Path, process::ExitCode};

use clap::Subcommand;
use codec::Name;
use registry::cli;
use serde_json::{Value, json};
use softphone::{
    call::Direction,
    contacts::Standing,
    control::{Client, Request, clock},
    history::{History, Past},
    settings::{CallsFile, Folder, ProfileError, folder_of, has_identity},
};
use unicode_width::UnicodeWidthStr;

use crate::{General, identity::date, name, show::Show};

/// What can be done with the calls that are over.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists them, the newest first
    List,
    /// Forgets all of them
    Clear,
}

/// Does it; without a command it lists them.
///
/// # Errors
/// Why it cannot be done, with the next step.
pub fn run(command: Option<&Command>, general: &General, show: &Show) -> Result<ExitCode, String> {
    let config = general.folder()?;
    let name = name(general.name.as_deref(), &config)?;
    let folder = folder_of(&config, &name);
    if !has_identity(&config, &name) {
        return Err(ProfileError::NoIdentity(name, folder).to_string());
    }
    match command.unwrap_or(&Command::List) {
        Command::List => {
            let file = CallsFile::within(&folder);
            let history = file.read().map_err(|error| error.to_string())?;
            list(&history, &name, show);
        }
        Command::Clear => {
            clear(&config, &name)?;
            show.answer(
                &json!({"event": "history_cleared"}),
                &["all calls that are over are forgotten".to_owned()],
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Forgets them. A phone that runs does it itself, or it would write them again.
fn clear(config: &Path, name: &Name) -> Result<(), String> {
    let cleared = match Folder::take(config, name.clone()) {
        Ok(folder) => CallsFile::within(folder.path()).write(&History::default()),
        Err(ProfileError::InUse(_)) => {
            let asked = cli::block_on(async {
                let mut phone = Client::connect(config, name).await?;
                phone.ask(&Request::ClearHistory {}).await
            });
            return asked.map(|_| ()).map_err(|error| error.to_string());
        }
        Err(error) => Err(error),
    };
    cleared.map_err(|error| error.to_string())
}

fn list(history: &History, name: &Name, show: &Show) {
    if history.entries.is_empty() && !show.json {
        return show.say(&format!("{name} has had no calls yet"));
    }
    let width = |past: &Past| past.name.as_str().width();
    let widest = history.entries.iter().map(|past| width(past)).max();
    for past in &history.entries {
        let padding = " ".repeat(widest.unwrap_or(0).saturating_sub(width(past)));
        show.answer(&object(past), &[line(past, &padding)]);
    }
}

fn object(past: &Past) -> Value {
    let direction = match past.direction {
        Direction::Incoming => "incoming",
        Direction::Outgoing => "outgoing",
    };
    json!({
        "event": "past_call",
        "name": past.name.as_str(),
        "host": past.host.as_ref().map(ToString::to_string),
        "direction": direction,
        "at_ms": past.at,
        "duration_s": past.lasted.map(|lasted| (lasted.as_secs_f64() * 10.0).round() / 10.0),
        "reason": past.reason.word(),
        "missed": past.is_missed(),
        "seen": past.seen,
        "known": past.standing.is_known(),
        "verified": past.standing == Standing::Verified,
    })
}

/// `! 2026-11-21 10:53  from bob  missed`.
fn line(past: &Past, padding: &str) -> String {
    let mark = if past.seen { ' ' } else { '!' };
    let way = match past.direction {
        Direction::Incoming => "from",
        Direction::Outgoing => "to  ",
    };
    let minutes = past.at / 60_000 % 1440;
    let time = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let what = match past.lasted {
        Some(lasted) => clock(lasted),
        None if past.is_missed() => "missed".to_owned(),
        None => past.reason.word().replace('_', " "),
    };
    let at = past.host.as_ref().map(|host| format!("  at {host}"));
    let at = at.unwrap_or_default();
    let verified = match past.standing {
        Standing::Verified => "  verified",
        _ => "",
    };
    let day = date(past.at);
    format!(
        "{mark} {day} {time}Z  {way} {}{padding}  {what}{at}{verified}",
        past.name
    )
}
