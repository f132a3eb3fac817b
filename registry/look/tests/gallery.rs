//! Pictures of every widget, in both schemes. Delete a hash in `tests/snapshots` to renew it;
//! `PICTURES=folder` writes the pictures there to look at.

use look::Scheme;

#[allow(dead_code, reason = "a program of its own as well")]
#[path = "../examples/gallery.rs"]
mod gallery;

use gallery::{Gallery, Message, Page};

fn at(page: Page, scheme: Scheme) -> Gallery {
    let mut gallery = Gallery::default();
    gallery.update(Message::PageChosen(page));
    gallery.update(Message::SchemeChosen(scheme));
    gallery
}

fn show(name: &str, gallery: &Gallery) {
    let size = (1000.0, 760.0);
    let mut simulator =
        iced_test::Simulator::with_size(look::settings("gallery"), size, gallery.view());
    let snapshot = simulator.snapshot(&gallery.theme()).expect("a picture");
    if let Some(folder) = std::env::var_os("PICTURES") {
        let path = std::path::Path::new(&folder).join(name);
        let _ = std::fs::remove_file(path.with_file_name(format!("{name}-tiny-skia.png")));
        snapshot.matches_image(path).expect("a written picture");
    }
    let hash = format!("{}/tests/snapshots/{name}", env!("CARGO_MANIFEST_DIR"));
    let is_same = snapshot.matches_hash(hash).expect("a readable hash");
    assert!(is_same, "{name} looks different");
}

#[test]
fn every_page_looks_as_it_did_in_both_schemes() {
    for (scheme, of) in [(Scheme::Light, "light"), (Scheme::Dark, "dark")] {
        for (page, name) in [
            (Page::Controls, "controls"),
            (Page::People, "people"),
            (Page::Call, "call"),
            (Page::Log, "log"),
        ] {
            let gallery = at(page, scheme);
            show(&format!("{name}-{of}"), &gallery);
        }
        let mut gallery = at(Page::People, scheme);
        gallery.update(Message::Asked);
        show(&format!("dialog-{of}"), &gallery);
    }
}
