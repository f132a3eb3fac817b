//! The sign of a window in the bar of windows, where there is no `.desktop` file that has it.

use iced::window::{Icon, icon};

/// How wide and high the picture is, in pixels.
const SIZE: u32 = 64;

/// The icon of a window: 64 x 64 pixels of red, green, blue and how opaque, a byte each, which
/// is what `assets/*-64.rgba` of both programs are. None where there are not so many bytes.
#[must_use]
pub fn window_icon(pixels: &[u8]) -> Option<Icon> {
    icon::from_rgba(pixels.to_vec(), SIZE, SIZE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_programs_have_an_icon() {
        let softphone = include_bytes!("../../../softphone/assets/ramal-softphone-64.rgba");
        let registry = include_bytes!("../../assets/ramal-registry-gui-64.rgba");
        assert!(window_icon(softphone).is_some() && window_icon(registry).is_some());
        assert!(window_icon(&softphone[1..]).is_none());
    }
}
