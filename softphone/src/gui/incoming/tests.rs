//! A call that comes in as a person sees and takes it.

use std::time::Instant;

use super::*;
use crate::{
    call::{Direction, Hold},
    gui::fixture::{World, call, check, languages, name, shown},
    media::silence::Heard,
    settings::preferences::Language,
};

pub(in crate::gui) fn seen(number: u8, who: &str, stage: Stage) -> SeenCall {
    SeenCall {
        call: call(number),
        host: None,
        name: name(who),
        direction: Direction::Incoming,
        stage,
        since: Instant::now(),
        levels: None,
        figures: None,
        path: None,
        input_lost: false,
        output_lost: false,
        heard: Heard::Sound,
        unspoken: false,
        words: None,
        verified: false,
        standing: None,
    }
}

fn rings(confirmed: bool, standing: Standing) -> Stage {
    Stage::RingsHere {
        confirmed,
        standing,
    }
}

fn commands(action: Action<Message>) -> Vec<String> {
    match action {
        Action::Tell(command) => vec![format!("{command:?}")],
        Action::All(actions) => actions.into_iter().flat_map(commands).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn nothing_lies_over_the_window_while_nobody_calls() {
    let world = World::new(Language::English);
    assert!(Incoming::default().dialog(&world.cx()).is_none());
}

#[test]
fn a_call_is_taken_and_declined_by_click() {
    let mut world = World::new(Language::English);
    let rings = rings(true, Standing::Verified);
    world.board.calls.push(seen(1, "bob", rings));
    let mut incoming = Incoming::default();
    let cx = world.cx();
    let (answer, decline) = {
        let mut ui = shown(over(incoming.dialog(&cx)));
        ui.find("bob").expect("who it is");
        let at = ui_centre(&mut ui, "Answer");
        ui.point_at(at);
        let _ = ui.simulate(iced_test::simulator::click());
        let at = ui_centre(&mut ui, "Decline");
        ui.point_at(at);
        let _ = ui.simulate(iced_test::simulator::click());
        let messages: Vec<_> = ui.into_messages().collect();
        assert_eq!(messages.len(), 2, "{messages:?}");
        (messages[0].clone(), messages[1].clone())
    };
    let taken = commands(incoming.update(answer));
    assert!(taken[0].contains("Answer"), "{taken:?}");
    let declined = commands(incoming.update(decline));
    assert!(declined[0].contains("Hangup"), "{declined:?}");
}

/// What there is, over an empty window.
fn over(dialog: Option<Dialog<'_, Message>>) -> Element<'_, Message> {
    look::dialog(gap(), Some(dialog.expect("something lies there")))
}

/// The middle of the round button over a word.
fn ui_centre<M: Clone>(ui: &mut iced_test::Simulator<'_, M>, word: &str) -> iced::Point {
    let word = ui.find(word).expect("the word under it");
    let bounds = word.visible_bounds().expect("visible");
    iced::Point::new(bounds.center_x(), bounds.y - 8.0 - 28.0)
}

#[test]
fn a_notification_says_who_calls_only_if_the_person_wants_that() {
    let mut world = World::new(Language::English);
    let stranger = rings(false, Standing::Stranger);
    world.board.calls.push(seen(1, "zed", stranger));
    let cx = world.cx();
    let open = notice(&world.board.calls[0], false, &cx);
    assert_eq!(open.title, "zed is calling");
    assert!(open.body.contains("does not confirm"), "{open:?}");
    let hidden = notice(&world.board.calls[0], true, &cx);
    assert!(
        !hidden.title.contains("zed") && hidden.body.is_empty(),
        "{hidden:?}"
    );
}

#[test]
fn screens_look_as_they_did() {
    for (tag, language) in languages() {
        let mut world = World::new(language);
        let mut incoming = Incoming::default();
        world.board.calls = vec![seen(1, "bob", rings(true, Standing::Verified))];
        check("incoming", tag, || over(incoming.dialog(&world.cx())));
        let held = Stage::Up {
            hold: Hold::No,
            reconnecting: false,
        };
        world.board.calls = vec![
            seen(2, "carlos.eduardo", held),
            seen(1, "zed", rings(false, Standing::Stranger)),
            seen(3, "erik", rings(true, Standing::Known)),
        ];
        check("incoming-waiting", tag, || {
            over(incoming.dialog(&world.cx()))
        });
        world.board.calls.clear();
        let changed = engine::Event::Phone(Event::IdentityChanged { name: name("bob") });
        incoming.hear(&changed);
        check("incoming-changed", tag, || {
            over(incoming.dialog(&world.cx()))
        });
    }
}
