//! Whether a face is in focus.

use crate::resample::View;

/// Variance of the Laplacian of the grey view (Pech-Pacheco et al., ICPR 2000), in squared grey
/// levels: edges raise it, blur removes them.
#[expect(clippy::cast_precision_loss, reason = "views are small")]
pub(crate) fn sharpness(view: &View) -> f32 {
    let size = view.size;
    let [red, green, blue] = [0, 1, 2].map(|channel| &view.planes[channel * size * size..]);
    // ITU-R BT.601 luma.
    let grey = |x: usize, y: usize| {
        let at = y * size + x;
        0.299 * red[at] + 0.587 * green[at] + 0.114 * blue[at]
    };
    let (mut sum, mut squares) = (0.0_f64, 0.0_f64);
    for y in 1..size - 1 {
        for x in 1..size - 1 {
            let around = grey(x - 1, y) + grey(x + 1, y) + grey(x, y - 1) + grey(x, y + 1);
            let laplacian = f64::from(around - 4.0 * grey(x, y));
            sum += laplacian;
            squares += laplacian * laplacian;
        }
    }
    let count = ((size - 2) * (size - 2)) as f64;
    let mean = sum / count;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a measure with a few digits"
    )]
    let variance = (squares / count - mean * mean) as f32;
    variance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(size: usize, value: impl Fn(usize, usize) -> f32) -> View {
        let plane = (0..size * size).map(|at| value(at % size, at / size));
        let planes: Vec<f32> = plane.clone().chain(plane.clone()).chain(plane).collect();
        View {
            size,
            planes: planes.into(),
        }
    }

    #[test]
    fn flat_and_sloping_pictures_have_none() {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let slope = grey(20, |x, y| (3 * x + 5 * y) as f32);
        assert!(sharpness(&slope).abs() < 1e-3);
        assert!(sharpness(&grey(20, |_, _| 99.0)).abs() < 1e-3);
    }

    #[test]
    fn a_checkerboard_has_the_variance_that_can_be_worked_out() {
        // Each Laplacian is 4 · (±100), so the variance is 400².
        let board = grey(20, |x, y| if (x + y) % 2 == 0 { 0.0 } else { 100.0 });
        assert!((sharpness(&board) - 160_000.0).abs() < 1.0);
    }
}
