//! Figures, and what is said of them.

use std::fmt;

/// What a figure's ratio to its limit has to be.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

/// A figure and its limit, from rounds that took turns.
#[derive(Clone, Debug)]
pub struct Figure {
    pub id: &'static str,
    pub what: &'static str,
    pub unit: &'static str,
    pub target: Target,
    /// The figure and its limit, a pair a round.
    pub rounds: Vec<(f64, f64)>,
}

impl Figure {
    /// A figure whose limit is a number that is asked for.
    pub fn at_most(id: &'static str, what: &'static str, unit: &'static str, asked: f64, values: &[f64]) -> Self {
        let rounds = values.iter().map(|value| (*value, asked)).collect();
        Self { id, what, unit, target: Target::AtMost(1.0), rounds }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, what, unit, target, rounds } = self;
        let figures: Vec<_> = rounds.iter().map(|round| round.0).collect();
        let limits: Vec<_> = rounds.iter().map(|round| round.1).collect();
        let mut ratios: Vec<_> = rounds.iter().map(|round| round.0 / round.1).collect();
        ratios.sort_by(f64::total_cmp);
        let ratio = median(&ratios);
        let (sign, wanted, is_met) = match *target {
            Target::AtLeast(wanted) => ('≥', wanted, ratio >= wanted),
            Target::AtMost(wanted) => ('≤', wanted, ratio <= wanted),
        };
        let [lowest, highest] = [ratios.first(), ratios.last()].map(|end| end.copied().unwrap_or(f64::NAN));
        let verdict = if is_met { "pass" } else { "short" };
        let (figure, limit) = (number(median(&figures)), number(median(&limits)));
        write!(
            formatter,
            "{id}, {figure} {unit}, {limit} {unit}, {ratio:.3} ({lowest:.3}–{highest:.3}), {sign} {wanted}, {verdict}, {what}",
        )
    }
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    percentile(&sorted, 0.5)
}

/// Of values in order of size: the smallest that so large a part of them does not exceed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
pub fn percentile(sorted: &[f64], part: f64) -> f64 {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
