//! Where in the plane a network answers what.

use std::ops::Range;
use std::path::Path;

use gradus::ndarray::{Array2, ArrayView1, Axis};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::ticks::{Ticked, plain};
use super::{Drawn, write_svg};
use crate::common::Error;
use crate::common::accuracy::is_right;
use crate::common::data::Points;

/// The colours of the labels 0 and 1: of their points, and of the regions.
const POINTS: [RGBColor; 2] = [RGBColor(190, 40, 50), RGBColor(31, 100, 175)];
const REGIONS: [RGBColor; 2] = [RGBColor(250, 222, 214), RGBColor(213, 230, 245)];

/// How many pixels wide and high a cell of a region is.
const CELL: usize = 2;
/// Pixels around a panel.
const TITLE: u32 = 30;
const X_LABELS: u32 = 44;
const Y_LABELS: u32 = 60;
const GAP: u32 = 14;

/// The part of the plane that is drawn, in cells.
pub struct Plane {
    x: Range<f64>,
    y: Range<f64>,
    cells: usize,
}

/// A network's probabilities of the label 1 in the cells of a plane.
pub struct Panel {
    pub title: String,
    pub probabilities: Array2<f64>,
}

impl Plane {
    /// The part around these points; more panels are drawn smaller.
    pub fn around(points: &Points, panels: usize) -> Result<Self, Error> {
        let [x, y] = [0, 1].map(|axis| around(points.x.index_axis(Axis(0), axis)));
        Ok(Self { x: x?, y: y?, cells: if panels == 1 { 250 } else { 150 } })
    }

    /// The middle of each cell, in columns: row by row from the top.
    pub fn middles(&self) -> Array2<f64> {
        let n = self.cells;
        Array2::from_shape_fn((2, n * n), |(axis, cell)| match axis {
            0 => between(&self.x, (cell % n) as f64 + 0.5, n),
            _ => between(&self.y, (n - cell / n) as f64 - 0.5, n),
        })
    }
}

fn between(range: &Range<f64>, i: f64, n: usize) -> f64 {
    let share = i / n as f64;
    range.start * (1.0 - share) + range.end * share
}

/// From below the lowest number to above the highest.
fn around(numbers: ArrayView1<'_, f64>) -> Result<Range<f64>, Error> {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let size = low.abs().max(high.abs());
    let margin = match high - low {
        _ if size < 1e-100 => 1.0,
        span if span > 1e-6 * size => 0.08 * span,
        _ => 0.1 * size,
    };
    let range = low - margin..high + margin;
    match (range.end - range.start).is_finite() {
        true => Ok(range),
        false => {
            Err(Error::new(format_args!("points from {low:e} to {high:e} are too far apart to be drawn")))
        }
    }
}

/// Draws panels side by side as an SVG file: regions shaded by the answer, and the points coloured by their labels.
pub fn boundaries(path: &Path, plane: &Plane, points: &Points, panels: &[Panel]) -> Result<(), Error> {
    write_svg(path, |svg| draw(svg, plane, points, panels))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw(svg: &mut String, plane: &Plane, points: &Points, panels: &[Panel]) -> Drawn {
    let columns = panels.len().clamp(1, 3);
    let rows = panels.len().div_ceil(columns);
    let side = (plane.cells * CELL) as u32;
    let (width, height) = (Y_LABELS + side + GAP, TITLE + side + X_LABELS);
    let size = (columns as u32 * width, TITLE + rows as u32 * height);
    let (head, body) = SVGBackend::with_string(svg, size).into_drawing_area().split_vertically(TITLE);
    head.fill(&WHITE)?;
    body.fill(&WHITE)?;
    legend(&head)?;
    for (panel, area) in panels.iter().zip(body.split_evenly((rows, columns))) {
        draw_panel(&area, plane, points, panel)?;
    }
    body.present()?;
    Ok(())
}

fn legend(head: &Area<'_>) -> Drawn {
    let mut left = Y_LABELS as i32;
    for (label, colour) in POINTS.iter().enumerate() {
        head.draw(&Circle::new((left + 6, 17), 4, colour.filled()))?;
        head.draw(&Text::new(format!("label {label}"), (left + 16, 10), ("sans-serif", 14)))?;
        left += 84;
    }
    for (answer, colour) in REGIONS.iter().enumerate() {
        head.draw(&Rectangle::new([(left, 11), (left + 16, 23)], colour.filled()))?;
        head.draw(&Text::new(format!("answer {answer}"), (left + 22, 10), ("sans-serif", 14)))?;
        left += 96;
    }
    Ok(())
}

fn draw_panel(area: &Area<'_>, plane: &Plane, points: &Points, panel: &Panel) -> Drawn {
    let side = plane.cells * CELL;
    let title = Text::new(panel.title.as_str(), (Y_LABELS as i32, 9), ("sans-serif", 16));
    area.draw(&title)?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(TITLE)
        .margin_right(GAP)
        .x_label_area_size(X_LABELS)
        .y_label_area_size(Y_LABELS)
        .build_cartesian_2d(Ticked::over(plane.x.clone()), Ticked::over(plane.y.clone()))?;

    let region = chart.plotting_area().strip_coord_spec();
    region.draw(&Rectangle::new([(0, 0), (side as i32, side as i32)], REGIONS[0].filled()))?;
    for run in runs(&panel.probabilities, plane.cells) {
        region.draw(&Rectangle::new(run, REGIONS[1].filled()))?;
    }

    chart
        .configure_mesh()
        .disable_mesh()
        .x_desc("x1")
        .y_desc("x2")
        .x_label_formatter(&|&x| plain(x))
        .y_label_formatter(&|&y| plain(y))
        .label_style(("sans-serif", 13))
        .axis_desc_style(("sans-serif", 14))
        .draw()?;
    chart.draw_series(
        points
            .x
            .columns()
            .into_iter()
            .zip(&points.y)
            .map(|(x, &y)| Circle::new((x[0], x[1]), 2, POINTS[usize::from(y == 1.0)].filled())),
    )?;
    Ok(())
}

/// The cells of each line in which the answer is 1, those beside each other as one rectangle.
fn runs(probabilities: &Array2<f64>, cells: usize) -> Vec<[(i32, i32); 2]> {
    let answers: Vec<bool> = probabilities.iter().map(|&a| is_right(a, 1.0)).collect();
    let mut runs = Vec::new();
    for (row, line) in answers.chunks(cells).enumerate() {
        let mut left = 0;
        for same in line.chunk_by(|a, b| a == b) {
            let right = left + same.len();
            if same[0] {
                let corner = |column, row| ((column * CELL) as i32, (row * CELL) as i32);
                runs.push([corner(left, row), corner(right, row + 1)]);
            }
            left = right;
        }
    }
    runs
}
