//! `ramal-phone identity`: what makes somebody themselves, shown, carried elsewhere, changed.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Subcommand;
use codec::{Name, UnixMillis};
use registry::cli;
use serde_json::json;
use softphone::{
    engine::unix_now,
    settings::{
        self, EXPORT_BYTES_MAX, ExportError, Folder, Passphrase, Profile, ProfileError, Secrets,
        change::{self, ChangeError, Changed, Way},
        folder_of, has_identity, seal, unseal,
    },
};
use zeroize::Zeroizing;

use crate::{General, name, recovery, show::Show, typed};

/// What can be done with an identity.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows name, fingerprint and where the keys are
    Show,
    /// Writes the identity into FILE, under a passphrase, for another machine or as a backup
    Export {
        /// Where to; it must not be there yet. `-` is standard output
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Reads the passphrase from the first line of standard input
        #[arg(long)]
        passphrase_stdin: bool,
    },
    /// Reads an exported identity, as its own name or as --name
    Import {
        /// Where from
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Puts it in the place of an identity that is there, of which a backup is kept
        #[arg(long)]
        replace: bool,
        /// Reads the passphrase from the first line of standard input
        #[arg(long)]
        passphrase_stdin: bool,
    },
    /// Makes a new identity, gives it the name, and shows its recovery code
    Rotate,
    /// Gets the name back by its recovery code, for a new identity on this machine
    ///
    /// The twelve words are read from standard input.
    Recover,
    /// Gives the name up
    ///
    /// For 72 hours only this identity or the recovery code gets it back, then anybody does.
    Release {
        /// Does not ask whether that is meant
        #[arg(long)]
        yes: bool,
    },
}

/// Does it.
///
/// # Errors
/// Why it cannot be done, with the next step.
pub fn run(command: Command, general: &General, show: &Show) -> Result<ExitCode, String> {
    let config = general.folder()?;
    let access = general.access(&config);
    let way = Way {
        host: &general.registry,
        access: &access,
        met: &|host, key| show.registry_met(host, key),
    };
    match command {
        Command::Show => {
            let name = name(general.name.as_deref(), &config)?;
            self::show(&config, &name, show)?;
        }
        Command::Export {
            file,
            passphrase_stdin,
        } => {
            let name = name(general.name.as_deref(), &config)?;
            export(&config, &name, &file, passphrase_stdin, show)?;
        }
        Command::Import {
            file,
            replace,
            passphrase_stdin,
        } => {
            let given = general.name.as_deref();
            let given = given.map(|given| name(Some(given), &config)).transpose()?;
            import(&config, given, &file, replace, passphrase_stdin, show)?;
        }
        Command::Rotate => {
            let profile = profile(&config, general)?;
            let rotated = until_interrupted(change::rotate(&profile, way, unix_now()));
            let Some(changed) = cli::block_on(rotated) else {
                return Ok(interrupted(show));
            };
            let changed = changed.map_err(in_words)?;
            tell_changed(profile.disk.folder(), &changed, show)?;
        }
        Command::Recover => {
            let name = name(general.name.as_deref(), &config)?;
            let folder = Folder::take(&config, name).map_err(|error| error.to_string())?;
            let found_out = cli::block_on(change::find_out(&folder, way, unix_now()));
            let found_out = found_out.map_err(in_words)?;
            let changed = match found_out {
                Some(changed) => changed,
                None => {
                    let code = typed::recovery_code(folder.name())?;
                    let recovered = change::recover(&folder, way, unix_now(), code);
                    match cli::block_on(until_interrupted(recovered)) {
                        Some(changed) => changed.map_err(in_words)?,
                        None => return Ok(interrupted(show)),
                    }
                }
            };
            settings::set_last_name(&config, folder.name()).map_err(|error| error.to_string())?;
            tell_changed(&folder, &changed, show)?;
        }
        Command::Release { yes } => {
            let profile = profile(&config, general)?;
            let (name, host) = (profile.me.name.clone(), &general.registry);
            if !yes {
                typed::confirm(&format!("give {name} up at {host}"))?;
            }
            cli::block_on(change::release(&profile, way)).map_err(in_words)?;
            show.answer(
                &json!({"event": "released", "name": name.as_str(), "registry": host.to_string()}),
                &[format!(
                    "{name} is given up at {host}: for 72 hours only this identity or its recovery \
                     code gets it back, then it is anybody's"
                )],
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn in_words(error: ChangeError) -> String {
    error.to_string()
}

/// What comes of something, unless the person ends it before by Ctrl-C.
async fn until_interrupted<T>(something: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        // It is listened to before anything is asked.
        biased;
        Ok(()) = tokio::signal::ctrl_c() => None,
        done = something => Some(done),
    }
}

/// The person ended a change of key while the registry was asked.
fn interrupted(show: &Show) -> ExitCode {
    show.note(
        "interrupted; whether the registry has changed the key is not known: do the same again to \
         find out",
    );
    ExitCode::from(130)
}

/// The profile of a name that has one, kept from other programs.
fn profile(config: &Path, general: &General) -> Result<Profile, String> {
    let name = name(general.name.as_deref(), config)?;
    open(config, &name).map_err(|error| error.to_string())
}

fn open(config: &Path, name: &Name) -> Result<Profile, ProfileError> {
    if !has_identity(config, name) {
        let folder = folder_of(config, name);
        return Err(ProfileError::NoIdentity(name.clone(), folder));
    }
    Profile::of(Folder::take(config, name.clone())?, unix_now())
}

/// The secrets of a name, which may be in use by a phone that runs.
fn secrets(config: &Path, name: &Name) -> Result<Secrets, String> {
    let read = || settings::read(config, name).map_err(|error| error.to_string());
    if let Some(secrets) = read()? {
        return Ok(secrets);
    }
    // One of an older format is rewritten first.
    let opened = open(config, name).map_err(|error| error.to_string())?;
    drop(opened);
    read()?.ok_or_else(|| "the identity was removed just now; try again".to_owned())
}

fn show(config: &Path, name: &Name, show: &Show) -> Result<(), String> {
    let secrets = secrets(config, name)?;
    let (key, folder) = (secrets.identity.key(), folder_of(config, name));
    let mut names = settings::names(config);
    names.retain(|other| *other != name.folded());
    let mut lines = vec![
        format!("name         {name}"),
        format!("fingerprint  {}", key.fingerprint()),
        format!("since        {}", date(secrets.since)),
        format!("keys in      {}", folder.display()),
    ];
    if !names.is_empty() {
        lines.push(format!("also here    {}", names.join(", ")));
    }
    show.answer(
        &json!({
            "event": "identity",
            "name": name.as_str(),
            "fingerprint": key.fingerprint(),
            "identity": key.to_string(),
            "since": secrets.since,
            "folder": folder.to_string_lossy(),
            "also_here": names,
        }),
        &lines,
    );
    Ok(())
}

fn export(config: &Path, name: &Name, file: &Path, stdin: bool, show: &Show) -> Result<(), String> {
    let secrets = secrets(config, name)?;
    if file.exists() {
        return Err(there_already(file));
    }
    let passphrase = new_passphrase(stdin)?;
    let text = seal(&secrets, name, &passphrase).map_err(|error| error.to_string())?;
    if file == Path::new("-") {
        let mut out = io::stdout();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        return written.map_err(|error| format!("cannot write: {error}"));
    }
    let mut options = OpenOptions::new();
    let written = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut out| {
            out.write_all(text.as_bytes())?;
            out.sync_all()
        });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => there_already(file),
        _ => format!("cannot write {}: {error}", file.display()),
    })?;
    show.answer(
        &json!({"event": "exported", "name": name.as_str(), "file": file.to_string_lossy()}),
        &[
            format!("{name}'s identity is in {}", file.display()),
            "on the other machine: ramal-phone identity import FILE".to_owned(),
        ],
    );
    Ok(())
}

fn there_already(file: &Path) -> String {
    format!("{} is there already; choose another name", file.display())
}

fn import(
    config: &Path,
    given: Option<Name>,
    file: &Path,
    replace: bool,
    stdin: bool,
    show: &Show,
) -> Result<(), String> {
    let mut text = String::new();
    let limit = EXPORT_BYTES_MAX as u64 + 1;
    let read = File::open(file).and_then(|from| from.take(limit).read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(format!("{}: {}", file.display(), ExportError::NotAnExport));
        }
        Err(error) => return Err(format!("cannot read {}: {error}", file.display())),
        Ok(_) => {}
    }
    let passphrase = Passphrase::new(typed::passphrase(stdin, "Passphrase: ")?);
    let unsealed = unseal(&text, &passphrase);
    let (exported, secrets) = unsealed.map_err(|error| format!("{}: {error}", file.display()))?;
    let name = given.unwrap_or(exported);
    let folder = Folder::take(config, name.clone()).map_err(|error| error.to_string())?;
    if !replace && has_identity(config, &name) {
        return Err(ProfileError::Exists(name, folder.path().to_owned()).to_string());
    }
    let backup = folder.replace(&secrets);
    let backup = backup.map_err(|error| error.to_string())?;
    settings::set_last_name(config, &name).map_err(|error| error.to_string())?;
    let fingerprint = secrets.identity.key().fingerprint();
    let mut lines = vec![
        format!("{name}'s identity is here now: {fingerprint}"),
        "its recovery code is the one of before".to_owned(),
    ];
    lines.extend(backup.as_deref().map(kept));
    show.answer(
        &json!({
            "event": "imported",
            "name": name.as_str(),
            "fingerprint": fingerprint,
            "backup": backup.map(|backup| backup.to_string_lossy().into_owned()),
        }),
        &lines,
    );
    Ok(())
}

fn kept(backup: &Path) -> String {
    format!("the one that was here is kept in {}", backup.display())
}

/// Asked for twice where a person types it.
fn new_passphrase(stdin: bool) -> Result<Passphrase, String> {
    let long_enough = |typed: Zeroizing<String>| {
        let passphrase = Passphrase::new(typed);
        match passphrase.is_long_enough() {
            true => Ok(passphrase),
            false => Err(ExportError::TooShort.to_string()),
        }
    };
    let first = long_enough(typed::passphrase(stdin, "New passphrase: ")?)?;
    if !stdin && first != Passphrase::new(typed::passphrase(false, "Once more: ")?) {
        return Err("the two passphrases are not the same; try again".to_owned());
    }
    Ok(first)
}

/// What a person has to know of their new identity.
fn tell_changed(folder: &Folder, changed: &Changed, show: &Show) -> Result<(), String> {
    let (name, key) = (folder.name(), changed.identity);
    let mut lines = vec![
        format!("{name} has a new identity: {}", key.fingerprint()),
        "whoever knew the old one is warned: compare the four words with them in the next call"
            .to_owned(),
    ];
    lines.extend(changed.backup.as_deref().map(kept));
    show.answer(
        &json!({
            "event": "identity_replaced",
            "name": name.as_str(),
            "fingerprint": key.fingerprint(),
            "identity": key.to_string(),
            "backup": changed.backup.as_ref().map(|backup| backup.to_string_lossy()),
        }),
        &lines,
    );
    let unshown = folder.unshown(changed.recovery);
    match unshown.map_err(|error| error.to_string())? {
        Some(unshown) => recovery::show(show, unshown),
        None => Ok(()),
    }
}

/// A day, as `2026-11-21`, by UTC.
pub fn date(time: UnixMillis) -> String {
    const DAY_MS: u64 = 24 * 3600 * 1000;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    // Years are counted from a first of March, so that the day that may be missing is the last;
    // 719,468 days lie between that of the year 0 and 1970.
    let days = time / DAY_MS + 719_468;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carried) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + carried)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        // `date -u -d 2028-02-29 +%s` and its like.
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_709_251_199, "2024-02-29"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(seconds * 1000), day);
        }
    }
}
