//! Lines on paper, for the page of figures.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

const SIZE: (u32, u32) = (760, 420);
const COLOURS: [RGBColor; 4] =
    [RGBColor(31, 119, 180), RGBColor(214, 39, 40), RGBColor(44, 160, 44), RGBColor(148, 103, 189)];

/// A line with its name.
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// What is drawn; the horizontal axis is logarithmic.
pub struct Plot {
    pub file: &'static str,
    pub title: &'static str,
    pub across: &'static str,
    pub upwards: &'static str,
    pub series: Vec<Series>,
}

impl Plot {
    pub fn draw(&self, folder: &Path) -> Result<()> {
        let path = folder.join(self.file);
        let area = SVGBackend::new(&path, SIZE).into_drawing_area();
        self.draw_on(&area).map_err(|error| anyhow!("{}: {error}", self.file))
    }

    fn draw_on(&self, area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<()> {
        let points = || self.series.iter().flat_map(|series| series.points.iter().copied());
        let most = |pick: fn((f64, f64)) -> f64| points().map(pick).fold(f64::MIN, f64::max);
        let least = points().map(|point| point.0).fold(f64::MAX, f64::min);
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(70)
            .build_cartesian_2d((least..most(|point| point.0)).log_scale(), 0.0..most(|point| point.1) * 1.1)?;
        chart.configure_mesh().x_desc(self.across).y_desc(self.upwards).light_line_style(TRANSPARENT).draw()?;
        for (series, colour) in self.series.iter().zip(COLOURS) {
            let line = chart
                .draw_series(LineSeries::new(series.points.iter().copied(), colour.stroke_width(2)).point_size(3))?;
            line.label(&series.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .draw()?;
        area.present()?;
        Ok(())
    }
}
