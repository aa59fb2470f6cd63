//! Curves in panels beside each other, all over the same axes.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ticks::{Ticked, plain};
use super::{COLOURS, Curve, Drawn, FINE, font, write_fine_svg};
use crate::common::Error;

/// The size of a panel.
const SIZE: (u32, u32) = (400, 300);

/// Curves with a title.
pub struct Facet {
    pub title: String,
    pub curves: Vec<Curve>,
}

/// Draws panels as an SVG file, so many in a row. What lies outside the axes is not drawn, and a curve is broken there and
/// where it is not finite.
pub fn facets(
    path: &Path,
    in_a_row: usize,
    x: (&str, Range<f64>),
    y: (&str, Range<f64>),
    facets: &[Facet],
) -> Result<(), Error> {
    let rows = facets.len().div_ceil(in_a_row);
    let size = (SIZE.0 * in_a_row as u32, SIZE.1 * rows as u32);
    let axes = Axes { x, y };
    write_fine_svg(path, size, |svg| axes.draw(svg, (size.0 * FINE, size.1 * FINE), (rows, in_a_row), facets))
}

/// Labels and ranges.
struct Axes<'a> {
    x: (&'a str, Range<f64>),
    y: (&'a str, Range<f64>),
}

impl Axes<'_> {
    fn draw(&self, svg: &mut String, size: (u32, u32), grid: (usize, usize), facets: &[Facet]) -> Drawn {
        let area = SVGBackend::with_string(svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        for (area, facet) in area.split_evenly(grid).iter().zip(facets) {
            self.panel(area, facet)?;
        }
        area.present()?;
        Ok(())
    }

    fn panel<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        facet: &Facet,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let centred = font(18).into_text_style(area).pos(Pos::new(HPos::Center, VPos::Top));
        let middle = area.dim_in_pixel().0 as i32 / 2;
        area.draw_text(&facet.title, &centred, (middle, 14 * FINE as i32))?;
        let mut chart = ChartBuilder::on(area)
            .margin(12 * FINE)
            .margin_top(40 * FINE)
            .x_label_area_size(44 * FINE)
            .y_label_area_size(58 * FINE)
            .build_cartesian_2d(Ticked::over(self.x.1.clone()), Ticked::over(self.y.1.clone()))?;
        chart
            .configure_mesh()
            .x_desc(self.x.0)
            .y_desc(self.y.0)
            .label_style(font(13))
            .axis_desc_style(font(15))
            .light_line_style(TRANSPARENT)
            .axis_style(BLACK.stroke_width(FINE))
            .set_all_tick_mark_size(5 * FINE)
            .bold_line_style(BLACK.mix(0.12).stroke_width(FINE))
            .x_label_formatter(&|&x| plain(x))
            .y_label_formatter(&|&y| plain(y))
            .draw()?;
        for (curve, colour) in facet.curves.iter().zip(COLOURS.iter().cycle()) {
            let style = colour.stroke_width(2 * FINE);
            let pieces = curve.points.split(|point| !self.shows(point)).filter(|piece| !piece.is_empty());
            chart
                .draw_series(pieces.map(|piece| PathElement::new(piece.to_vec(), style)))?
                .label(curve.name.as_str())
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 20 * FINE as i32, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .margin(5 * FINE)
            .legend_area_size(30 * FINE)
            .background_style(WHITE.mix(0.9))
            .border_style(RGBColor(180, 180, 180))
            .label_font(font(14))
            .draw()
    }

    fn shows(&self, &(x, y): &(f64, f64)) -> bool {
        let within = |range: &Range<f64>, at: f64| range.start <= at && at <= range.end;
        within(&self.x.1, x) && within(&self.y.1, y)
    }
}
