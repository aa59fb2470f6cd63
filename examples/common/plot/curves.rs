//! Curves over one pair of axes.

use std::path::Path;

use plotters::prelude::*;

use super::{COLOURS, Drawn, write_svg};
use crate::common::Error;

/// The size of a picture, and how much of its width the names of the curves take.
const SIZE: (u32, u32) = (900, 500);
const LEGEND: i32 = 200;

/// A curve with its name.
#[derive(Clone)]
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// Draws curves over one pair of axes as an SVG file. Points that are not finite are left out.
pub fn curves(path: &Path, title: &str, x_label: &str, y_label: &str, curves: &[Curve]) -> Result<(), Error> {
    let finite = curves.iter().flat_map(|curve| &curve.points).filter(|(_, y)| y.is_finite());
    let (mut right, mut top) = (1.0_f64, 0.0_f64);
    for &(x, y) in finite {
        (right, top) = (right.max(x), top.max(y));
    }
    let top = if top > 0.0 { top * 1.05 } else { 1.0 };
    write_svg(path, |svg| draw(svg, title, (x_label, right), (y_label, top), curves))
}

/// Each axis has a label and an end.
fn draw(
    svg: &mut String,
    title: &str,
    (x_label, right): (&str, f64),
    (y_label, top): (&str, f64),
    curves: &[Curve],
) -> Drawn {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 22))
        .margin(16)
        .margin_right(LEGEND as u32)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..right, 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc(x_label)
        .y_desc(y_label)
        .label_style(("sans-serif", 14))
        .axis_desc_style(("sans-serif", 16))
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .draw()?;
    for (i, curve) in curves.iter().enumerate() {
        let style = COLOURS[i % COLOURS.len()].stroke_width(2);
        let points = curve.points.iter().copied().filter(|(_, y)| y.is_finite());
        chart.draw_series(LineSeries::new(points, style))?;
        // Its name stands beside the curves, where it hides none of them.
        let (left, middle) = (SIZE.0 as i32 - LEGEND + 16, 64 + 22 * i as i32);
        area.draw(&PathElement::new([(left, middle), (left + 20, middle)], style))?;
        area.draw(&Text::new(curve.name.as_str(), (left + 28, middle - 7), ("sans-serif", 14)))?;
    }
    area.present()?;
    Ok(())
}
