//! Where the roots of a sum lie, on plain doubles whose signs are certain.

use super::direct::{halley, power};
use crate::number::{Amount, Moments};

/// Work that is worth while here: levels times levels times amounts.
const MAX_WORK: usize = 1 << 17;

/// A stretch on which the sum has exactly one root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bracket {
    pub(super) low: f64,
    pub(super) high: f64,
    /// The root to about the precision of a double.
    pub(super) root: f64,
}

/// An extremum lies between the two, and the sum has one sign there.
#[derive(Clone, Copy)]
struct Extremum {
    low: f64,
    high: f64,
}

pub(super) struct Levels<'a> {
    amounts: &'a [Amount],
    gaps: &'a [u64],
    duration: f64,
}

impl<'a> Levels<'a> {
    pub(super) fn new(amounts: &'a [Amount], gaps: &'a [u64], sign_changes: usize) -> Option<Self> {
        let work = amounts.len().checked_mul(sign_changes)?.checked_mul(sign_changes)?;
        let duration = amounts.last()?.time;
        (work <= MAX_WORK).then_some(Self { amounts, gaps, duration })
    }

    /// All roots, ascending, each with a stretch around it that holds no other.
    ///
    /// As in [`Finder::positive_roots`](super::isolate::Finder::positive_roots): each
    /// level is the derivative of the one before, after a factor e^(yτ), with τ at a
    /// change of sign, and the last one has no root. `None` where a sign is not
    /// certain: where the sum touches zero, or nearly.
    pub(super) fn roots(&self) -> Option<Vec<Bracket>> {
        let mut levels = vec![self.amounts.iter().map(|amount| amount.size.high).collect::<Vec<f64>>()];
        while let Some(next) = levels.last().and_then(|weights| self.derived(weights)) {
            levels.push(next);
        }
        let (low, high) = (-self.domination(true)?, self.domination(false)?);
        let mut extrema: Vec<Extremum> = Vec::new();
        while let Some(weights) = levels.pop() {
            let noise = self.noise(levels.len());
            let brackets = self.between(&weights, &extrema, (low, high), noise)?;
            if levels.is_empty() {
                return Some(brackets);
            }
            extrema = brackets
                .into_iter()
                .map(|bracket| self.enclosed(&weights, bracket, noise))
                .collect::<Option<_>>()?;
        }
        None
    }

    /// The weights times τ − t, τ in the middle of the first change of sign.
    fn derived(&self, weights: &[f64]) -> Option<Vec<f64>> {
        let pairs = weights.iter().zip(weights.iter().skip(1));
        let before = pairs.enumerate().find(|(_, (a, b))| (**a < 0.0) != (**b < 0.0))?.0;
        let time = |index: usize| self.amounts.get(index).map(|amount| amount.time);
        let twice_tau = time(before)? + time(before + 1)?;
        let lever = |amount: &Amount| (twice_tau - 2.0 * amount.time) / (2.0 * self.duration);
        Some(self.amounts.iter().zip(weights).map(|(amount, weight)| weight * lever(amount)).collect())
    }

    /// Bound on the relative error of a term and of a sum: an exponential is good to
    /// two units, a power adds up to its exponent times three, a level adds three
    /// roundings, and there are two for each amount.
    fn noise(&self, level: usize) -> f64 {
        (3.0 * self.duration + (2 * self.amounts.len() + 3 * level + 8) as f64) * f64::EPSILON
    }

    /// A distance from zero beyond which the last amount (`below`), or the first, outweighs all others.
    fn domination(&self, below: bool) -> Option<f64> {
        const MAX_STEPS: usize = 60;
        const MARGIN: f64 = 1.0 - 1e-6;
        let sizes: Vec<f64> = self.amounts.iter().map(|amount| amount.size.high.abs()).collect();
        let end = if below { sizes.last() } else { sizes.first() };
        let (end, mut bound, mut step) = (*end?, 0.0, 1.0 / self.duration);
        for _ in 0..MAX_STEPS {
            let y = if below { -bound } else { bound };
            if self.moments(&sizes, y).sizes[0] - end < end * MARGIN {
                return Some(bound);
            }
            bound += step;
            step *= 2.0;
        }
        None
    }

    /// The moments of the weighted terms at `y`, seen from the end where discounts are below one.
    fn moments(&self, weights: &[f64], y: f64) -> Moments {
        let x = (-y.abs()).exp();
        let powers: Vec<f64> = self.gaps.iter().map(|gap| power(x, *gap)).collect();
        let discount = |amount: &Amount| powers.get(amount.gap).copied().unwrap_or(f64::NAN);
        let (mut moments, mut factor) = (Moments::default(), 1.0);
        let pairs = self.amounts.iter().zip(weights);
        if y < 0.0 {
            for (amount, weight) in pairs.rev() {
                moments.add(weight * factor, amount.time);
                factor *= discount(amount);
            }
        } else {
            for (amount, weight) in pairs {
                factor *= discount(amount);
                moments.add(weight * factor, amount.time);
            }
        }
        moments
    }

    /// Whether the sum is positive on all of a stretch around `y`, where that is certain.
    fn sign(&self, weights: &[f64], y: f64, width: f64, noise: f64) -> Option<bool> {
        let moments = self.moments(weights, y);
        let ([value, ..], [size, ..]) = (moments.signed, moments.sizes);
        // Over the stretch no term changes by more than its size times this.
        let change = 2.0 * self.duration * width;
        (value.abs() > 2.0 * size * (noise + change)).then_some(value > 0.0)
    }

    /// One root where the sign changes between neighbouring extrema.
    fn between(
        &self,
        weights: &[f64],
        extrema: &[Extremum],
        (low, high): (f64, f64),
        noise: f64,
    ) -> Option<Vec<Bracket>> {
        let mut roots = Vec::new();
        let (mut start, mut sign) = (low, self.sign(weights, low, 0.0, noise)?);
        let end = Extremum { low: high, high };
        for extremum in extrema.iter().chain([&end]) {
            let middle = f64::midpoint(extremum.low, extremum.high);
            let here = self.sign(weights, middle, extremum.high - extremum.low, noise)?;
            if here != sign {
                roots.push(self.root(weights, start, extremum.low, sign)?);
            }
            (start, sign) = (extremum.high, here);
        }
        Some(roots)
    }

    /// The root between `low` and `high`, by Halley's method within the bracket.
    fn root(&self, weights: &[f64], low: f64, high: f64, positive_low: bool) -> Option<Bracket> {
        const MAX_STEPS: usize = 100;
        /// Length of the last step, times the duration: the next is its third power.
        const LAST: f64 = 1e-5;
        let (mut left, mut right) = (low, high);
        let mut y = f64::midpoint(low, high);
        for _ in 0..MAX_STEPS {
            let moments = self.moments(weights, y);
            if (moments.signed[0] > 0.0) == positive_low {
                left = y;
            } else {
                right = y;
            }
            let next = y + halley(&moments);
            let inside = next > left && next < right;
            let step = if inside { next - y } else { f64::midpoint(left, right) - y };
            y += step;
            if (inside && step.abs() * self.duration < LAST) || right - left < 1e-13 / self.duration {
                return Some(Bracket { low, high, root: y });
            }
        }
        None
    }

    /// A narrow stretch across which the sum changes sign.
    fn enclosed(&self, weights: &[f64], bracket: Bracket, noise: f64) -> Option<Extremum> {
        let sign = |y: f64| self.sign(weights, y, 0.0, noise);
        for width in [1e-11, 1e-9, 1e-7] {
            let reach = width / self.duration + bracket.root.abs() * 4.0 * f64::EPSILON;
            let (low, high) = (bracket.root - reach, bracket.root + reach);
            if let (Some(before), Some(after)) = (sign(low), sign(high))
                && before != after
                && low >= bracket.low
                && high <= bracket.high
            {
                return Some(Extremum { low, high });
            }
        }
        None
    }
}
