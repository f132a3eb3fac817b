//! How Ramal's windows look: theme, type, icons, and the widgets that both windows use.
//!
//! Colours come from [`Tokens`], distances from [`space`], texts from [`text`], signs from
//! [`Icon`]. A screen that takes them from here has enough contrast in both schemes, can be used
//! without a mouse, and grows with the text size that a person chose.
//!
//! ```no_run
//! # struct App { odd: bool }
//! # #[derive(Clone)] enum Message { CallPressed }
//! # impl App {
//! #     fn new() -> Self { Self { odd: false } }
//! #     fn update(&mut self, _: Message) { self.odd = !self.odd; }
//! fn view(&self) -> look::Element<'_, Message> {
//!     let call = look::button::primary((look::Icon::Call, "Call")).on_press(Message::CallPressed);
//!     look::frame(look::tip(call, "Calls bob", Some("Enter")))
//! }
//! # }
//! # fn main() -> iced::Result {
//! iced::application(App::new, App::update, App::view)
//!     .settings(look::settings("ramal-example"))
//!     .theme(|_: &App| look::theme(look::Scheme::Dark, iced::theme::Mode::None))
//!     .style(|app: &App, theme| look::repaint(app.odd, theme))
//!     .scale_factor(|_| look::TextSize::Large.factor())
//!     .run()
//! # }
//! ```

pub mod button;
pub mod desktop;
pub mod display;
pub mod focus;
#[cfg(feature = "frames")]
pub mod frames;
pub mod language;
pub mod nav;
pub mod space;
pub mod text;

mod avatar;
mod banner;
mod choice;
mod cut;
mod dialog;
mod empty;
mod field;
mod font;
mod icon;
mod meter;
mod plot;
mod press;
mod repaint;
mod rows;
mod slider;
mod surface;
mod switch;
mod theme;
mod tip;
mod window;

pub use avatar::{avatar, initials};
pub use banner::{Kind, alert, badge, banner, dot};
pub use choice::{choice, segments};
pub use cut::cut;
pub use dialog::{Dialog, dialog, dialogs};
pub use empty::empty;
pub use field::{field, input, wrong};
pub use focus::{frame, scroll_by_keys};
pub use font::{BOLD, REGULAR, fonts, settings};
pub use icon::{Icon, icon};
pub use language::Language;
pub use meter::{FLOOR, meter};
pub use plot::{Plot, plot};
pub use press::{Press, Status, Style};
pub use repaint::repaint;
pub use rows::{Rows, rows};
pub use slider::slider;
pub use surface::{card, scroll, separator, surface};
pub use switch::{switch, switched};
pub use text::TextSize;
pub use theme::{Scheme, Tokens, theme};
pub use tip::tip;
pub use window::window_icon;

/// An element of a window of Ramal.
pub type Element<'a, Message> = iced::Element<'a, Message>;
