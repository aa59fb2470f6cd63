//! Arrays as coloured fields, with axes and a scale of the colours.

use std::ops::Range;
use std::path::Path;

use gradus::ndarray::ArrayView2;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::ticks::{Ticked, plain};
use super::{Drawn, diverging, shade, write_svg};
use crate::common::Error;

/// What a side of the field is, and the numbers at its two ends, of which either may be the larger one: left and right, bottom
/// and top.
#[derive(Clone)]
pub struct Side<'a> {
    pub label: &'a str,
    pub range: Range<f64>,
}

/// How numbers become colours.
#[derive(Clone, Copy)]
pub enum Colours {
    /// From white at 0 to dark blue at this.
    Sequential(f64),
    /// Blue at minus this, white at 0, red at this.
    Diverging(f64),
}

/// An array as a field of colours: `values[[i, j]]` is cell `i` from the smaller end of `y`, and cell `j` from that of `x`.
pub struct Heatmap<'a> {
    pub title: String,
    pub values: ArrayView2<'a, f64>,
    pub x: Side<'a>,
    pub y: Side<'a>,
    pub colours: Colours,
}

/// Draws fields of `width` × `height` pixels side by side, as an SVG file.
pub fn heatmaps(path: &Path, (width, height): (u32, u32), panels: &[Heatmap<'_>]) -> Result<(), Error> {
    write_svg(path, |svg| draw(svg, (width, height), panels))
}

fn draw(svg: &mut String, (width, height): (u32, u32), panels: &[Heatmap<'_>]) -> Drawn {
    let area = SVGBackend::with_string(svg, (width * panels.len() as u32, height)).into_drawing_area();
    area.fill(&WHITE)?;
    for (panel, part) in panels.iter().zip(area.split_evenly((1, panels.len()))) {
        let (field, scale) = part.split_horizontally(width - 76);
        panel.field(&field)?;
        panel.scale(&scale)?;
    }
    area.present()?;
    Ok(())
}

impl Heatmap<'_> {
    fn field(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Drawn {
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(56)
            .build_cartesian_2d(Ticked::over(self.x.range.clone()), Ticked::over(self.y.range.clone()))?;
        let (rows, columns) = self.values.dim();
        let place = |side: &Side<'_>, cell: usize, cells: usize| {
            let (low, high) = side.ends();
            low + (high - low) * cell as f64 / cells as f64
        };
        for (i, row) in self.values.rows().into_iter().enumerate() {
            let colours: Vec<_> = row.iter().map(|&value| self.colours.of(value)).collect();
            let mut from = 0;
            // Neighbours of one colour are one rectangle.
            for to in 1..=columns {
                if to < columns && colours[to] == colours[from] {
                    continue;
                }
                let corners = [
                    (place(&self.x, from, columns), place(&self.y, i, rows)),
                    (place(&self.x, to, columns), place(&self.y, i + 1, rows)),
                ];
                chart.draw_series([Rectangle::new(corners, colours[from].filled())])?;
                from = to;
            }
        }
        chart
            .configure_mesh()
            .disable_mesh()
            .x_desc(self.x.label)
            .y_desc(self.y.label)
            .label_style(("sans-serif", 14))
            .axis_desc_style(("sans-serif", 15))
            .x_label_formatter(&|&x| plain(x))
            .y_label_formatter(&|&y| plain(y))
            .draw()?;
        Ok(())
    }

    /// What the colours mean.
    fn scale(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Drawn {
        let (low, high) = match self.colours {
            Colours::Sequential(most) => (0.0, most),
            Colours::Diverging(most) => (-most, most),
        };
        let mut chart = ChartBuilder::on(area)
            .margin_top(42)
            .margin_bottom(56)
            .right_y_label_area_size(56)
            .build_cartesian_2d(0.0..1.0, Ticked::over(low..high))?;
        const STEPS: usize = 64;
        let place = |step: usize| low + (high - low) * step as f64 / STEPS as f64;
        chart.draw_series((0..STEPS).map(|step| {
            let colour = self.colours.of(place(step) + (high - low) * 0.5 / STEPS as f64);
            Rectangle::new([(0.0, place(step)), (1.0, place(step + 1))], colour.filled())
        }))?;
        chart
            .configure_mesh()
            .disable_mesh()
            .disable_x_axis()
            .label_style(("sans-serif", 13))
            .y_label_formatter(&|&y| short(y))
            .draw()?;
        Ok(())
    }
}

impl Side<'_> {
    fn ends(&self) -> (f64, f64) {
        let Range { start, end } = self.range;
        (start.min(end), start.max(end))
    }
}

impl Colours {
    /// One of 64 shades, or 64 on either side.
    fn of(self, value: f64) -> RGBColor {
        let (Self::Sequential(most) | Self::Diverging(most)) = self;
        let part = ((value / most).clamp(-1.0, 1.0) * 64.0).round() / 64.0;
        let [r, g, b] = match self {
            // What is no number is grey.
            _ if part.is_nan() => [128; 3],
            Self::Sequential(_) => shade([8, 48, 107], part.max(0.0)),
            Self::Diverging(_) => diverging(part),
        };
        RGBColor(r, g, b)
    }
}

/// A number with few digits.
fn short(x: f64) -> String {
    if x != 0.0 && x.abs() < 1e-2 { format!("{x:.1e}") } else { format!("{}", (x * 1e6).round() / 1e6 + 0.0) }
}
