//! Distances between things, and the radii of their corners, in logical pixels.

/// Between an icon and its text.
pub const XS: f32 = 4.0;
/// Between things that belong together.
pub const S: f32 = 8.0;
/// Inside a row, a banner or a field.
pub const M: f32 = 12.0;
/// Between fields, and inside a card.
pub const L: f32 = 16.0;
/// Around the content of a screen.
pub const XL: f32 = 24.0;
/// Between the parts of a screen.
pub const XXL: f32 = 32.0;

/// The height of whatever is pressed or typed into.
pub const CONTROL: f32 = 36.0;
/// The corners of controls.
pub const RADIUS: f32 = 8.0;
/// The corners of cards and dialogs.
pub const RADIUS_LARGE: f32 = 12.0;
