//! The detection error trade-off curve on normal deviate axes (ISO/IEC 19795-1, annex on DET curves).

use std::fmt::Write as _;

use super::{rates::count_below, scores::Scores};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 560.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 64.0;
const FMR: (f64, f64) = (1e-5, 0.2);
const FNMR: (f64, f64) = (2e-4, 0.4);
const FMR_TICKS: [(f64, &str); 6] = [
    (1e-5, "10⁻⁵"),
    (1e-4, "10⁻⁴"),
    (1e-3, "10⁻³"),
    (1e-2, "1 %"),
    (0.05, "5 %"),
    (0.2, "20 %"),
];
const FNMR_TICKS: [(f64, &str); 8] = [
    (5e-4, "0.05 %"),
    (2e-3, "0.2 %"),
    (5e-3, "0.5 %"),
    (1e-2, "1 %"),
    (2e-2, "2 %"),
    (5e-2, "5 %"),
    (0.1, "10 %"),
    (0.3, "30 %"),
];
const STYLE: &str = "
  svg { background: #fff; color: #1b1f24; font: 14px system-ui, sans-serif; }
  text { fill: currentColor; } .grid { stroke: #d0d7de; } .frame { stroke: currentColor; fill: none; }
  path { fill: none; stroke-width: 2; } .floats { stroke: #57606a; stroke-dasharray: 6 4; }
  .codes { stroke: #1a7f64; } .tau { fill: #8250df; } .tau-text { fill: #8250df; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; color: #e6edf3; } .grid { stroke: #30363d; }
    .floats { stroke: #9da7b1; } .codes { stroke: #3fb997; } .tau, .tau-text { fill: #b794f6; }
  }";

/// A point of the curve.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// Scores below it match.
    pub below: f32,
    /// False match rate there.
    pub fmr: f64,
    /// False non-match rate there.
    pub fnmr: f64,
}

/// The curve at every distinct score of the range where either rate changes, thinned to at most a
/// few hundred points.
pub fn curve(scores: &Scores) -> Vec<Point> {
    let last = scores.impostor.len() - 1;
    let mut marks: Vec<f32> = scores
        .genuine
        .iter()
        .map(|pair| pair.score.next_up())
        .collect();
    // Ranks that grow by a constant factor show the small rates as finely as the large ones.
    let mut rank = 1.0;
    while rank < last as f64 {
        marks.push(scores.impostor[rank as usize].score);
        rank = (rank * 1.05).max(rank + 1.0);
    }
    marks.sort_by(f32::total_cmp);
    marks.dedup();
    let step = marks.len().div_ceil(500);
    marks
        .into_iter()
        .step_by(step)
        .map(|below| at(scores, below))
        .collect()
}

/// Both rates at one threshold.
pub fn at(scores: &Scores, below: f32) -> Point {
    let share = |list: &[_]| count_below(list, below) as f64 / list.len() as f64;
    Point {
        below,
        fmr: share(&scores.impostor),
        fnmr: 1.0 - share(&scores.genuine),
    }
}

/// Lines `representation,below,fmr,fnmr`.
pub fn table(floats: &[Point], codes: &[Point]) -> String {
    let mut csv = String::from("representation,below,fmr,fnmr\n");
    for (name, points) in [("float", floats), ("code", codes)] {
        for Point { below, fmr, fnmr } in points {
            let _ = writeln!(csv, "{name},{below},{fmr},{fnmr}");
        }
    }
    csv
}

/// The picture: both curves, and the profile's threshold on that of the codes.
pub fn picture(title: &str, floats: &[Point], codes: &[Point], tau: (u16, Point)) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n<style>{STYLE}</style>\n<title>{title}</title>\n<text x=\"{LEFT}\" y=\"28\" font-weight=\"600\">{title}</text>\n"
    );
    let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for (rate, name) in FMR_TICKS {
        let x = along(rate);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{floor}\"/><text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
            floor + 20.0
        );
    }
    for (rate, name) in FNMR_TICKS {
        let y = up(rate);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            LEFT - 8.0,
            y + 5.0
        );
    }
    let _ = writeln!(
        svg,
        "<rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\"/>",
        right - LEFT,
        floor - TOP
    );
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">false match rate</text>",
        f64::midpoint(LEFT, right),
        HEIGHT - 14.0
    );
    let _ = writeln!(
        svg,
        "<text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">false non-match rate</text>",
        f64::midpoint(TOP, floor)
    );
    for (class, points) in [("floats", floats), ("codes", codes)] {
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"{}\"/>", line(points));
    }
    let (threshold, point) = tau;
    let (x, y) = (along(point.fmr), up(point.fnmr));
    let _ = writeln!(
        svg,
        "<circle class=\"tau\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/><text class=\"tau-text\" x=\"{:.1}\" y=\"{:.1}\">τ = {threshold}</text>",
        x + 9.0,
        y - 7.0
    );
    let _ = writeln!(
        svg,
        "<path class=\"codes\" d=\"M{} 84h28\"/><text x=\"{}\" y=\"89\">2048-bit codes, wallet stolen</text>",
        right - 250.0,
        right - 214.0
    );
    let _ = writeln!(
        svg,
        "<path class=\"floats\" d=\"M{} 106h28\"/><text x=\"{}\" y=\"111\">float embeddings</text>\n</svg>",
        right - 250.0,
        right - 214.0
    );
    svg
}

fn line(points: &[Point]) -> String {
    let mut path = String::new();
    for point in points
        .iter()
        .filter(|point| point.fmr >= FMR.0 && point.fnmr >= FNMR.0)
    {
        let command = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(
            path,
            "{command}{:.1} {:.1}",
            along(point.fmr),
            up(point.fnmr)
        );
    }
    path
}

fn along(fmr: f64) -> f64 {
    LEFT + (WIDTH - RIGHT - LEFT) * place(fmr, FMR)
}

fn up(fnmr: f64) -> f64 {
    HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * place(fnmr, FNMR)
}

/// From 0 at the range's lower end to 1 at its upper end, clamped.
fn place(rate: f64, (low, high): (f64, f64)) -> f64 {
    let [rate, low, high] = [rate.clamp(low, high), low, high].map(normal_deviate);
    (rate - low) / (high - low)
}

/// The inverse of the normal distribution function, by bisection.
fn normal_deviate(share: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if 0.5 * libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviates_are_the_known_quantiles() {
        for (share, deviate) in [(0.5, 0.0), (0.975, 1.959_964), (1e-4, -3.719_016)] {
            assert!((normal_deviate(share) - deviate).abs() < 1e-5);
        }
    }
}
