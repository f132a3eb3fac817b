//! What an operator wants to know at the start: what to give to others, and what to keep.

use super::{Facts, KeyIs, Options};
use crate::{
    event::{Event, Warning},
    server::Plain,
};

/// What to tell the log of a registry that is about to serve, in the order in which it is read.
pub(super) fn events(options: &Options, facts: &Facts) -> Vec<Event> {
    let warnings = warnings(options, facts).into_iter().map(Event::Warning);
    let notices = lines(facts).into_iter().map(Event::Notice);
    warnings.chain(notices).collect()
}

fn warnings(options: &Options, facts: &Facts) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if options.folder.is_none() {
        warnings.push(Warning::InMemory);
    }
    if options.plain == Plain::Any {
        warnings.push(Warning::PlainAnywhere);
    }
    if let (KeyIs::Another, Some(folder)) = (facts.key, &facts.folder) {
        warnings.push(Warning::AnotherKey(folder.clone()));
    }
    warnings
}

fn lines(facts: &Facts) -> Vec<String> {
    let mut lines = vec![reachable(facts)];
    match &facts.folder {
        Some(data) if facts.key == KeyIs::First => lines.push(format!(
            "this is its first start: it has made its key in {}; keep a copy of the folder, \
             phones know the registry by its key",
            data.display()
        )),
        Some(data) => lines.push(format!("what it keeps is in {}", data.display())),
        None => lines.push("it keeps nothing: the key is a new one at every start".to_owned()),
    }
    if let Some(data) = &facts.folder {
        lines.push(format!(
            "to see and manage its users: ramal-registry admin --data {} users",
            data.display()
        ));
    }
    lines
}

fn reachable(facts: &Facts) -> String {
    let shown: Vec<String> = facts.addresses.iter().map(ToString::to_string).collect();
    match facts.is_local() {
        true => format!("reachable from this machine only, at {}", shown.join(", ")),
        false => format!("phones reach it at {}", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(listening: &str, folder: Option<&str>, key: KeyIs) -> Facts {
        Facts {
            listening: listening.parse().unwrap(),
            addresses: vec![listening.parse().unwrap()],
            fingerprint: "abcd".to_owned(),
            key,
            folder: folder.map(Into::into),
        }
    }

    #[test]
    fn a_newcomer_is_told_what_to_give_to_others_and_what_to_keep() {
        let lines = lines(&facts(
            "192.0.2.7:5000",
            Some("/var/lib/ramal"),
            KeyIs::First,
        ));
        assert_eq!(lines[0], "phones reach it at 192.0.2.7:5000");
        assert!(lines[1].contains("first start") && lines[1].contains("/var/lib/ramal"));
        assert!(lines[2].ends_with("ramal-registry admin --data /var/lib/ramal users"));
    }

    #[test]
    fn only_a_first_start_is_called_one() {
        for key in [KeyIs::Kept, KeyIs::Another] {
            let facts = facts("192.0.2.7:5000", Some("/var/lib/ramal"), key);
            assert_eq!(lines(&facts)[1], "what it keeps is in /var/lib/ramal");
            let options = Options::new(facts.listening, facts.folder.clone());
            let warns = matches!(events(&options, &facts)[0], Event::Warning(_));
            assert_eq!(warns, key == KeyIs::Another);
        }
    }

    #[test]
    fn a_registry_on_loopback_says_that_others_do_not_reach_it() {
        let lines = lines(&facts("127.0.0.1:5000", None, KeyIs::First));
        assert_eq!(
            lines[0],
            "reachable from this machine only, at 127.0.0.1:5000"
        );
        assert!(lines[1].contains("keeps nothing"));
        assert_eq!(lines.len(), 2);
    }
}
