//! Numbers that are known up to an error.

use std::path::Path;

use plotters::prelude::*;

use super::ticks::{Ticked, plain};
use super::{COLOURS, Drawn, write_svg};
use crate::common::Error;

/// A number with its standard error.
pub struct Estimate {
    pub name: String,
    pub value: f64,
    pub error: f64,
}

/// Draws a row for each estimate as an SVG file, the first one at the top: a dot, and a line as long as two standard errors on
/// either side.
pub fn estimates(path: &Path, title: &str, label: &str, rows: &[Estimate]) -> Result<(), Error> {
    write_svg(path, |svg| draw(svg, title, label, rows))
}

fn draw(svg: &mut String, title: &str, label: &str, rows: &[Estimate]) -> Drawn {
    let ends = |row: &Estimate| [row.value - 2.0 * row.error, row.value + 2.0 * row.error];
    let (low, high) = rows
        .iter()
        .flat_map(ends)
        .filter(|end| end.is_finite())
        .fold((-0.1, 0.1), |(low, high), end| (end.min(low), end.max(high)));
    let room = 0.04 * (high - low);
    let longest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let height = 140 + 22 * rows.len() as u32;

    let area = SVGBackend::with_string(svg, (800, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let (low, high) = (low - room, high + room);
    let across = Ticked::over(low..high);
    let bottom = rows.len() as f64 - 0.4;
    let down = Ticked { from: bottom, to: -0.6, ticks: (0..rows.len()).map(|row| row as f64).collect() };
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(24 + 7 * longest as u32)
        .build_cartesian_2d(across, down)?;
    chart
        .configure_mesh()
        .x_desc(label)
        .label_style(("sans-serif", 14))
        .axis_desc_style(("sans-serif", 16))
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|&x| plain(x))
        .y_label_formatter(&|&row| {
            rows.get(row.round() as usize).map_or(String::new(), |row| row.name.clone())
        })
        .draw()?;
    chart.draw_series([PathElement::new(vec![(0.0, -0.6), (0.0, bottom)], BLACK)])?;
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| row.value.is_finite()) {
        let y = i as f64;
        if row.error.is_finite() {
            let line = ends(row).map(|x| (x, y)).to_vec();
            chart.draw_series([PathElement::new(line, COLOURS[0].stroke_width(2))])?;
        }
        chart.draw_series([Circle::new((row.value, y), 4, COLOURS[0].filled())])?;
    }
    area.present()?;
    Ok(())
}
