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

/// Curves are drawn so many times as large as they are shown, for coordinates are whole numbers.
const FINE: u32 = 8;

/// Letters of a size, in a picture that is drawn finely.
fn font(size: u32) -> (&'static str, u32) {
    ("sans-serif", size * FINE)
}

/// A picture that is drawn finely as one that is shown in this size.
fn shown(svg: &str, (width, height): (u32, u32)) -> String {
    let header = |scale: u32| format!("<svg width=\"{}\" height=\"{}\"", width * scale, height * scale);
    svg.replacen(&header(FINE), &header(1), 1)
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
