//! Where the faces are: the boxes of the tiny `YOLOv2` detector.

use image::RgbImage;

use crate::{
    Error,
    net::LoadedNet,
    resample::{Point, Similarity, view},
};

/// Side of the detector's view, in pixels.
const SIDE: usize = 416;
/// The detector answers for 13 × 13 cells of its view.
const CELLS: usize = 13;
/// Width and height of the boxes that the net was trained to adjust, in cells.
const ANCHORS: [(f32, f32); 5] = [
    (1.603_231, 2.094_468),
    (6.041_143, 7.080_126),
    (2.882_459, 3.518_061),
    (4.266_906, 5.178_857),
    (9.041_765, 10.663_08),
];
/// Values a box: x, y, width, height, score.
const BOX_VALUES: usize = 5;
/// Scores (0 to 1) above this are faces.
const MIN_SCORE: f32 = 0.5;
/// Of two boxes that overlap more than this (intersection over union), the better one is kept.
const MAX_OVERLAP: f32 = 0.4;
/// How much of the view the picture fills, one try after the other: faces that fill the picture
/// are larger than the net knows and are found when the picture is shrunk.
const FILLS: [f32; 3] = [1.0, 0.6, 0.35];

/// A face's box in pixels of the picture; parts of it may lie outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FaceBox {
    pub centre: Point,
    pub width: f32,
    pub height: f32,
    pub score: f32,
}

/// Every face in the picture, best score first.
pub(crate) fn detect(net: &LoadedNet, picture: &RgbImage) -> Result<Vec<FaceBox>, Error> {
    for fill in FILLS {
        let map = letterbox(picture, fill);
        let output = net.run(&view(picture, &map, SIDE))?;
        let boxes = suppress(boxes(&output, &map));
        if !boxes.is_empty() {
            return Ok(boxes);
        }
    }
    Ok(Vec::new())
}

/// Fits the picture's longer side to a part of the view, in the upper left corner when it is all.
#[expect(
    clippy::cast_precision_loss,
    reason = "pictures' sides fit f32's 24 bits"
)]
fn letterbox(picture: &RgbImage, fill: f32) -> Similarity {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let scale = width.max(height) / (fill * SIDE as f32);
    let margin = -scale * SIDE as f32 * (1.0 - fill) / 2.0;
    Similarity::upright(
        scale,
        Point {
            x: margin,
            y: margin,
        },
    )
}

/// Reads the net's output, `[anchor × value][row][column]`.
#[expect(clippy::cast_precision_loss, reason = "cells are few")]
fn boxes(output: &[f32], map: &Similarity) -> Vec<FaceBox> {
    let cell = SIDE as f32 / CELLS as f32;
    let at = |anchor: usize, value: usize, row: usize, column: usize| {
        output[((anchor * BOX_VALUES + value) * CELLS + row) * CELLS + column]
    };
    let mut boxes = Vec::new();
    for (anchor, (anchor_width, anchor_height)) in ANCHORS.into_iter().enumerate() {
        for row in 0..CELLS {
            for column in 0..CELLS {
                let value = |index| at(anchor, index, row, column);
                let score = sigmoid(value(4));
                if score > MIN_SCORE {
                    boxes.push(FaceBox {
                        centre: map.apply(Point {
                            x: (column as f32 + sigmoid(value(0))) * cell,
                            y: (row as f32 + sigmoid(value(1))) * cell,
                        }),
                        width: value(2).exp() * anchor_width * cell * map.scale(),
                        height: value(3).exp() * anchor_height * cell * map.scale(),
                        score,
                    });
                }
            }
        }
    }
    boxes
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Keeps the best of boxes that show the same face.
fn suppress(mut boxes: Vec<FaceBox>) -> Vec<FaceBox> {
    boxes.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<FaceBox> = Vec::new();
    for candidate in boxes {
        if kept
            .iter()
            .all(|face| overlap(face, &candidate) <= MAX_OVERLAP)
        {
            kept.push(candidate);
        }
    }
    kept
}

/// Intersection over union of two boxes.
fn overlap(a: &FaceBox, b: &FaceBox) -> f32 {
    let shared = |centre_a: f32, size_a: f32, centre_b: f32, size_b: f32| {
        let end = (centre_a + size_a / 2.0).min(centre_b + size_b / 2.0);
        let start = (centre_a - size_a / 2.0).max(centre_b - size_b / 2.0);
        (end - start).max(0.0)
    };
    let intersection = shared(a.centre.x, a.width, b.centre.x, b.width)
        * shared(a.centre.y, a.height, b.centre.y, b.height);
    intersection / (a.width * a.height + b.width * b.height - intersection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, width: f32, score: f32) -> FaceBox {
        FaceBox {
            centre: Point { x, y: 50.0 },
            width,
            height: width,
            score,
        }
    }

    #[test]
    fn overlap_is_intersection_over_union() {
        let whole = face(50.0, 40.0, 0.9);
        assert!((overlap(&whole, &whole) - 1.0).abs() < 1e-6);
        assert!((overlap(&whole, &face(70.0, 40.0, 0.9)) - 1.0 / 3.0).abs() < 1e-6);
        assert!(overlap(&whole, &face(95.0, 40.0, 0.9)).abs() < 1e-6);
    }

    #[test]
    fn the_best_box_of_each_face_is_kept() {
        let (best, again, other) = (
            face(50.0, 40.0, 0.9),
            face(55.0, 42.0, 0.6),
            face(150.0, 40.0, 0.7),
        );
        assert_eq!(suppress(vec![again, other, best]), [best, other]);
    }

    #[test]
    fn a_cell_with_a_high_score_becomes_a_box_in_the_picture() {
        let mut output = vec![-9.0; ANCHORS.len() * BOX_VALUES * CELLS * CELLS];
        let (anchor, row, column) = (2, 4, 6);
        for (value, raw) in [0.0, 0.0, 0.0, 0.0, 9.0].into_iter().enumerate() {
            output[((anchor * BOX_VALUES + value) * CELLS + row) * CELLS + column] = raw;
        }
        let map = Similarity::upright(2.0, Point { x: 10.0, y: 0.0 });
        let [found] = boxes(&output, &map)[..] else {
            panic!("not one box");
        };
        // A cell has 32 view pixels, so 64 picture pixels; sigmoid(0) is its middle.
        assert!((found.centre.x - (10.0 + 6.5 * 64.0)).abs() < 1e-2);
        assert!((found.centre.y - 4.5 * 64.0).abs() < 1e-2);
        assert!((found.width - ANCHORS[anchor].0 * 64.0).abs() < 1e-2);
        assert!((found.height - ANCHORS[anchor].1 * 64.0).abs() < 1e-2);
    }
}
