//! The two score distributions with the threshold, as an SVG that reads on light and dark pages.

use std::fmt::Write as _;

use crate::{distribution::Distribution, round::Compared};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 470.0;
const LEFT: f64 = 24.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 100.0;
/// Where the horizontal axis lies.
const FLOOR: f64 = 340.0;
/// Bits per bar.
const BIN: u16 = 16;

const STYLE: &str = "
  svg { background: #fff; color: #1b1f24; font: 15px system-ui, sans-serif; }
  .ink { fill: currentColor; } .soft { fill: #57606a; }
  .axis { stroke: currentColor; } .grid { stroke: #d0d7de; }
  .genuine { fill: #1a7f64; stroke: #1a7f64; } .impostor { fill: #c2571a; stroke: #c2571a; }
  .bar { fill-opacity: .45; stroke-opacity: .9; }
  .tau { stroke: #8250df; stroke-width: 2; stroke-dasharray: 6 4; } .tau-text { fill: #8250df; }
  .refused { fill-opacity: 0; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; color: #e6edf3; } .soft { fill: #9da7b1; } .grid { stroke: #30363d; }
    .genuine { fill: #3fb997; stroke: #3fb997; } .impostor { fill: #f0883e; stroke: #f0883e; }
    .tau { stroke: #b794f6; } .tau-text { fill: #b794f6; }
  }";

/// Where things lie: bits along, share of the pairs up.
struct Scale {
    low: u16,
    high: u16,
    top: f64,
}

impl Scale {
    fn of(distribution: &Distribution, marks: &[Compared], top: f64) -> Self {
        let scores = || {
            let marked = marks.iter().map(|mark| mark.distance);
            distribution
                .genuine
                .iter()
                .chain(&distribution.impostor)
                .copied()
                .chain(marked)
        };
        let low = scores().min().unwrap_or(0) / 128 * 128;
        let high = scores().max().unwrap_or(2048).div_ceil(128) * 128;
        Self { low, high, top }
    }

    fn x(&self, bits: u16) -> f64 {
        let share = f64::from(bits.saturating_sub(self.low)) / f64::from(self.high - self.low);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, share: f64) -> f64 {
        FLOOR - share / self.top * (FLOOR - TOP)
    }
}

/// The picture: histograms of the data set, and a mark for each comparison that the demo made
/// under encryption, at its distance in clear and filled if the enclave signed a match.
pub(crate) fn draw(distribution: &Distribution, marks: &[Compared]) -> String {
    let genuine = shares(&distribution.genuine);
    let impostor = shares(&distribution.impostor);
    let highest = genuine
        .iter()
        .chain(&impostor)
        .map(|(_, share)| *share)
        .fold(0.01, f64::max);
    let scale = Scale::of(distribution, marks, highest * 1.08);
    let profile = distribution.profile.profile();

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"title desc\">\n<title id=\"title\">Distances of genuine and impostor \
         pairs</title>\n<desc id=\"desc\">Hamming distances of 2048-bit codes, {} genuine and {} \
         impostor pairs, threshold {}.</desc>\n<style>{STYLE}\n</style>\n",
        distribution.genuine.len(),
        distribution.impostor.len(),
        profile.tau
    );
    text(
        &mut svg,
        LEFT,
        28.0,
        "ink\" font-size=\"18\" font-weight=\"600",
        &format!("Distances between captures, {}", profile.id),
    );
    text(
        &mut svg,
        LEFT,
        52.0,
        "soft",
        &format!(
            "{} genuine pairs (green), {} impostor pairs (orange), one key each",
            distribution.genuine.len(),
            distribution.impostor.len()
        ),
    );
    axis(&mut svg, &scale);
    bars(&mut svg, &scale, &impostor, "impostor");
    bars(&mut svg, &scale, &genuine, "genuine");
    threshold(&mut svg, &scale, profile.tau);
    for mark in marks {
        draw_mark(&mut svg, &scale, *mark);
    }
    for (line, words) in [
        "Dots: comparisons under encryption, genuine above, impostors below.",
        "Filled: the enclave signed \"match\".",
    ]
    .into_iter()
    .enumerate()
    {
        let y = HEIGHT - if line == 0 { 34.0 } else { 14.0 };
        text(&mut svg, LEFT, y, "soft", words);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Share of the scores in each bin that has any, by the bin's first score.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of pairs are far below 2^52"
)]
fn shares(scores: &[u16]) -> Vec<(u16, f64)> {
    let mut counts = std::collections::BTreeMap::new();
    for score in scores {
        *counts.entry(score / BIN * BIN).or_insert(0_usize) += 1;
    }
    counts
        .into_iter()
        .map(|(bin, count)| (bin, count as f64 / scores.len() as f64))
        .collect()
}

fn axis(svg: &mut String, scale: &Scale) {
    let mut bits = scale.low;
    while bits <= scale.high {
        let x = scale.x(bits);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{FLOOR}\"/>"
        );
        text(
            svg,
            x,
            FLOOR + 20.0,
            "soft\" text-anchor=\"middle",
            &bits.to_string(),
        );
        bits += 128;
    }
    let end = WIDTH - RIGHT;
    let _ = writeln!(
        svg,
        "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{FLOOR}\" x2=\"{end}\" y2=\"{FLOOR}\"/>"
    );
    text(
        svg,
        end,
        FLOOR + 40.0,
        "soft\" text-anchor=\"end",
        "Hamming distance (bits of 2048)",
    );
    text(
        svg,
        LEFT,
        TOP - 8.0,
        "soft",
        &format!(
            "Height: share of the pairs in {BIN} bits, up to {:.0} %",
            scale.top * 100.0
        ),
    );
}

fn bars(svg: &mut String, scale: &Scale, shares: &[(u16, f64)], class: &str) {
    for (bin, share) in shares {
        let (x, y) = (scale.x(*bin), scale.y(*share));
        let (width, height) = (scale.x(bin + BIN) - x, FLOOR - y);
        let _ = writeln!(
            svg,
            "<rect class=\"{class} bar\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
    }
}

fn threshold(svg: &mut String, scale: &Scale, tau: u16) {
    let x = scale.x(tau);
    let _ = writeln!(
        svg,
        "<line class=\"tau\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>",
        FLOOR + 62.0
    );
    text(
        svg,
        x + 6.0,
        TOP + 12.0,
        "tau-text",
        &format!("τ = {tau}: match to the left"),
    );
}

fn draw_mark(svg: &mut String, scale: &Scale, mark: Compared) {
    let x = scale.x(mark.distance);
    let y = FLOOR + if mark.genuine { 46.0 } else { 64.0 };
    let class = if mark.genuine { "genuine" } else { "impostor" };
    let refused = if mark.matched { "" } else { " refused" };
    let _ = writeln!(
        svg,
        "<circle class=\"{class}{refused}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>"
    );
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn picture() -> String {
        let distribution = Distribution {
            profile: blindprint_core::profiles()[0].id(),
            genuine: vec![300, 301, 420],
            impostor: vec![950, 960, 1010],
        };
        let marks = [
            Compared {
                genuine: true,
                distance: 350,
                matched: true,
            },
            Compared {
                genuine: false,
                distance: 980,
                matched: false,
            },
        ];
        draw(&distribution, &marks)
    }

    #[test]
    fn both_distributions_the_threshold_and_every_comparison_are_drawn() {
        let svg = picture();
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("genuine bar").count(), 2);
        assert_eq!(svg.matches("impostor bar").count(), 3);
        assert!(svg.contains("τ = ") && svg.contains("prefers-color-scheme: dark"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }

    #[test]
    fn nothing_lies_outside_the_picture() {
        for part in picture().split(" x=\"").skip(1) {
            let x: f64 = part.split('"').next().unwrap().parse().unwrap();
            assert!((0.0..=WIDTH).contains(&x), "{x}");
        }
    }
}
