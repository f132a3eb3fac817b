//! The recovery code, shown to its owner once they own the name.

use codec::{Name, fold};
use serde_json::json;
use softphone::settings::{self, Unshown};
use std::{
    io::{self, IsTerminal},
    path::PathBuf,
};

use crate::{
    escape::{printable, printable_json},
    outlet::Weight,
    show::Show,
};

/// How many words stand on one line: three lines of four are copied without losing the place.
const WORDS_A_LINE: usize = 4;

/// What is done once a registry has granted the name.
#[derive(Debug, Default)]
pub struct Grant {
    /// Shown then: before that it is worth nothing.
    pub recovery: Option<Unshown>,
    /// The folder that remembers the name used last, and the name: one that was refused is not the
    /// one that a person goes by.
    pub last: Option<(PathBuf, Name)>,
}

impl Grant {
    /// Does it, once.
    pub fn come(&mut self, show: &Show) {
        let shown = self
            .recovery
            .take()
            .map(|unshown| self::show(show, unshown));
        let last = self.last.take();
        let kept = last.map(|(config, name)| settings::set_last_name(&config, &name));
        let kept = kept.map(|kept| kept.map_err(|error| error.to_string()));
        for done in [shown, kept].into_iter().flatten() {
            if let Err(why) = done {
                show.note(&why);
            }
        }
    }
}

/// Shows a code: on a terminal as a block, after which nothing keeps it. To a script it is an
/// event. Where what is written may become a log, only the file is named. In these two cases the
/// file stays until its owner removes it, and every start says where it is.
///
/// # Errors
/// That the file could not be removed.
pub fn show(show: &Show, unshown: Unshown) -> Result<(), String> {
    let (name, words) = (&unshown.name, unshown.code.words());
    let path = unshown.path().display().to_string();
    if show.json {
        let event = json!({
            "event": "recovery_code",
            "name": name.as_str(),
            "words": words.as_str(),
            "file": path,
        });
        let event = event.to_string();
        show.out
            .line(printable_json(&event).into_owned(), Weight::Kept);
    } else if io::stdout().is_terminal() {
        for line in block(name.as_str(), &words) {
            show.out.line(printable(&line).into_owned(), Weight::Kept);
        }
        show.flush();
        return unshown.forget().map_err(|error| error.to_string());
    } else {
        show.note(&format!(
            "{name}'s recovery code is in {path}: copy it on paper and remove the file"
        ));
    }
    Ok(())
}

/// The lines that a person reads.
fn block(name: &str, words: &str) -> Vec<String> {
    let words: Vec<&str> = words.split(' ').collect();
    let mut lines = vec![
        String::new(),
        format!("The recovery code of {name}, shown this once. Write it on paper:"),
        String::new(),
    ];
    for (row, four) in words.chunks(WORDS_A_LINE).enumerate() {
        let number = |at: usize| row * WORDS_A_LINE + at + 1;
        let numbered = four.iter().enumerate();
        let cells = numbered.map(|(at, word)| format!("{:>4} {word:<9}", number(at)));
        lines.push(cells.collect::<String>().trim_end().to_owned());
    }
    lines.extend([
        String::new(),
        format!(
            "It gives {name} back to you when this machine is lost or somebody takes the name:"
        ),
        format!("    ramal-phone --name {} identity recover", fold(name)),
        String::new(),
    ]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_words_stand_in_three_numbered_lines_under_each_other() {
        let words = "able above absorb abstract absurd abuse access accident account acid act zoo";
        let lines = block("bob", words);
        let rows = &lines[3..6];
        assert_eq!(
            rows[0],
            "   1 able        2 above       3 absorb      4 abstract"
        );
        assert_eq!(
            rows[2],
            "   9 account    10 acid       11 act        12 zoo"
        );
        assert!(
            lines.iter().all(|line| line.chars().count() <= 80),
            "{lines:?}"
        );
    }
}
