//! Pictures of results.

mod boundary;
mod canvas;
mod curves;
mod gallery;
mod weights;

use plotters::style::RGBColor;

pub use self::boundary::{Panel, Plane, boundaries};
pub use self::curves::{Curve, curves};
pub use self::gallery::{Exhibit, gallery};
pub use self::weights::weights;

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
