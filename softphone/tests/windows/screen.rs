//! A screen that nobody sees, with one window on it: what a person does with keyboard and mouse,
//! and what they would see.

use std::{
    fs::File,
    io::BufWriter,
    path::Path,
    process::{Child, Command, Stdio},
};

use x11rb::{
    connection::Connection,
    protocol::{
        xproto::{ConnectionExt as _, ImageFormat, InputFocus, MapState, Window},
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

use super::{eventually, first_line};

/// Events of X11's core protocol, by number.
const KEY_PRESS: u8 = 2;
const KEY_RELEASE: u8 = 3;
const BUTTON_PRESS: u8 = 4;
const BUTTON_RELEASE: u8 = 5;
const MOTION_NOTIFY: u8 = 6;

/// The number of the first mouse button.
const LEFT: u8 = 1;

/// A key that types nothing, by its keysym.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(u32);

impl Key {
    pub const ENTER: Self = Self(0xff0d);
    pub const CONTROL: Self = Self(0xffe3);
    const SHIFT: Self = Self(0xffe1);

    /// The one that types this.
    pub fn of(letter: char) -> Self {
        // Of Latin-1 the keysyms are the characters.
        assert!(letter.is_ascii_graphic() || letter == ' ', "{letter:?}");
        Self(letter.into())
    }
}

/// A screen of its own; it ends when this is dropped.
pub struct Screen {
    server: Child,
    /// What programs are told in `DISPLAY`.
    pub display: String,
    connection: RustConnection,
    root: Window,
    /// The keysyms of each key, without and with Shift, beginning with this keycode.
    keys: (u8, Vec<[u32; 2]>),
}

impl Screen {
    /// Starts one of so many pixels.
    pub fn start(width: u16, height: u16) -> Self {
        let size = format!("{width}x{height}x24");
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &size, "-dpi", "96"])
            .args(["-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb (see `make setup`)");
        let display = format!(":{}", first_line(&mut server));
        let (connection, screen) = x11rb::connect(Some(&display)).unwrap();
        let setup = connection.setup();
        let root = setup.roots[screen].root;
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let mapping = connection.get_keyboard_mapping(first, last - first + 1);
        let mapping = mapping.unwrap().reply().unwrap();
        let each = usize::from(mapping.keysyms_per_keycode);
        let keys = mapping.keysyms.chunks(each);
        let keys = keys.map(|of_key| [of_key[0], of_key[1]]).collect();
        Self {
            server,
            display,
            connection,
            root,
            keys: (first, keys),
        }
    }

    /// The window on it, once there is one; from then on it hears the keyboard, which nobody else
    /// gives it where there is no window manager.
    pub fn focus(&self) -> Window {
        let window = eventually("there is a window", || {
            let tree = self.connection.query_tree(self.root).unwrap().reply();
            tree.unwrap().children.into_iter().find(|&window| {
                let attributes = self.connection.get_window_attributes(window);
                let shown = attributes.unwrap().reply();
                let shown = shown.is_ok_and(|it| it.map_state == MapState::VIEWABLE);
                let geometry = self.connection.get_geometry(window).unwrap().reply();
                shown && geometry.is_ok_and(|it| it.width > 100)
            })
        });
        self.connection
            .set_input_focus(InputFocus::POINTER_ROOT, window, x11rb::CURRENT_TIME)
            .unwrap();
        self.connection.sync();
        window
    }

    /// Types a text.
    pub fn write(&self, text: &str) {
        text.chars().for_each(|letter| self.press(Key::of(letter)));
    }

    /// Presses a key and lets it go.
    pub fn press(&self, key: Key) {
        let (code, shifted) = self.code(key);
        if shifted {
            return self.press_with(Key::SHIFT, key);
        }
        self.fake(KEY_PRESS, code);
        self.fake(KEY_RELEASE, code);
    }

    /// The same while another key is down.
    pub fn press_with(&self, down: Key, key: Key) {
        let (held, code) = (self.code(down).0, self.code(key).0);
        self.fake(KEY_PRESS, held);
        self.fake(KEY_PRESS, code);
        self.fake(KEY_RELEASE, code);
        self.fake(KEY_RELEASE, held);
    }

    /// Moves the mouse out of the way: where it rests it explains what is under it.
    pub fn leave(&self) {
        self.move_to((0, 0));
    }

    fn move_to(&self, (x, y): (u16, u16)) {
        let at = |n: u16| i16::try_from(n).unwrap();
        let moved =
            self.connection
                .xtest_fake_input(MOTION_NOTIFY, 0, 0, self.root, at(x), at(y), 0);
        moved.unwrap().check().unwrap();
    }

    /// Clicks where that is.
    pub fn click(&self, at: (u16, u16)) {
        self.move_to(at);
        self.fake(BUTTON_PRESS, LEFT);
        self.fake(BUTTON_RELEASE, LEFT);
    }

    /// What there is to see.
    pub fn picture(&self) -> Picture {
        let geometry = self.connection.get_geometry(self.root).unwrap().reply();
        let geometry = geometry.unwrap();
        let (width, height) = (geometry.width, geometry.height);
        let image = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, width, height, !0)
            .unwrap()
            .reply()
            .unwrap();
        // At a depth of 24 a pixel is blue, green, red and nothing.
        let pixels = image.data.as_chunks().0.iter();
        let rgb = pixels.map(|&[blue, green, red, _]| [red, green, blue]);
        Picture {
            width,
            height,
            rgb: rgb.collect(),
        }
    }

    /// The keycode of a key, and whether Shift belongs to it.
    fn code(&self, key: Key) -> (u8, bool) {
        let (first, keys) = &self.keys;
        let plain = keys.iter().position(|of_key| of_key[0] == key.0);
        let shifted = || keys.iter().position(|of_key| of_key[1] == key.0);
        let (at, with_shift) = match plain {
            Some(at) => (at, false),
            None => (shifted().expect("a key that the screen has"), true),
        };
        (first + u8::try_from(at).unwrap(), with_shift)
    }

    fn fake(&self, event: u8, detail: u8) {
        let sent = self
            .connection
            .xtest_fake_input(event, detail, 0, self.root, 0, 0, 0);
        sent.unwrap().check().unwrap();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Waits until all that was asked for before has been done.
trait Sync {
    fn sync(&self);
}

impl Sync for RustConnection {
    fn sync(&self) {
        self.get_input_focus().unwrap().reply().unwrap();
    }
}

/// A colour: red, green, blue.
pub type Rgb = [u8; 3];

/// What was on a screen.
#[derive(PartialEq, Eq)]
pub struct Picture {
    pub width: u16,
    pub height: u16,
    rgb: Vec<Rgb>,
}

impl Picture {
    /// The middle of the first thing that has exactly this colour, if at least so many of its
    /// pixels hang together. What stands on it does not count.
    pub fn middle_of(&self, colour: Rgb, pixels: usize) -> Option<(u16, u16)> {
        let width = usize::from(self.width);
        let mut seen = vec![false; self.rgb.len()];
        for start in 0..self.rgb.len() {
            let mut next = vec![start];
            let (mut count, mut left, mut right, mut bottom) = (0, width, 0, 0);
            while let Some(at) = next.pop() {
                if seen[at] || self.rgb[at] != colour {
                    continue;
                }
                seen[at] = true;
                count += 1;
                let (x, y) = (at % width, at / width);
                (left, right, bottom) = (left.min(x), right.max(x), bottom.max(y));
                next.extend((x > 0).then(|| at - 1));
                next.extend((x + 1 < width).then_some(at + 1));
                next.extend(at.checked_sub(width));
                next.extend(Some(at + width).filter(|below| *below < self.rgb.len()));
            }
            if count >= pixels {
                let middle = ((left + right) / 2, (start / width + bottom) / 2);
                return Some((
                    u16::try_from(middle.0).unwrap(),
                    u16::try_from(middle.1).unwrap(),
                ));
            }
        }
        None
    }

    /// Writes it as a PNG.
    pub fn save(&self, path: &Path) {
        let file = BufWriter::new(File::create(path).unwrap());
        let mut encoder = png::Encoder::new(file, self.width.into(), self.height.into());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(self.rgb.as_flattened()).unwrap();
    }
}
