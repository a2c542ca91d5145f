//! A face drawn by arithmetic, which the nets take for a real one: no person's picture is needed.

use image::{Rgb, RgbImage};

/// Where and how large a face is drawn.
#[derive(Clone, Copy)]
pub struct Pose {
    /// The middle of the face, in pixels.
    pub centre: (f32, f32),
    /// Half the face's height, in pixels.
    pub size: f32,
    /// Clockwise, in radians.
    pub tilt: f32,
}

/// Draws faces on a grey wall.
pub fn draw(width: u32, height: u32, faces: &[Pose]) -> RgbImage {
    const WALL: [f32; 3] = [150.0, 160.0, 170.0];
    RgbImage::from_fn(width, height, |x, y| {
        let colour = faces
            .iter()
            .find_map(|face| face.colour(x as f32, y as f32));
        Rgb(colour
            .unwrap_or(WALL)
            .map(|value| value.clamp(0.0, 255.0) as u8))
    })
}

impl Pose {
    /// The colour of a pixel, if the head covers it.
    fn colour(&self, x: f32, y: f32) -> Option<[f32; 3]> {
        const HAIR: [f32; 3] = [60.0, 40.0, 30.0];
        let (x, y) = (x - self.centre.0, y - self.centre.1);
        let (sin, cos) = self.tilt.sin_cos();
        // Right and down in the head's own direction, in half face heights.
        let u = (cos * x + sin * y) / self.size;
        let v = (cos * y - sin * x) / self.size;

        let oval = ellipse(u, v, [0.0, 0.0, 0.75, 1.0]);
        let hair = ellipse(u, v, [0.0, -0.25, 0.85, 0.95]);
        if oval > 1.0 && (hair > 1.0 || v > 0.1) {
            return None;
        }
        if oval > 1.0 || v < 0.15 * u * u - 0.62 {
            return Some(HAIR);
        }
        let light = 1.0 - 0.35 * oval - 0.1 * u;
        let base = [235.0, 185.0, 155.0].map(|value| value * light);
        Some(FEATURES.iter().fold(base, |colour, feature| {
            let sides = if feature.paired {
                [1.0, -1.0].iter()
            } else {
                [1.0].iter()
            };
            sides.fold(colour, |colour, side| feature.paint(colour, side * u, v))
        }))
    }
}

/// A soft ellipse on the face: centre and radii, colour, opacity; on both sides if paired.
struct Feature {
    shape: [f32; 4],
    colour: [f32; 3],
    opacity: f32,
    paired: bool,
}

impl Feature {
    fn paint(&self, under: [f32; 3], u: f32, v: f32) -> [f32; 3] {
        let cover = self.opacity * (1.5 - ellipse(u, v, self.shape)).clamp(0.0, 1.0);
        let mut colour = under;
        for (value, own) in colour.iter_mut().zip(self.colour) {
            *value += (own - *value) * cover;
        }
        colour
    }
}

const fn feature(shape: [f32; 4], colour: [f32; 3], opacity: f32, paired: bool) -> Feature {
    Feature {
        shape,
        colour,
        opacity,
        paired,
    }
}

const FEATURES: [Feature; 10] = [
    // Eye socket, brow, white, iris, lid.
    feature([0.3, -0.18, 0.22, 0.13], [120.0, 85.0, 70.0], 0.5, true),
    feature([0.31, -0.36, 0.2, 0.035], [70.0, 45.0, 35.0], 1.0, true),
    feature([0.3, -0.17, 0.13, 0.055], [240.0, 238.0, 235.0], 1.0, true),
    feature([0.3, -0.17, 0.055, 0.055], [50.0, 35.0, 25.0], 1.0, true),
    feature([0.3, -0.215, 0.13, 0.018], [60.0, 40.0, 35.0], 1.0, true),
    // Nostril, bridge, tip.
    feature([0.08, 0.2, 0.04, 0.025], [110.0, 70.0, 60.0], 0.8, true),
    feature([0.1, 0.02, 0.04, 0.2], [150.0, 110.0, 90.0], 0.4, false),
    feature([0.0, 0.23, 0.14, 0.03], [130.0, 90.0, 75.0], 0.5, false),
    // Lips, mouth.
    feature([0.0, 0.5, 0.25, 0.075], [180.0, 90.0, 85.0], 1.0, false),
    feature([0.0, 0.49, 0.23, 0.015], [110.0, 45.0, 45.0], 1.0, false),
];

/// Below 1 inside the ellipse, above outside.
fn ellipse(u: f32, v: f32, [centre_u, centre_v, radius_u, radius_v]: [f32; 4]) -> f32 {
    ((u - centre_u) / radius_u).powi(2) + ((v - centre_v) / radius_v).powi(2)
}
