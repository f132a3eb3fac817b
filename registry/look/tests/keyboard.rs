//! Everything is within reach of the keyboard, and a list builds only what is seen.

use std::cell::Cell;

use iced::advanced::widget::operation::focusable::{self, Count};
use iced::advanced::widget::operation::{Operation, Outcome};
use iced::keyboard::{self, key::Named};
use iced::mouse::{Event as Mouse, ScrollDelta};
use iced::widget::{column, text};
use iced_test::Simulator;
use iced_test::selector::Candidate;
use iced_test::simulator::{click, press_key, tap_key};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Message {
    First,
    Second,
    Switched(bool),
    Chosen(u8),
    Moved(u8),
    Selected(usize),
    Meant(usize),
    Closed,
}

use Message::{Chosen, Closed, First, Meant, Moved, Second, Selected, Switched};

fn shown<'a>(element: impl Into<look::Element<'a, Message>>) -> Simulator<'a, Message> {
    Simulator::with_size(look::settings("test"), (400.0, 300.0), element)
}

fn shift_tab() -> iced::Event {
    let mut event = press_key(Named::Tab, None);
    if let iced::Event::Keyboard(keyboard::Event::KeyPressed { modifiers, .. }) = &mut event {
        *modifiers = keyboard::Modifiers::SHIFT;
    }
    event
}

fn said<'a>(simulator: Simulator<'a, Message>) -> Vec<Message> {
    simulator.into_messages().collect()
}

fn buttons<'a>() -> look::Element<'a, Message> {
    look::frame(column![
        look::button::primary("first").on_press(First),
        look::button::secondary("disabled"),
        look::button::quiet("second").on_press(Second),
    ])
}

#[test]
fn tab_goes_round_what_can_be_pressed_and_enter_and_space_press_it() {
    let mut simulator = shown(buttons());
    for key in [
        Named::Tab,
        Named::Enter,
        Named::Tab,
        Named::Space,
        Named::Tab,
        Named::Enter,
    ] {
        simulator.tap_key(key);
    }
    assert_eq!(said(simulator), [First, Second, First]);
}

#[test]
fn shift_tab_goes_round_the_other_way() {
    let mut simulator = shown(buttons());
    simulator.simulate([shift_tab()]);
    simulator.tap_key(Named::Enter);
    simulator.simulate([shift_tab()]);
    simulator.tap_key(Named::Enter);
    assert_eq!(said(simulator), [Second, First]);
}

#[test]
fn what_iced_offers_for_the_focus_reaches_buttons() {
    let mut buttons = buttons();
    let mut tree = iced::advanced::widget::Tree::new(&buttons);
    let mut count = |operation: &mut dyn Operation<Count>| {
        let limits = iced::advanced::layout::Limits::new(iced::Size::ZERO, (400.0, 300.0).into());
        let renderer = iced::Renderer::new(look::REGULAR, 14.into());
        let widget = buttons.as_widget_mut();
        let node = widget.layout(&mut tree, &renderer, &limits);
        let layout = iced::advanced::Layout::new(&node);
        operation.traverse(&mut |operation| {
            let mut operation = iced::advanced::widget::operation::black_box(operation);
            widget.operate(&mut tree, layout, &renderer, &mut operation);
        });
        operation.finish()
    };
    let mut all = focusable::count();
    let Outcome::Some(counted) = count(&mut all) else {
        panic!("a count");
    };
    assert_eq!((counted.total, counted.focused), (2, None));
}

#[test]
fn keys_do_nothing_where_nothing_has_the_focus() {
    let mut simulator = shown(buttons());
    simulator.tap_key(Named::Enter);
    simulator.tap_key(Named::Space);
    assert_eq!(said(simulator), []);
}

#[test]
fn the_mouse_takes_the_focus_away() {
    let mut simulator = shown(buttons());
    simulator.tap_key(Named::Tab);
    simulator.click("second").expect("a button");
    simulator.tap_key(Named::Enter);
    assert_eq!(said(simulator), [Second]);
}

#[test]
fn a_key_held_down_presses_once() {
    let mut simulator = shown(buttons());
    simulator.tap_key(Named::Tab);
    let mut again = press_key(Named::Space, None);
    if let iced::Event::Keyboard(keyboard::Event::KeyPressed { repeat, .. }) = &mut again {
        *repeat = true;
    }
    simulator.simulate([press_key(Named::Space, None), again.clone(), again]);
    assert_eq!(said(simulator), [First]);
}

#[test]
fn switches_choices_segments_and_sliders_answer_keys() {
    let mut simulator = shown(look::frame(column![
        look::switch("switch", false, Some(Switched)),
        look::choice(vec![1, 2, 3], Some(2), "", Chosen),
        look::segments([(7, "seven"), (8, "eight")], &7, Chosen),
        look::slider(0..=100, 98, 5, Moved),
    ]));
    let keys = [
        vec![Named::Space],
        vec![Named::ArrowDown, Named::ArrowUp, Named::Home, Named::End],
        vec![Named::Enter],
        vec![Named::Enter],
        vec![Named::ArrowRight, Named::ArrowLeft, Named::Home],
    ];
    for keys in keys {
        simulator.tap_key(Named::Tab);
        for key in keys {
            simulator.tap_key(key);
        }
    }
    let by_choice = [Chosen(3), Chosen(1), Chosen(1), Chosen(3)];
    let by_slider = [Moved(100), Moved(93), Moved(0)];
    let expected = [Switched(true)].into_iter().chain(by_choice);
    let expected: Vec<_> = expected
        .chain([Chosen(7), Chosen(8)])
        .chain(by_slider)
        .collect();
    assert_eq!(said(simulator), expected);
}

#[test]
fn tab_leads_into_a_text_field_and_out_of_it() {
    let typed = look::input("name", "").on_input(|text| Selected(text.len()));
    let mut simulator = shown(look::frame(column![
        typed,
        look::button::primary("first").on_press(First),
    ]));
    simulator.tap_key(Named::Tab);
    simulator.typewrite("a ");
    simulator.tap_key(Named::Tab);
    simulator.tap_key(Named::Enter);
    assert_eq!(said(simulator), [Selected(1), Selected(2), First]);
}

#[test]
fn a_dialog_keeps_keys_and_clicks_from_the_window_below() {
    let below = column![look::button::primary("below").on_press(First)];
    let answer = look::button::primary("answer").on_press(Second).into();
    let open = look::Dialog::new("A question", text("?"), [answer]).on_close(Closed);
    let mut simulator = shown(look::dialog(below, Some(open)));
    assert!(simulator.find("below").is_err(), "below is out of reach");
    simulator.point_at((20.0, 20.0));
    simulator.simulate(click());
    for key in [Named::Tab, Named::Tab, Named::Enter, Named::Escape] {
        simulator.tap_key(key);
    }
    assert_eq!(said(simulator), [Second, Closed]);
}

#[test]
fn enter_gives_the_main_answer_of_a_dialog_unless_another_has_the_focus() {
    let open = || {
        let answer = look::button::secondary("cancel").on_press(First).into();
        let open = look::Dialog::new("A question", text("?"), [answer]);
        look::dialog(text("below"), Some(open.on_submit(Second)))
    };
    let mut simulator = shown(open());
    simulator.tap_key(Named::Enter);
    assert_eq!(said(simulator), [Second]);
    let mut simulator = shown(open());
    simulator.tap_key(Named::Tab);
    simulator.tap_key(Named::Enter);
    assert_eq!(said(simulator), [First]);
}

#[test]
fn a_dialog_opens_with_the_focus_on_the_answer_that_does_no_harm() {
    let answers = || {
        [
            look::button::secondary("cancel").on_press(First).into(),
            look::button::danger("do it").on_press(Second).into(),
        ]
    };
    let switch = || look::switch("always", false, Some(Switched));
    let open = look::Dialog::new("Do it?", switch(), answers());
    let mut simulator = shown(look::dialog(text("below"), Some(open)));
    simulator.tap_key(Named::Enter);
    assert_eq!(said(simulator), [First]);
    let typed = |_| Second;
    let field = iced::widget::text_input("", "").on_input(typed);
    let open = look::Dialog::new("Whom?", column![switch(), field], answers());
    let mut simulator = shown(look::dialog(text("below"), Some(open)));
    simulator.typewrite("x");
    simulator.tap_key(Named::Tab);
    simulator.tap_key(Named::Enter);
    assert_eq!(
        said(simulator),
        [Second, First],
        "a field, then the answers"
    );
}

#[test]
fn of_several_dialogs_only_the_topmost_hears_keys_and_none_while_it_is_deaf() {
    let dialogs = |is_deaf| {
        let first = look::button::primary("first").on_press(First);
        let below = look::Dialog::new("below", text("?"), [first.into()]).on_close(Closed);
        let second = look::button::primary("second").on_press(Second);
        let above = look::Dialog::card(second).on_submit(Meant(7)).deaf(is_deaf);
        let base = look::button::primary("base").on_press(Meant(0));
        look::dialogs(base, [Some(below), None, Some(above)])
    };
    let keys = [
        Named::Escape,
        Named::Enter,
        Named::Tab,
        Named::Tab,
        Named::Space,
    ];
    let mut simulator = shown(dialogs(false));
    for key in keys {
        simulator.tap_key(key);
    }
    assert_eq!(said(simulator), [Meant(7), Second]);
    let mut simulator = shown(dialogs(true));
    for key in keys {
        simulator.tap_key(key);
    }
    simulator.click("second").expect("the mouse is heard");
    assert_eq!(said(simulator), [Second]);
}

#[test]
fn the_focus_is_scrolled_into_view() {
    let many = (0..40).map(|number| {
        let label = format!("button {number}");
        look::button::quiet(label).on_press(Selected(number)).into()
    });
    let mut simulator = shown(look::frame(look::scroll(
        iced::widget::Column::with_children(many),
    )));
    simulator.simulate([shift_tab()]);
    simulator.point_at((30.0, 270.0));
    simulator.simulate(click());
    assert_eq!(
        said(simulator),
        [Selected(39)],
        "the last button is at the lower end"
    );
}

fn list<'a>(built: &'a Cell<usize>, selected: Option<usize>) -> look::Element<'a, Message> {
    let rows = look::rows(100_000, 30.0, move |number| {
        built.set(built.get() + 1);
        text(format!("row {number}")).into()
    });
    rows.selected(selected, Selected).on_press(Meant).into()
}

#[test]
fn a_list_of_100_000_builds_only_the_rows_in_view() {
    let built = Cell::new(0);
    let mut simulator = shown(list(&built, None));
    assert!(
        built.take() <= 11,
        "300 pixels of rows of 30, and one cut in two"
    );
    assert!(simulator.find("row 9").is_ok());
    simulator.point_at((100.0, 100.0));
    let delta = ScrollDelta::Pixels {
        x: 0.0,
        y: -1_000_015.0,
    };
    simulator.simulate([iced::Event::Mouse(Mouse::WheelScrolled { delta })]);
    assert!(built.get() <= 22, "{} rows were built", built.get());
    assert!(simulator.find("row 33340").is_ok());
    assert!(simulator.find("row 9").is_err());
}

#[test]
fn the_arrow_keys_select_and_enter_means_the_selected_row() {
    let built = Cell::new(0);
    let mut simulator = shown(look::frame(list(&built, Some(50_000))));
    assert!(
        simulator.find("row 50000").is_ok(),
        "what is selected is in view"
    );
    simulator.tap_key(Named::Tab);
    for key in [
        Named::ArrowDown,
        Named::ArrowUp,
        Named::PageDown,
        Named::PageUp,
        Named::Home,
        Named::End,
        Named::Enter,
    ] {
        simulator.tap_key(key);
    }
    let expected = [50_001, 49_999, 50_009, 49_991, 0, 99_999].map(Selected);
    assert_eq!(said(simulator), [&expected[..], &[Meant(50_000)]].concat());
}

#[test]
fn a_click_selects_and_a_double_click_means_a_row() {
    let built = Cell::new(0);
    let mut simulator = shown(list(&built, None));
    simulator.point_at((100.0, 75.0));
    simulator.simulate(click());
    simulator.simulate(click());
    assert_eq!(said(simulator), [Selected(2), Meant(2)]);
}

#[test]
fn a_click_gives_a_list_the_keys_and_tab_leads_on_from_there() {
    let built = Cell::new(0);
    let mut simulator = shown(look::frame(column![
        list(&built, Some(1)),
        look::button::primary("first").on_press(First),
    ]));
    simulator.point_at((100.0, 45.0));
    simulator.simulate(click());
    for key in [Named::ArrowDown, Named::Tab, Named::ArrowDown, Named::Enter] {
        simulator.tap_key(key);
    }
    assert_eq!(said(simulator), [Selected(1), Selected(2), First]);
}

#[test]
fn a_list_without_an_end_to_its_room_does_not_build_all_rows() {
    let built = Cell::new(0);
    let _ = shown(look::scroll(list(&built, None)));
    assert!(built.get() < 50, "{} rows were built", built.get());
}

#[test]
fn only_the_selected_row_has_its_buttons_in_the_tab_order() {
    let rows = look::rows(5, 50.0, |number| {
        look::button::quiet(format!("call {number}"))
            .on_press(Meant(number))
            .into()
    });
    let mut simulator = shown(look::frame(rows.selected(Some(3), Selected)));
    assert!(
        simulator.find("call 4").is_ok(),
        "all rows are there all the same"
    );
    for key in [
        Named::Tab,
        Named::Tab,
        Named::Enter,
        Named::Tab,
        Named::ArrowDown,
    ] {
        simulator.simulate(tap_key(key, None));
    }
    assert_eq!(said(simulator), [Meant(3), Selected(4)]);
}

#[test]
fn text_that_is_longer_than_its_place_is_scrolled_by_keys_and_other_text_is_passed_by() {
    let long = |lines: usize| {
        let said = look::text::body("line\n".repeat(lines));
        let place = look::scroll_by_keys(look::scroll(said).height(100));
        let button = look::button::secondary("after").on_press(First);
        look::frame(column![place, button])
    };
    let offset = |simulator: &mut Simulator<'_, Message>| {
        let found = simulator.find(|candidate: Candidate<'_>| match candidate {
            Candidate::Scrollable { translation, .. } => Some(translation.y),
            _ => None,
        });
        found.expect("something that scrolls")
    };
    let mut simulator = shown(long(50));
    simulator.tap_key(Named::Tab);
    simulator.tap_key(Named::ArrowDown);
    let line = offset(&mut simulator);
    assert!(line > 10.0, "{line}");
    simulator.tap_key(Named::PageDown);
    assert!(offset(&mut simulator) > line + 50.0);
    simulator.tap_key(Named::Home);
    assert_eq!(offset(&mut simulator), 0.0);
    simulator.tap_key(Named::End);
    assert!(offset(&mut simulator) > 500.0);
    simulator.tap_key(Named::Enter);
    assert_eq!(said(simulator), []);
    let mut simulator = shown(long(1));
    simulator.tap_key(Named::Tab);
    simulator.tap_key(Named::Enter);
    assert_eq!(said(simulator), [First]);
}
