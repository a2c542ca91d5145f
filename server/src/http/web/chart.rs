//! Charts as SVG, drawn here: no script, no style, and the same numbers as a table for those who do
//! not see them.

use std::{borrow::Borrow, fmt::Write as _};

use askama::Template;

use super::Texts;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;
/// Colours in the sheet.
const COLOURS: usize = 5;

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Form {
    /// A whole number.
    Whole,
    /// With so many decimals and a unit after it.
    Unit(usize, &'static str),
    /// A share of one.
    Share,
}

/// Values under one name, one for each label; `None` where nothing was measured.
#[derive(Debug, Clone)]
pub(in crate::http) struct Series {
    /// What they are.
    pub name: String,
    /// The values.
    pub values: Vec<Option<f64>>,
}

/// What every chart says.
#[derive(Debug, Clone)]
pub(in crate::http) struct Drawing {
    /// The words.
    pub t: Texts,
    /// Unique on its page.
    pub id: &'static str,
    /// What it shows.
    pub title: String,
    /// What it shows, in a sentence, for those who do not see it.
    pub summary: String,
    /// What stands below the values: days, states.
    pub labels: Vec<String>,
    /// The values.
    pub series: Vec<Series>,
    /// How they are written.
    pub form: Form,
}

impl Drawing {
    fn write(&self, value: f64) -> String {
        match self.form {
            Form::Whole => self.t.decimal(value, 0),
            Form::Unit(decimals, unit) => {
                format!("{}\u{a0}{unit}", self.t.decimal(value, decimals))
            }
            Form::Share => self.t.percent(value),
        }
    }

    fn write_option(&self, value: Option<f64>) -> String {
        value.map_or_else(|| "–".to_owned(), |value| self.write(value))
    }

    fn is_empty(&self) -> bool {
        let mut values = self.series.iter().flat_map(|series| &series.values);
        !values.any(Option::is_some)
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn colour(&self, index: impl Borrow<usize>) -> usize {
        index.borrow() % COLOURS
    }

    /// Every label with its value in each series.
    fn table(&self) -> Vec<(&str, Vec<String>)> {
        let value = |series: &Series, index: usize| {
            self.write_option(series.values.get(index).copied().flatten())
        };
        let row = |index: usize| {
            let values = self.series.iter().map(|series| value(series, index));
            values.collect::<Vec<_>>()
        };
        let labels = self.labels.iter().enumerate();
        labels
            .map(|(index, label)| (label.as_str(), row(index)))
            .collect()
    }
}

/// A round number at or above the largest value.
fn ceiling(largest: f64, form: Form) -> f64 {
    if form == Form::Share {
        return 1.0;
    }
    if largest <= 0.0 || !largest.is_finite() {
        return if form == Form::Whole { 4.0 } else { 1.0 };
    }
    let power = 10_f64.powf(largest.log10().floor());
    let steps = [1.0, 1.2, 2.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0];
    let mut tops = steps.into_iter().map(|step| step * power);
    // Four grid lines of whole numbers.
    let is_even = |top: f64| form != Form::Whole || top % 4.0 == 0.0;
    tops.find(|top| *top >= largest && is_even(*top))
        .unwrap_or(12.0 * power)
}

/// A line of the grid: its height in the drawing and its value.
struct Mark {
    y: f64,
    text: String,
}

fn marks(drawing: &Drawing, top: f64) -> Vec<Mark> {
    (0..=4_u8)
        .map(|step| {
            let share = f64::from(step) / 4.0;
            Mark {
                y: y(share),
                text: drawing.write(top * share),
            }
        })
        .collect()
}

fn y(share: f64) -> f64 {
    (HEIGHT - TOP - BOTTOM).mul_add(1.0 - share, TOP)
}

#[expect(clippy::cast_precision_loss, reason = "charts have few values")]
fn fraction(index: usize, of: usize) -> f64 {
    index as f64 / of.max(1) as f64
}

/// Labels that have room below the chart, with their places.
fn ticks(drawing: &Drawing, x: impl Fn(usize) -> f64) -> Vec<(f64, &str)> {
    let every = drawing.labels.len().div_ceil(8).max(1);
    let labels = drawing.labels.iter().enumerate().step_by(every);
    labels
        .map(|(index, label)| (x(index), label.as_str()))
        .collect()
}

/// Values over time.
#[derive(Template)]
#[template(path = "components/line.html")]
pub(in crate::http) struct LineChart {
    drawing: Drawing,
    top: f64,
}

impl askama::filters::HtmlSafe for LineChart {}

/// A value's place in a chart.
struct Point {
    x: f64,
    y: f64,
    text: String,
}

impl LineChart {
    /// Lines through these values.
    pub(in crate::http) fn new(drawing: Drawing) -> Self {
        let values = drawing.series.iter().flat_map(|series| &series.values);
        let largest = values.flatten().copied().fold(0.0, f64::max);
        let top = ceiling(largest, drawing.form);
        Self { drawing, top }
    }

    fn marks(&self) -> Vec<Mark> {
        marks(&self.drawing, self.top)
    }

    fn x(&self, index: usize) -> f64 {
        let last = self.drawing.labels.len().saturating_sub(1);
        (WIDTH - LEFT - RIGHT).mul_add(fraction(index, last), LEFT)
    }

    fn ticks(&self) -> Vec<(f64, &str)> {
        ticks(&self.drawing, |index| self.x(index))
    }

    /// Stretches without a gap.
    fn runs(&self, series: &Series) -> Vec<Vec<Point>> {
        let mut runs = vec![Vec::new()];
        for (index, value) in series.values.iter().enumerate() {
            match value {
                Some(value) => {
                    let label = self.drawing.labels.get(index);
                    let label = label.map_or("", String::as_str);
                    let point = Point {
                        x: self.x(index),
                        y: y((value / self.top).clamp(0.0, 1.0)),
                        text: format!("{label}: {}", self.drawing.write(*value)),
                    };
                    if let Some(run) = runs.last_mut() {
                        run.push(point);
                    }
                }
                None => runs.push(Vec::new()),
            }
        }
        runs.retain(|run| !run.is_empty());
        runs
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn path(&self, run: &[Point]) -> String {
        let mut path = String::new();
        for (index, point) in run.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", point.x, point.y);
        }
        path
    }

    fn area(&self, run: &[Point]) -> String {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return String::new();
        };
        let floor = y(0.0);
        format!(
            "{}L{:.1} {floor:.1}L{:.1} {floor:.1}Z",
            self.path(run),
            last.x,
            first.x
        )
    }

    /// Points are drawn where there are few enough to tell apart.
    fn has_points(&self) -> bool {
        self.drawing.labels.len() <= 45
    }
}

/// Values beside one another, several of one label on top of each other.
#[derive(Template)]
#[template(path = "components/bar.html")]
pub(in crate::http) struct BarChart {
    drawing: Drawing,
    top: f64,
}

impl askama::filters::HtmlSafe for BarChart {}

/// A bar or a part of one.
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    colour: usize,
    text: String,
}

impl BarChart {
    /// Bars of these values.
    pub(in crate::http) fn new(drawing: Drawing) -> Self {
        let sums = (0..drawing.labels.len()).map(|index| {
            let values = drawing.series.iter();
            values
                .filter_map(|series| series.values.get(index).copied().flatten())
                .sum::<f64>()
        });
        let top = ceiling(sums.fold(0.0, f64::max), drawing.form);
        Self { drawing, top }
    }

    fn marks(&self) -> Vec<Mark> {
        marks(&self.drawing, self.top)
    }

    fn slot(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) * fraction(1, self.drawing.labels.len())
    }

    fn ticks(&self) -> Vec<(f64, &str)> {
        ticks(&self.drawing, |index| {
            let slots = fraction(index, 1) + 0.5;
            self.slot().mul_add(slots, LEFT)
        })
    }

    fn bars(&self) -> Vec<Bar> {
        let slot = self.slot();
        let width = (slot * 0.68).min(46.0);
        let mut bars = Vec::new();
        for (index, label) in self.drawing.labels.iter().enumerate() {
            let x = slot.mul_add(fraction(index, 1), LEFT) + (slot - width) / 2.0;
            let mut below = 0.0;
            for (number, series) in self.drawing.series.iter().enumerate() {
                let Some(value) = series.values.get(index).copied().flatten() else {
                    continue;
                };
                if value <= 0.0 {
                    continue;
                }
                let (from, to) = (y(below / self.top), y((below + value) / self.top));
                bars.push(Bar {
                    x,
                    y: to,
                    width,
                    height: from - to,
                    colour: self.drawing.colour(number),
                    text: format!("{label}, {}: {}", series.name, self.drawing.write(value)),
                });
                below += value;
            }
        }
        bars
    }
}

/// Parts of a whole: the first series' values under the labels.
#[derive(Template)]
#[template(path = "components/donut.html")]
pub(in crate::http) struct Donut {
    drawing: Drawing,
}

impl askama::filters::HtmlSafe for Donut {}

/// A part of a ring: its length and where it begins, of 100.
struct Arc {
    length: f64,
    offset: f64,
    colour: usize,
    label: String,
    text: String,
}

impl Donut {
    /// A ring of the first series' values.
    pub(in crate::http) const fn new(drawing: Drawing) -> Self {
        Self { drawing }
    }

    fn total(&self) -> f64 {
        let values = self.drawing.series.first();
        let values = values.map_or(&[][..], |series| &series.values);
        values.iter().flatten().sum()
    }

    fn total_text(&self) -> String {
        self.drawing.write(self.total())
    }

    fn arcs(&self) -> Vec<Arc> {
        let total = self.total();
        let values = self.drawing.series.first();
        let values = values.map_or(&[][..], |series| &series.values);
        let mut before = 0.0;
        let labels = self.drawing.labels.iter().zip(values).enumerate();
        labels
            .map(|(index, (label, value))| {
                let value = value.unwrap_or(0.0);
                let length = if total > 0.0 {
                    value / total * 100.0
                } else {
                    0.0
                };
                // The ring begins at the top: a quarter turn before where circles begin.
                let arc = Arc {
                    length,
                    offset: 25.0 - before,
                    colour: self.drawing.colour(index),
                    label: label.clone(),
                    text: self.drawing.write(value),
                };
                before += length;
                arc
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Language, *};

    fn drawing(values: &[Option<f64>], form: Form) -> Drawing {
        Drawing {
            t: Texts(Language::English),
            id: "chart",
            title: "Verdicts <i>".to_owned(),
            summary: "How many".to_owned(),
            labels: (1..=values.len()).map(|day| format!("day {day}")).collect(),
            series: vec![Series {
                name: "matches".to_owned(),
                values: values.to_vec(),
            }],
            form,
        }
    }

    #[test]
    fn scales_end_at_round_numbers() {
        let end = |largest, form| ceiling(largest, form).to_string();
        assert_eq!(end(0.0, Form::Whole), "4");
        assert_eq!(end(3.0, Form::Whole), "4");
        assert_eq!(end(7.0, Form::Whole), "8");
        assert_eq!(end(9.0, Form::Whole), "12");
        assert_eq!(end(41.0, Form::Whole), "60");
        assert_eq!(end(0.3, Form::Share), "1");
        assert_eq!(end(1234.0, Form::Unit(0, "ms")), "2000");
    }

    #[test]
    fn a_gap_breaks_a_line() {
        let chart = LineChart::new(drawing(
            &[Some(1.0), None, Some(2.0), Some(3.0)],
            Form::Whole,
        ));
        let runs = chart.runs(&chart.drawing.series[0]);
        assert_eq!(runs.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn charts_say_their_numbers_in_words_too_and_escape_them() {
        let line = LineChart::new(drawing(&[Some(1.0), None], Form::Whole))
            .render()
            .unwrap();
        let bar = BarChart::new(drawing(&[Some(1.0), Some(1500.0)], Form::Whole))
            .render()
            .unwrap();
        let donut = Donut::new(drawing(&[Some(1.0), Some(3.0)], Form::Whole))
            .render()
            .unwrap();
        for html in [&line, &bar, &donut] {
            assert!(html.contains("day 1") && html.contains("How many"));
            assert!(!html.contains("<i>") && !html.contains("style="), "{html}");
        }
        assert!(bar.contains("1,500"), "{bar}");
        assert!(donut.contains("\"75 25\""), "{donut}");
    }

    #[test]
    fn charts_without_values_say_so() {
        let html = LineChart::new(drawing(&[None], Form::Whole))
            .render()
            .unwrap();
        assert!(!html.contains("<path"), "{html}");
    }
}
