//! The icon itself, drawn from a few shapes in whatever size the desktop wants.

use ksni::Icon;

use super::Shown;

type Rgb = [f32; 3];

const CALLING: Rgb = [0.15, 0.39, 0.92];
const SILENT: Rgb = [0.42, 0.45, 0.50];
const WHITE: Rgb = [1.0, 1.0, 1.0];
const MISSED: Rgb = [0.86, 0.15, 0.15];

/// A handset on a disc, grey while nobody may call, with a dot while calls were missed. `edge` is
/// its width and height in pixels.
pub(super) fn drawn(edge: u16, shown: &Shown) -> Icon {
    let mut data = Vec::with_capacity(usize::from(edge) * usize::from(edge) * 4);
    for y in 0..edge {
        for x in 0..edge {
            let place = |at: u16| (f32::from(at) + 0.5) / f32::from(edge) * 2.0 - 1.0;
            let pixel = pixel(place(x), place(y), f32::from(edge) / 2.0, shown);
            data.extend(pixel);
        }
    }
    let (width, height) = (i32::from(edge), i32::from(edge));
    Icon {
        width,
        height,
        data,
    }
}

/// One pixel as alpha, red, green and blue. The icon reaches from -1 to 1 both ways, and `scale`
/// is how many pixels one of these is.
fn pixel(x: f32, y: f32, scale: f32, shown: &Shown) -> [u8; 4] {
    let mut colour = CALLING;
    if shown.dnd {
        colour = SILENT;
    }
    let mut alpha = inside(x.hypot(y) - 0.94, scale);
    let handset = inside(handset(x, y), scale);
    colour = mixed(colour, WHITE, handset);
    if shown.missed > 0 {
        let away = (x - 0.58).hypot(y + 0.58);
        // A rim that lets through what is behind keeps the dot apart from the disc.
        alpha = alpha.min(1.0 - inside(away - 0.50, scale));
        let dot = inside(away - 0.38, scale);
        colour = mixed(colour, MISSED, dot);
        alpha = alpha.max(dot);
    }
    [alpha, colour[0], colour[1], colour[2]].map(byte)
}

/// How far a point is from a handset that leans to the right; negative inside of it.
fn handset(x: f32, y: f32) -> f32 {
    let turn = std::f32::consts::FRAC_PI_4;
    let (across, along) = (
        x * turn.cos() + y * turn.sin(),
        y * turn.cos() - x * turn.sin(),
    );
    // The grip is a part of a ring, and an ear and a mouth sit at its ends.
    let (centre, radius, span) = (-0.58_f32, 0.80_f32, 0.62_f32);
    let (px, py) = (across, along - centre);
    let angle = px.atan2(py).clamp(-span, span);
    let grip = (px - radius * angle.sin()).hypot(py - radius * angle.cos()) - 0.13;
    let end = |side: f32| {
        let (ex, ey) = (radius * (side * span).sin(), radius * (side * span).cos());
        (px - ex).hypot(py - ey + 0.06) - 0.21
    };
    grip.min(end(1.0)).min(end(-1.0))
}

/// 1 inside, 0 outside, and between on the pixels of the rim.
fn inside(distance: f32, scale: f32) -> f32 {
    (0.5 - distance * scale).clamp(0.0, 1.0)
}

fn mixed(under: Rgb, over: Rgb, share: f32) -> Rgb {
    [0, 1, 2].map(|part| under[part] + (over[part] - under[part]) * share)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits"
)]
fn byte(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_call_and_a_phone_that_takes_no_calls_can_be_seen() {
        let calm = Shown::default();
        let missed = Shown {
            missed: 1,
            ..Shown::default()
        };
        let dnd = Shown {
            dnd: true,
            ..Shown::default()
        };
        let icons = [calm, missed, dnd].map(|shown| drawn(22, &shown));
        for icon in &icons {
            assert_eq!(icon.data.len(), 22 * 22 * 4);
            assert_eq!(icon.data[0], 0, "nothing is in the corner");
        }
        assert_ne!(icons[0].data, icons[1].data);
        assert_ne!(icons[0].data, icons[2].data);
    }
}
