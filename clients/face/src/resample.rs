//! Square views of a picture for the nets: turned, scaled and moved, without aliasing.

use image::RgbImage;
use zeroize::Zeroizing;

/// Pixels of a square view, planar: all red, then all green, then all blue; 0 to 255.
pub(crate) struct View {
    pub size: usize,
    pub planes: Zeroizing<Vec<f32>>,
}

/// A map from view to picture coordinates that turns, scales and moves.
///
/// As complex numbers, `picture = turn · view + shift`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Similarity {
    pub turn: Point,
    pub shift: Point,
}

/// A point in pixels; (0, 0) is the upper left corner of the first pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub x: f32,
    pub y: f32,
}

impl Similarity {
    /// Scales by `scale` and puts the view's origin at `shift`.
    pub fn upright(scale: f32, shift: Point) -> Self {
        Self {
            turn: Point { x: scale, y: 0.0 },
            shift,
        }
    }

    /// The map that takes `view` points nearest to `picture` points (least squares).
    ///
    /// Both lists have the same length; `view` must not be a single repeated point.
    pub fn fit(view: &[Point], picture: &[Point]) -> Self {
        let (view_mean, picture_mean) = (mean(view), mean(picture));
        let (mut real, mut imaginary, mut norm) = (0.0, 0.0, 0.0);
        for (v, p) in view.iter().zip(picture) {
            let (vx, vy) = (v.x - view_mean.x, v.y - view_mean.y);
            let (px, py) = (p.x - picture_mean.x, p.y - picture_mean.y);
            real += vx * px + vy * py;
            imaginary += vx * py - vy * px;
            norm += vx * vx + vy * vy;
        }
        let turn = Point {
            x: real / norm,
            y: imaginary / norm,
        };
        let shift = Point {
            x: picture_mean.x - (turn.x * view_mean.x - turn.y * view_mean.y),
            y: picture_mean.y - (turn.y * view_mean.x + turn.x * view_mean.y),
        };
        Self { turn, shift }
    }

    /// Where a point of the view lies in the picture.
    pub fn apply(&self, view: Point) -> Point {
        Point {
            x: self.turn.x * view.x - self.turn.y * view.y + self.shift.x,
            y: self.turn.y * view.x + self.turn.x * view.y + self.shift.y,
        }
    }

    /// Picture pixels per view pixel.
    pub fn scale(&self) -> f32 {
        self.turn.x.hypot(self.turn.y)
    }
}

/// The centre of some points.
pub(crate) fn mean(points: &[Point]) -> Point {
    #[expect(clippy::cast_precision_loss, reason = "a handful of points")]
    let count = points.len() as f32;
    Point {
        x: points.iter().map(|p| p.x).sum::<f32>() / count,
        y: points.iter().map(|p| p.y).sum::<f32>() / count,
    }
}

/// Samples a square view of `size` pixels a side; outside the picture it is black.
///
/// Each view pixel averages a grid of bilinear samples no further apart than picture pixels (up
/// to 8 × 8), so that shrinking does not alias.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "picture sides fit f32's 24 bits and the grid is clamped to 1..=8"
)]
pub(crate) fn view(picture: &RgbImage, map: &Similarity, size: usize) -> View {
    let grid = map.scale().ceil().clamp(1.0, 8.0) as usize;
    let step = 1.0 / grid as f32;
    let weight = step * step;
    let mut planes = Zeroizing::new(vec![0.0; 3 * size * size]);
    for y in 0..size {
        for x in 0..size {
            let mut sum = [0.0; 3];
            for sub in 0..grid * grid {
                let at = map.apply(Point {
                    x: x as f32 + ((sub % grid) as f32 + 0.5) * step,
                    y: y as f32 + ((sub / grid) as f32 + 0.5) * step,
                });
                add_bilinear(picture, at, &mut sum);
            }
            for (channel, value) in sum.iter().enumerate() {
                planes[(channel * size + y) * size + x] = value * weight;
            }
        }
    }
    View { size, planes }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "coordinates are clamped to the picture, whose sides fit f32's 24 bits"
)]
fn add_bilinear(picture: &RgbImage, at: Point, sum: &mut [f32; 3]) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let inside = at.x >= 0.0 && at.y >= 0.0 && at.x < width as f32 && at.y < height as f32;
    if !inside {
        return;
    }
    let x = (at.x - 0.5).clamp(0.0, (width - 1) as f32);
    let y = (at.y - 0.5).clamp(0.0, (height - 1) as f32);
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let pixels = picture.as_raw();
    for (row, wy) in [(top, 1.0 - fy), (bottom, fy)] {
        for (column, wx) in [(left, 1.0 - fx), (right, fx)] {
            let pixel = &pixels[3 * (row * width + column)..][..3];
            for (total, &value) in sum.iter_mut().zip(pixel) {
                *total += wx * wy * f32::from(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn near(a: Point, b: Point) -> bool {
        (a.x - b.x).abs() < 1e-3 && (a.y - b.y).abs() < 1e-3
    }

    #[test]
    fn fit_finds_the_map_that_made_the_points() {
        let map = Similarity {
            turn: Point { x: 1.6, y: -0.7 },
            shift: Point { x: 31.0, y: -4.5 },
        };
        let view =
            [(3.0, 5.0), (140.0, 20.0), (75.0, 130.0), (10.0, 99.0)].map(|(x, y)| Point { x, y });
        let fitted = Similarity::fit(&view, &view.map(|point| map.apply(point)));
        assert!(near(fitted.turn, map.turn) && near(fitted.shift, map.shift));
    }

    #[test]
    fn an_identity_view_is_the_picture_and_black_around_it() {
        let picture = RgbImage::from_fn(4, 3, |x, y| {
            Rgb([u8::try_from(10 * x + y).unwrap_or(0), 7, 9])
        });
        let identity = Similarity::upright(1.0, Point { x: 0.0, y: 0.0 });
        let view = view(&picture, &identity, 5);
        for y in 0..5_u32 {
            for x in 0..5_u32 {
                let expected = if x < 4 && y < 3 {
                    f32::from(picture[(x, y)][0])
                } else {
                    0.0
                };
                let found = view.planes[(5 * y + x) as usize];
                assert!((found - expected).abs() < 1e-3, "{x},{y}: {found}");
            }
        }
    }

    #[test]
    fn shrinking_averages_instead_of_skipping() {
        let stripes = RgbImage::from_fn(64, 64, |x, _| Rgb([if x % 2 == 0 { 0 } else { 200 }; 3]));
        let map = Similarity::upright(8.0, Point { x: 0.0, y: 0.0 });
        let view = view(&stripes, &map, 8);
        assert!(view.planes.iter().all(|value| (value - 100.0).abs() < 15.0));
    }
}
