//! Pictures of results.

use std::path::Path;

use gradus::ndarray::ArrayView1;
use plotters::prelude::*;

use super::Error;
use super::files::{write, write_png};

/// Colours of the curves, in order.
const COLOURS: [RGBColor; 6] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 96, 20),
    RGBColor(44, 140, 60),
    RGBColor(190, 40, 50),
    RGBColor(130, 90, 170),
    RGBColor(110, 80, 70),
];

/// A curve with its name.
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

/// Draws weights as a picture of this shape: red where a bright pixel speaks for the answer yes, blue where it speaks
/// against it, white where it does not matter; one panel for each colour of the picture. Weights that are no
/// picture are drawn as one row.
pub fn weights(path: &Path, weights: ArrayView1<'_, f64>, shape: &[usize]) -> Result<(), Error> {
    let (height, width, channels) = match *shape {
        [height, width] => (height, width, 1),
        [height, width, channels @ 1..=4] => (height, width, channels),
        _ => (1, weights.len(), 1),
    };
    let scale = (320 / height.max(width)).max(1);
    let (gap, frame) = (8, 8);
    let full_width = channels * width * scale + (channels - 1) * gap + 2 * frame;
    let full_height = height * scale + 2 * frame;
    let most = weights.iter().fold(f64::MIN_POSITIVE, |most, w| most.max(w.abs()));
    let mut rgb = vec![255; full_width * full_height * 3];
    for channel in 0..channels {
        let left = frame + channel * (width * scale + gap);
        for y in 0..height * scale {
            for x in 0..width * scale {
                let weight = weights[((y / scale) * width + x / scale) * channels + channel];
                let pixel = ((frame + y) * full_width + left + x) * 3;
                rgb[pixel..pixel + 3].copy_from_slice(&diverging(weight / most));
            }
        }
    }
    write_png(path, full_width as u32, full_height as u32, &rgb)
}

/// Blue at -1, white at 0, red at 1.
fn diverging(x: f64) -> [u8; 3] {
    let end = if x < 0.0 { [33.0, 102.0, 172.0] } else { [178.0, 24.0, 43.0] };
    end.map(|end: f64| (255.0 + (end - 255.0) * x.abs().min(1.0)).round() as u8)
}
