//! Pictures of results.

mod curves;
mod grid;
mod panels;
mod weights;

use plotters::style::RGBColor;

pub use self::curves::{Curve, curves};
pub use self::grid::{Grid, grids};
pub use self::panels::{Axis, Panel, panels};
pub use self::weights::weights;

/// Colours of the curves, in order.
const COLOURS: [RGBColor; 6] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 96, 20),
    RGBColor(44, 140, 60),
    RGBColor(190, 40, 50),
    RGBColor(130, 90, 170),
    RGBColor(110, 80, 70),
];
