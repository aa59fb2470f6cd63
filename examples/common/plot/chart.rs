//! Lines and dots over a pair of axes, each of which may be logarithmic.

use std::path::Path;

use plotters::prelude::*;

use super::ticks::{Ticked, multiples, plain};
use super::{COLOURS, Drawn, FINE, font, write_fine_svg};
use crate::common::Error;

/// The size of a picture.
const SIZE: (u32, u32) = (800, 500);

/// How numbers become places.
#[derive(Clone, Copy, PartialEq)]
pub enum Scale {
    Linear,
    /// Powers of ten are evenly spaced; what is not positive is left out.
    Logarithmic,
}

/// An axis with what it shows.
#[derive(Clone, Copy)]
pub struct Axis<'a> {
    pub label: &'a str,
    pub scale: Scale,
}

/// Points with a name, and how they are drawn.
pub struct Series {
    /// Nothing, for a series that the legend leaves out.
    pub name: String,
    pub points: Vec<(f64, f64)>,
    /// Which of the colours.
    pub colour: usize,
    /// As dots; else as a line.
    pub dots: bool,
}

/// A picture of several series over one pair of axes.
pub struct Chart<'a> {
    pub title: &'a str,
    pub x: Axis<'a>,
    pub y: Axis<'a>,
    pub legend: SeriesLabelPosition,
}

impl Chart<'_> {
    /// Draws it as an SVG file.
    pub fn write(&self, path: &Path, series: &[Series]) -> Result<(), Error> {
        write_fine_svg(path, SIZE, |svg| self.draw(svg, series))
    }

    fn draw(&self, svg: &mut String, series: &[Series]) -> Drawn {
        let places: Vec<Vec<(f64, f64)>> = series.iter().map(|one| self.places(one)).collect();
        let along = |part: fn(&(f64, f64)) -> f64| places.iter().flatten().map(part).collect::<Vec<_>>();
        let x = self.x.range(&along(|point| point.0), 0.0);
        let y = self.y.range(&along(|point| point.1), 0.04);

        let area = SVGBackend::with_string(svg, (SIZE.0 * FINE, SIZE.1 * FINE)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, font(22))
            .margin(16 * FINE)
            .margin_right(28 * FINE)
            .x_label_area_size(48 * FINE)
            .y_label_area_size(72 * FINE)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc(self.x.label)
            .y_desc(self.y.label)
            .label_style(font(14))
            .axis_desc_style(font(16))
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.2).stroke_width(FINE))
            .axis_style(BLACK.stroke_width(FINE))
            .set_all_tick_mark_size(5 * FINE)
            .x_label_formatter(&|&x| self.x.text(x))
            .y_label_formatter(&|&y| self.y.text(y))
            .draw()?;
        for (one, places) in series.iter().zip(places) {
            one.draw(&mut chart, places)?;
        }
        if series.iter().any(|one| !one.name.is_empty()) {
            chart
                .configure_series_labels()
                .position(self.legend.clone())
                .margin(5 * FINE)
                .legend_area_size(30 * FINE)
                .background_style(WHITE.mix(0.9))
                .border_style(RGBColor(180, 180, 180))
                .label_font(font(14))
                .draw()?;
        }
        area.present()?;
        Ok(())
    }

    /// Where the points are, as far as they can be shown.
    fn places(&self, series: &Series) -> Vec<(f64, f64)> {
        let places = series.points.iter().map(|&(x, y)| (self.x.place(x), self.y.place(y)));
        places.filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
    }
}

impl Series {
    /// Draws it at these places, and gives it a key in the legend.
    fn draw<'a>(
        &self,
        chart: &mut ChartContext<'a, SVGBackend<'_>, Cartesian2d<Ticked, Ticked>>,
        places: Vec<(f64, f64)>,
    ) -> Drawn {
        let colour = COLOURS[self.colour % COLOURS.len()];
        let (dot, line) = (colour.filled(), colour.stroke_width(2 * FINE));
        let drawn = if self.dots {
            chart.draw_series(places.into_iter().map(|place| Circle::new(place, 3 * FINE, dot)))?
        } else {
            chart.draw_series(LineSeries::new(places, line))?
        };
        if self.name.is_empty() {
            return Ok(());
        }
        drawn.label(self.name.as_str());
        if self.dots {
            drawn.legend(move |(x, y)| Circle::new((x + 10 * FINE as i32, y), 3 * FINE, dot));
        } else {
            drawn.legend(move |(x, y)| PathElement::new([(x, y), (x + 20 * FINE as i32, y)], line));
        }
        Ok(())
    }
}

impl Axis<'_> {
    fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.log10(),
        }
    }

    fn text(&self, place: f64) -> String {
        match self.scale {
            Scale::Linear => plain(place),
            Scale::Logarithmic => power_of_ten(place.round() as i32),
        }
    }

    /// What all places lie in, with some room at the ends, and where it is labelled.
    fn range(&self, places: &[f64], room: f64) -> Ticked {
        let lowest = places.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = places.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = match (lowest, highest) {
            (low, high) if low < high => (low, high),
            (low, _) if low.is_finite() => (low - 0.5, low + 0.5),
            _ => (0.0, 1.0),
        };
        let room = room * (high - low);
        let (low, high) = (low - room, high + room);
        match self.scale {
            Scale::Linear => Ticked::over(low..high),
            Scale::Logarithmic => {
                let ticks = multiples(((high - low) / 8.0).ceil(), low, high);
                Ticked { from: low, to: high, ticks }
            }
        }
    }
}

fn power_of_ten(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raised = |c: char| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    match exponent {
        0 => "1".to_owned(),
        1 => "10".to_owned(),
        _ => format!("10{}", exponent.to_string().chars().map(raised).collect::<String>()),
    }
}
