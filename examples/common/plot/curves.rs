//! Curves over one pair of axes.

use std::path::Path;

use plotters::prelude::*;

use super::COLOURS;
use crate::common::Error;
use crate::common::files::write;

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
    let mut svg = String::new();
    draw(&mut svg, title, x_label, y_label, curves, right, top)
        .map_err(|error| Error::in_file(path, format!("cannot be drawn: {error}")))?;
    write(path, svg.as_bytes())
}

fn draw(
    svg: &mut String,
    title: &str,
    x_label: &str,
    y_label: &str,
    curves: &[Curve],
    right: f64,
    top: f64,
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, (800, 500)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 22))
        .margin(16)
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
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(curve.name.as_str())
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.9))
        .border_style(RGBColor(180, 180, 180))
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()?;
    Ok(())
}
