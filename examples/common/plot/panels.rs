//! Curves in several panels side by side, each over axes of its own, which may be logarithmic.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{COLOURS, Curve};
use crate::common::Error;
use crate::common::files::write;

/// The size of a panel.
const SIZE: (u32, u32) = (400, 300);

/// A picture is drawn so many times as large as it is shown, for coordinates are whole numbers.
const FINE: u32 = 8;

/// One direction of a panel.
#[derive(Clone)]
pub struct Axis {
    pub label: &'static str,
    pub range: Range<f64>,
    /// The range is that of the powers of ten.
    pub decades: bool,
}

impl Axis {
    /// From one number to another.
    pub fn linear(label: &'static str, range: Range<f64>) -> Self {
        Self { label, range, decades: false }
    }

    /// From one power of ten to another, of which the exponents are given.
    pub fn decades(label: &'static str, range: Range<f64>) -> Self {
        Self { label, range, decades: true }
    }

    fn place(&self, x: f64) -> f64 {
        if self.decades { x.log10() } else { x }
    }

    fn tick(&self, x: &f64) -> String {
        match self.decades {
            // Between two powers of ten there is nothing to say.
            true if x.fract() != 0.0 => String::new(),
            true => format!("1e{x:.0}"),
            // The numbers between have no more than two digits; a zero has no sign.
            false => format!("{}", (x * 100.0).round() / 100.0 + 0.0),
        }
    }
}

/// Curves with a title, over two axes.
pub struct Panel {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub curves: Vec<Curve>,
    /// Where the names of the curves stand.
    pub legend: SeriesLabelPosition,
}

/// Draws panels as an SVG file, so many in a row, each of a standard size, or of twice that where there is but one.
/// What lies outside the axes is not drawn, and a curve is broken there.
pub fn panels(path: &Path, in_a_row: usize, panels: &[Panel]) -> Result<(), Error> {
    let rows = panels.len().div_ceil(in_a_row);
    let scale = if panels.len() == 1 { 2 } else { 1 };
    let size = (SIZE.0 * scale * in_a_row as u32, SIZE.1 * scale * rows as u32);
    let mut svg = String::new();
    draw(&mut svg, (size.0 * FINE, size.1 * FINE), (rows, in_a_row), panels)
        .map_err(|error| Error::in_file(path, format!("cannot be drawn: {error}")))?;
    let header = |scale: u32| format!("<svg width=\"{}\" height=\"{}\"", size.0 * scale, size.1 * scale);
    write(path, svg.replacen(&header(FINE), &header(1), 1).as_bytes())
}

fn draw(
    svg: &mut String,
    size: (u32, u32),
    grid: (usize, usize),
    panels: &[Panel],
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, size).into_drawing_area();
    area.fill(&WHITE)?;
    for (area, panel) in area.split_evenly(grid).iter().zip(panels) {
        draw_panel(area, panel)?;
    }
    area.present()?;
    Ok(())
}

fn draw_panel<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    panel: &Panel,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let Panel { title, x, y, curves, legend } = panel;
    let centred = font(18).into_text_style(area).pos(Pos::new(HPos::Center, VPos::Top));
    let middle = area.dim_in_pixel().0 as i32 / 2;
    area.draw_text(title, &centred, (middle, 14 * FINE as i32))?;
    let mut chart = ChartBuilder::on(area)
        .margin(12 * FINE)
        .margin_top(40 * FINE)
        .x_label_area_size(44 * FINE)
        .y_label_area_size(58 * FINE)
        .build_cartesian_2d(x.range.clone(), y.range.clone())?;
    chart
        .configure_mesh()
        .x_desc(x.label)
        .y_desc(y.label)
        .label_style(font(13))
        .axis_desc_style(font(15))
        .light_line_style(TRANSPARENT)
        .axis_style(BLACK.stroke_width(FINE))
        .set_all_tick_mark_size(5 * FINE)
        .bold_line_style(BLACK.mix(0.12).stroke_width(FINE))
        .x_label_formatter(&|value| x.tick(value))
        .y_label_formatter(&|value| y.tick(value))
        .draw()?;
    for (i, curve) in curves.iter().enumerate() {
        let style = COLOURS[i % COLOURS.len()].stroke_width(2 * FINE);
        let places: Vec<(f64, f64)> = curve.points.iter().map(|p| (x.place(p.0), y.place(p.1))).collect();
        let inside = |p: &(f64, f64)| within(&x.range, p.0) && within(&y.range, p.1);
        let pieces = places.split(|p| !inside(p)).filter(|piece| !piece.is_empty());
        let elements = pieces.map(|piece| PathElement::new(piece.to_vec(), style));
        chart
            .draw_series(elements)?
            .label(curve.name.as_str())
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 20 * FINE as i32, y)], style));
    }
    chart
        .configure_series_labels()
        .position(legend.clone())
        .margin(5 * FINE)
        .legend_area_size(30 * FINE)
        .background_style(WHITE.mix(0.9))
        .border_style(RGBColor(180, 180, 180).stroke_width(FINE))
        .label_font(font(14))
        .draw()?;
    Ok(())
}

fn font(size: u32) -> (&'static str, u32) {
    ("sans-serif", size * FINE)
}

fn within(range: &Range<f64>, x: f64) -> bool {
    range.start <= x && x <= range.end
}
