//! The 68 points of a face, in the order of the iBUG 300-W annotation.

use image::RgbImage;

use crate::{
    Error,
    detector::FaceBox,
    net::LoadedNet,
    resample::{Point, Similarity, view},
};

/// Side of the landmark net's view, in pixels.
const SIDE: usize = 112;

/// Finds the landmarks of the face in a box, in pixels of the picture.
#[expect(clippy::cast_precision_loss, reason = "the side is small")]
pub(crate) fn locate(
    net: &LoadedNet,
    picture: &RgbImage,
    face: &FaceBox,
) -> Result<Vec<Point>, Error> {
    let side = face.width.max(face.height);
    let map = Similarity::upright(
        side / SIDE as f32,
        Point {
            x: face.centre.x - side / 2.0,
            y: face.centre.y - side / 2.0,
        },
    );
    let output = net.run(&view(picture, &map, SIDE))?;
    Ok(output
        .chunks_exact(2)
        .map(|point| {
            map.apply(Point {
                x: point[0] * SIDE as f32,
                y: point[1] * SIDE as f32,
            })
        })
        .collect())
}
