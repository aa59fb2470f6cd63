//! Pictures of results.

mod boundary;
mod canvas;
mod chart;
mod curves;
mod estimates;
mod facets;
mod gallery;
mod grid;
mod heatmap;
mod ticks;
mod weights;

use std::path::Path;

pub use plotters::chart::SeriesLabelPosition as Legend;
use plotters::style::RGBColor;

pub use self::boundary::{Panel, Plane, boundaries};
pub use self::chart::{Axis, Chart, Scale, Series};
pub use self::curves::{Curve, curves};
pub use self::estimates::{Estimate, estimates};
pub use self::facets::{Facet, facets};
pub use self::gallery::{Exhibit, gallery};
pub use self::grid::{Grid, grids};
pub use self::heatmap::{Colours, Heatmap, Side, heatmaps};
pub use self::weights::weights;
use super::Error;
use super::files::write;

/// Whether a picture was drawn.
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Writes what `draw` draws to a string as an SVG file.
fn write_svg(path: &Path, draw: impl FnOnce(&mut String) -> Drawn) -> Result<(), Error> {
    let mut svg = String::new();
    draw(&mut svg).map_err(|error| Error::in_file(path, format_args!("cannot be drawn: {error}")))?;
    write(path, svg.as_bytes())
}

/// The same for a picture that is drawn finely and shown in this size.
fn write_fine_svg(
    path: &Path,
    (width, height): (u32, u32),
    draw: impl FnOnce(&mut String) -> Drawn,
) -> Result<(), Error> {
    let header = |scale: u32| format!("<svg width=\"{}\" height=\"{}\"", width * scale, height * scale);
    write_svg(path, |svg| {
        draw(svg)?;
        *svg = svg.replacen(&header(FINE), &header(1), 1);
        Ok(())
    })
}

/// Blue for -1, white for 0, red for 1.
fn diverging(x: f64) -> [u8; 3] {
    shade(if x < 0.0 { [33, 102, 172] } else { [178, 24, 43] }, x.abs())
}

/// From white for 0 to a colour for 1.
fn shade(end: [u8; 3], part: f64) -> [u8; 3] {
    let part = part.min(1.0);
    end.map(|end| (255.0 + (f64::from(end) - 255.0) * part).round() as u8)
}

/// Curves are drawn so many times as large as they are shown, for coordinates are whole numbers.
const FINE: u32 = 8;

/// Letters of a size, in a picture that is drawn finely.
fn font(size: u32) -> (&'static str, u32) {
    ("sans-serif", size * FINE)
}

/// Colours of the curves, in order.
const COLOURS: [RGBColor; 8] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 96, 20),
    RGBColor(44, 140, 60),
    RGBColor(190, 40, 50),
    RGBColor(130, 90, 170),
    RGBColor(110, 80, 70),
    RGBColor(200, 80, 160),
    RGBColor(110, 110, 110),
];
