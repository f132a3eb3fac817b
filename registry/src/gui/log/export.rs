//! The log in a file: where it is to go, how it is written, and what came of it.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use i18n_embed_fl::fl;
use iced::widget::{column, row};
use look::{Dialog, Element, Icon, Kind, button, space, text};

use super::{Line, Message, What, word};
use crate::gui::{
    Cx,
    times::{UTC, clock, day},
};

/// What came of writing the log into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// So many lines are in it.
    Done(PathBuf, usize),
    /// There is such a file already, which is left as it is.
    Exists(PathBuf),
    /// It could not be written.
    Failed(PathBuf, String),
}

/// Where a log goes of which a person typed this: a name alone is one in `data`, a folder gets a
/// file called `name`, and `~` is the user's own folder.
#[must_use]
pub fn place(typed: &str, data: &Path, name: &str) -> PathBuf {
    let typed = typed.trim();
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let path = match (typed.strip_prefix("~/"), home()) {
        (Some(below), Some(home)) => home.join(below),
        _ if typed == "~" => home().unwrap_or_else(|| data.to_owned()),
        _ => data.join(typed),
    };
    match path.is_dir() {
        true => path.join(name),
        false => path,
    }
}

/// Writes lines into a new file that nobody else may read: they say who calls whom.
#[must_use]
pub fn export(path: &Path, lines: &[Line]) -> Exported {
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let mut file = BufWriter::new(file);
        lines
            .iter()
            .try_for_each(|line| write_line(line, &mut file))?;
        file.into_inner()?.sync_all()
    };
    match write() {
        Ok(()) => Exported::Done(path.to_owned(), lines.len()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Exported::Exists(path.to_owned())
        }
        Err(error) => Exported::Failed(path.to_owned(), error.to_string()),
    }
}

/// A line as it is copied and written to files: date and time, UTC, and the rest.
pub(super) fn write_line(line: &Line, to: &mut impl Write) -> io::Result<()> {
    let (day, time) = (day(line.at, &UTC), clock(line.at, &UTC));
    write!(to, "{day}T{time}Z {}", word(line.what))?;
    if let Some(peer) = line.what.peer() {
        write!(to, " {peer}")?;
    }
    match line.what {
        What::Missing(lines) => writeln!(to, " {lines} lines"),
        _ => writeln!(to, " {}", line.text),
    }
}

/// Where the log is to go: `typed` so far, and how many lines it is.
pub(super) fn question<'a>(typed: &str, lines: usize, cx: &Cx<'a>) -> Dialog<'a, Message> {
    let field = look::input(&fl!(cx.texts, "export-file"), typed)
        .on_input(Message::FileTyped)
        .on_submit(Message::ExportConfirmed);
    let says = text::body(fl!(cx.texts, "export-follows", lines = lines));
    let content = column![
        says,
        look::field(fl!(cx.texts, "export-file"), field, None::<String>)
    ];
    let answers = [
        button::secondary(fl!(cx.texts, "cancel"))
            .on_press(Message::Dismissed)
            .into(),
        button::primary((Icon::Export, fl!(cx.texts, "export")))
            .on_press_maybe((!typed.trim().is_empty()).then_some(Message::ExportConfirmed))
            .into(),
    ];
    let title = fl!(cx.texts, "export-title");
    Dialog::new(title, content.spacing(space::M), answers).on_close(Message::Dismissed)
}

/// What came of it, and what can be done with the file.
pub(super) fn told<'a>(exported: &Exported, cx: &Cx<'a>) -> Element<'a, Message> {
    let read = button::quiet(Icon::Close).on_press(Message::ExportedRead);
    let read = look::tip(read, fl!(cx.texts, "dismiss"), Some("Esc"));
    let shown = |path: &Path| path.display().to_string();
    match exported {
        &Exported::Done(ref path, lines) => {
            let copy = button::quiet(Icon::Copy).on_press(Message::PathPressed(path.clone()));
            let show = button::quiet(fl!(cx.texts, "show-folder"))
                .on_press(Message::FolderPressed(path.clone()));
            let tools = row![
                look::tip(copy, fl!(cx.texts, "copy-path"), None),
                look::tip(show, fl!(cx.texts, "show-folder-tip"), None),
                read
            ];
            let text = fl!(cx.texts, "log-exported", lines = lines, path = shown(path));
            look::banner(Kind::Positive, text, Some(tools.into()))
        }
        Exported::Exists(path) => {
            let text = fl!(cx.texts, "log-exists", path = shown(path));
            look::banner(Kind::Warning, text, Some(read))
        }
        Exported::Failed(path, why) => {
            let why = why.as_str();
            let text = fl!(cx.texts, "log-not-exported", path = shown(path), why = why);
            look::banner(Kind::Danger, text, Some(read))
        }
    }
}
