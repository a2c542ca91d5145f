//! The aligned chip that the recognition net reads.

use crate::resample::{Point, Similarity};

/// Side of the chip, in pixels.
pub(crate) const CHIP: usize = 150;
/// Room on each side of the mean face, as a part of the face's side.
const PADDING: f32 = 0.25;
/// The landmarks that the alignment uses: nose, eyes and upper part of the mouth. Brows, jaw and
/// lower lip move with expression.
const USED: [std::ops::Range<usize>; 2] = [27..55, 60..65];
/// The mean face over dlib's training set (`image_transforms/interpolation.h`, Boost licence),
/// for the landmarks above; the net's own training chips were cut by it.
const MEAN_FACE: [(f32, f32); 33] = [
    (0.490_127, 0.203_352),
    (0.490_127, 0.307_009),
    (0.490_127, 0.409_805),
    (0.490_127, 0.515_625),
    (0.36688, 0.587_326),
    (0.426_036, 0.609_345),
    (0.490_127, 0.628_106),
    (0.554_217, 0.609_345),
    (0.613_373, 0.587_326),
    (0.121_737, 0.216_423),
    (0.187_122, 0.178_758),
    (0.265_825, 0.179_852),
    (0.334_606, 0.231_733),
    (0.260_918, 0.245_099),
    (0.182_743, 0.244_077),
    (0.645_647, 0.231_733),
    (0.714_428, 0.179_852),
    (0.793_132, 0.178_758),
    (0.858_516, 0.216_423),
    (0.79751, 0.244_077),
    (0.719_335, 0.245_099),
    (0.254_149, 0.780_233),
    (0.340_985, 0.745_405),
    (0.428_858, 0.727_388),
    (0.490_127, 0.742_578),
    (0.551_395, 0.727_388),
    (0.639_268, 0.745_405),
    (0.726_104, 0.780_233),
    (0.290_379, 0.784_792),
    (0.428_096, 0.778_746),
    (0.490_127, 0.785_343),
    (0.552_157, 0.778_746),
    (0.689_874, 0.784_792),
];

/// Where the chip lies in the picture: turned, scaled and moved so that the landmarks come
/// nearest to the mean face.
#[expect(clippy::cast_precision_loss, reason = "the side is small")]
pub(crate) fn chip(landmarks: &[Point]) -> Similarity {
    let used: Vec<Point> = USED.into_iter().flatten().map(|i| landmarks[i]).collect();
    let place = |at: f32| (PADDING + at) / (2.0 * PADDING + 1.0) * CHIP as f32;
    let mean_face = MEAN_FACE.map(|(x, y)| Point {
        x: place(x),
        y: place(y),
    });
    Similarity::fit(&mean_face, &used)
}
