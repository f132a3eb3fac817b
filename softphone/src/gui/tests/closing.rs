//! Closing the window, with and without an icon in the tray.

use super::*;

#[test]
fn closing_the_window_asks_once_and_remembers_the_answer() {
    for (tag, language) in LANGUAGES {
        let config = config(language);
        let mut app = signed_in(&config, Place::Settings);
        let pressed = settings::Message::TabPressed(settings::Tab::About);
        let _ = app.update(Message::Settings(pressed));
        app.ask_to_close();
        check(&format!("close-no-tray-{tag}"), WINDOW, || app.screen());
        app.phone.as_mut().unwrap().outside.in_tray = true;
        check(&format!("close-{tag}"), WINDOW, || app.screen());
    }
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::People);
    app.phone.as_mut().unwrap().outside.in_tray = true;
    app.ask_to_close();
    click(&mut app, "Don’t ask again");
    click(&mut app, "Keep running");
    assert_eq!(app.world.preferences.on_close, preferences::OnClose::Ring);
    assert!(app.phone.is_some() && app.window.is_none());
}

#[test]
fn a_phone_without_an_icon_in_the_tray_does_not_vanish_with_its_window_unasked() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::People);
    app.world.preferences.on_close = preferences::OnClose::Ring;
    app.ask_to_close();
    assert!(app.window.is_some() && app.closing.is_some());
    let how = "This desktop shows no icon for it. To see Ramal again, start it again.";
    assert!(sees(&app, how) && !sees(&app, "Don’t ask again"));
    click(&mut app, "Keep running");
    assert!(app.window.is_none() && app.phone.is_some());
    assert_eq!(app.world.focused, None, "a missed call is told outside");
}
