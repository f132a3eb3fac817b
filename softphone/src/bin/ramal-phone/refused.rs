//! What a person does when the registry does not want their name.

use codec::{Name, registry::Refusal};

/// Whether waiting helps nothing: a phone that only waits to be called can end.
pub fn is_final(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::NameTaken
            | Refusal::LooksTaken
            | Refusal::TooManyNames
            | Refusal::ClaimsClosed
            | Refusal::NotInvited
            | Refusal::Banned
            | Refusal::KeyChanged
    )
}

/// What to do, behind the refusal's own words.
pub fn next_step(refusal: Refusal, name: &Name) -> String {
    let step = match refusal {
        Refusal::NameTaken => {
            return format!(
                "; choose another --name, or get it back if it is yours: ramal-phone --name {} \
                 identity recover",
                name.folded()
            );
        }
        Refusal::LooksTaken => "; choose another --name",
        Refusal::TooManyNames => " (ramal-phone --name OTHER identity release)",
        // Their own words say it.
        refusal if is_final(refusal) => "",
        _ => "; trying again",
    };
    step.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_refused_is_told_what_to_do_or_that_it_is_tried_again() {
        let bob = "Bob".parse().unwrap();
        for (refusal, steps) in [
            (
                Refusal::NameTaken,
                ["another --name", "--name bob identity recover"],
            ),
            (Refusal::LooksTaken, ["looks like", "--name"]),
            (Refusal::TooManyNames, ["release one", "identity release"]),
            (Refusal::ClaimsClosed, ["anybody new", "operator"]),
            (Refusal::NotInvited, ["operator", "--invite"]),
            (Refusal::Banned, ["operator", "ask them"]),
            (Refusal::KeyChanged, ["72 h", "identity recover"]),
            (Refusal::TooFast { retry_s: 7 }, ["in 7 s", "trying again"]),
            (Refusal::TooMany, ["later", "trying again"]),
        ] {
            let said = format!("{refusal}{}", next_step(refusal, &bob));
            assert!(steps.iter().all(|step| said.contains(step)), "{said}");
            assert_eq!(is_final(refusal), !said.contains("trying again"), "{said}");
        }
    }
}
