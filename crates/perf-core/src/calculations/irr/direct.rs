//! The usual case: one rate, found on plain doubles, proven on double-doubles.
//!
//! Times are whole units, and `y` is ln(1 + r) for one unit: a flow a at time t is
//! worth a·e^(−y·t). Whatever is not clear here is left to the general way.

use std::borrow::Borrow;
use std::cell::OnceCell;
use std::cmp::Ordering;

use super::Proof;
use super::balance::{Sampled, Side};
use super::levels::{Bracket, Levels};
use super::netting::{Netting, Unfit, exactly, mantissa};
use crate::number::{Amount, Ball, Discount, Discounted, Exact, Moments, Real, Rounded, Twofold, discounted};

/// Largest exponent of a discount, so that nothing over- or underflows.
const MAX_EXPONENT: f64 = 200.0;

/// How precisely discounts are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// An error that grows with time in units: enough for nearly all.
    Usual,
    /// One that grows with the number of flows, for the rest.
    Great,
}

/// Flows netted by time, as far as double-doubles hold them exactly.
pub(crate) struct Direct {
    amounts: Vec<Amount>,
    gaps: Vec<u64>,
    total: Ordering,
    sign_changes: usize,
    units_per_year: f64,
}

/// A root in `y`: the only one within `reach` of `place + step`, and off by at most `error`.
#[derive(Clone, Copy, Debug)]
struct Root {
    place: f64,
    step: f64,
    error: f64,
    reach: f64,
}

/// A root, and what it takes to size up the sum next to it.
pub(crate) struct Solution {
    pub(crate) root: Ball,
    /// |slope| / Σ|terms| at the root, in years, and its relative error.
    slope: f64,
    slope_error: f64,
}

impl Direct {
    /// `None` where an amount does not fit.
    pub(crate) fn new<A: Borrow<Exact>>(
        flows: &(impl Iterator<Item = (i64, A)> + Clone),
        units_per_year: i64,
    ) -> Option<Self> {
        let mut scale = 0;
        // Again, where an amount has more decimals than those before: at most once for each number of decimals.
        loop {
            match Self::at_scale(flows.clone(), scale, units_per_year) {
                Err(Unfit::Scale(needed)) => scale = needed,
                fit => return fit.ok(),
            }
        }
    }

    fn at_scale<A: Borrow<Exact>>(
        flows: impl Iterator<Item = (i64, A)>,
        scale: u32,
        units_per_year: i64,
    ) -> Result<Self, Unfit> {
        let mut direct = Self {
            amounts: Vec::with_capacity(64),
            gaps: Vec::with_capacity(32),
            total: Ordering::Equal,
            sign_changes: 0,
            units_per_year: units_per_year as f64,
        };
        let mut netting = Netting::default();
        let (mut total, mut open) = (0_i128, None);
        for (time, amount) in flows {
            let mantissa = mantissa(amount.borrow(), scale)?;
            let (last, net) = open.unwrap_or((time, 0_i128));
            open = if last == time {
                Some((time, net.checked_add(mantissa).ok_or(Unfit::Size)?))
            } else {
                total = total.checked_add(net).ok_or(Unfit::Size)?;
                direct.push(last, net, &mut netting).ok_or(Unfit::Size)?;
                Some((time, mantissa))
            };
        }
        let (last, net) = open.ok_or(Unfit::Size)?;
        direct.push(last, net, &mut netting).ok_or(Unfit::Size)?;
        direct.total = total.checked_add(net).ok_or(Unfit::Size)?.cmp(&0);
        Ok(direct)
    }

    #[inline]
    fn push(&mut self, time: i64, net: i128, netting: &mut Netting) -> Option<()> {
        if net == 0 {
            return Some(());
        }
        let first = *netting.first.get_or_insert(time);
        let gap = u64::try_from(time.checked_sub(netting.last.unwrap_or(time))?).ok()?;
        self.sign_changes += usize::from(netting.last.is_some() && netting.negative != (net < 0));
        (netting.last, netting.negative) = (Some(time), net < 0);
        let gap = netting.index(gap, &mut self.gaps);
        self.amounts.push(Amount { size: exactly(net)?, time: time.checked_sub(first)? as f64, gap });
        Some(())
    }

    fn duration(&self) -> f64 {
        self.amounts.last().map_or(0.0, |amount| amount.time)
    }

    /// All rates, ascending, and how it is known that these are all.
    pub(crate) fn solve(&self, care: Care) -> Option<(Vec<Solution>, Proof)> {
        if self.sign_changes == 0 || self.total == Ordering::Equal {
            return None;
        }
        let mut terms = Vec::with_capacity(self.amounts.len());
        let brackets = OnceCell::new();
        let brackets = || -> Option<&[Bracket]> {
            let found = || Levels::new(&self.amounts, &self.gaps, self.sign_changes)?.roots();
            brackets.get_or_init(found).as_deref()
        };
        let several = || brackets().is_some_and(|brackets| brackets.len() > 1);
        if let Some(side) = self.side() {
            let start = self.estimate().or_else(|| Some(brackets()?.first()?.root))?;
            let (root, found) = self.root(start, care, &mut terms)?;
            if let Some(proof) = self.proof(side, &root, &found, &terms, &several)? {
                return Some((vec![self.solution(&root, &found.moments)?], proof));
            }
        }
        let within = |bracket: &Bracket| {
            let (root, found) = self.root(bracket.root, care, &mut terms)?;
            let (low, high) = (root.place - root.reach, root.place + root.reach);
            (low > bracket.low && high < bracket.high).then(|| self.solution(&root, &found.moments))?
        };
        Some((brackets()?.iter().map(within).collect::<Option<_>>()?, Proof::Isolation))
    }

    /// The side of zero on which the sum changes sign, where it does on just one.
    fn side(&self) -> Option<Side> {
        let sign = |amount: &Amount| if amount.size.high > 0.0 { Ordering::Greater } else { Ordering::Less };
        let (first, last) = self.amounts.first().zip(self.amounts.last())?;
        match (sign(first) == self.total, sign(last) == self.total) {
            (false, true) => Some(Side::Above),
            (true, false) => Some(Side::Below),
            _ => None,
        }
    }

    /// A place close to a root: Halley's method for the logarithm of the worth of
    /// what is paid in over that of what is paid out, which is nearly straight.
    fn estimate(&self) -> Option<f64> {
        /// Steps before the search is given up.
        const MAX_STEPS: usize = 16;
        /// Longest step, and the length of the last one: the next would be about
        /// the third power of it. Both times the duration.
        const LONGEST: f64 = 4.0;
        const LAST: f64 = 1e-4;
        let duration = self.duration();
        let mut powers = Vec::with_capacity(self.gaps.len());
        let mut y = 0.0;
        for _ in 0..MAX_STEPS {
            let step = (halley(&self.sketch(y, &mut powers)) * duration).clamp(-LONGEST, LONGEST);
            y += step / duration;
            if y.is_nan() || (y * duration).abs() > MAX_EXPONENT {
                return None;
            }
            if step.abs() < LAST {
                return Some(y);
            }
        }
        None
    }

    /// The moments at `y` on plain doubles.
    fn sketch(&self, y: f64, powers: &mut Vec<f64>) -> Moments {
        powers.clear();
        let x = (-y).exp();
        powers.extend(self.gaps.iter().map(|gap| power(x, *gap)));
        let (mut moments, mut discount) = (Moments::default(), 1.0);
        for amount in &self.amounts {
            discount *= powers.get(amount.gap).copied().unwrap_or(1.0);
            moments.add(amount.size.high * discount, amount.time);
        }
        moments
    }

    /// The root near `y`, enclosed.
    fn root(&self, mut y: f64, care: Care, terms: &mut Vec<f64>) -> Option<(Root, Discounted)> {
        /// Times the sum is taken before the search is given up.
        const MAX_STEPS: usize = 4;
        /// A step, times the duration, whose third power is beyond all digits.
        const SHORT: f64 = 1e-9;
        /// One that the rounded slope does not make imprecise either.
        const SHORTEST: f64 = 1e-15;
        for _ in 0..MAX_STEPS {
            let found = self.discounted(y, care, terms);
            let [_, slope, bend] = found.moments.signed;
            let newton = found.value.high / slope;
            let bent = bend * newton * newton / (2.0 * slope);
            let step = newton + bent;
            let short = match care {
                Care::Usual => SHORT,
                Care::Great => SHORTEST + (y * self.duration()).abs() * f64::EPSILON,
            };
            if (step * self.duration()).abs() <= short && bent.abs() <= newton.abs() * 0.01 {
                let root = self.enclosed(y, newton, bent, &found)?;
                return Some((root, found));
            }
            y += step;
            if y.is_nan() || (y * self.duration()).abs() > MAX_EXPONENT {
                return None;
            }
        }
        None
    }

    /// The sum at `y`.
    fn discounted(&self, y: f64, care: Care, terms: &mut Vec<f64>) -> Discounted {
        let relative = |x: Ball| x.radius() / x.approximate() * (1.0 + 1e-9);
        if care == Care::Usual {
            let x = Ball::approximately(-y).exp();
            return discounted(&self.amounts, &self.gaps, Discount::Unit(x.middle(), relative(x)), terms);
        }
        let over = |gap: &u64| Ball::within(Twofold::from_f64(-y).mul_f64(*gap as f64), 0.0);
        // The exponent loses 2^−103 of itself.
        let exponent = |gap: &u64| y.abs() * *gap as f64 * (1.0 / (1_u128 << 102) as f64);
        let (mut powers, mut error) = (Vec::with_capacity(self.gaps.len()), 0.0_f64);
        for gap in &self.gaps {
            let power = over(gap).exp();
            error = error.max(relative(power) + exponent(gap));
            powers.push(power.middle());
        }
        discounted(&self.amounts, &self.gaps, Discount::Gaps(&powers, error), terms)
    }

    /// The root with its bound.
    ///
    /// With f the sum, m1 and m2 the first two moments of the terms' magnitudes, T
    /// the duration and s = Σ v·t, b = Σ v·t²: f(y + d) = f − s·d + b·d²/2 + R, and
    /// |R| ≤ T·m2·|d|³/6·e^(T|d|). s and b are known to n + 8 units of 2^−52 of m1 and
    /// m2. For d = n + c, n = f/s and c = b·n²/2s, each rounded, the first three
    /// terms cancel up to 2^−50 of |f| + m1·|d| (the roundings), the errors of s and
    /// b, and b·(d² − n²)/2. The quotient of what is left by the least slope nearby
    /// bounds the distance of the root; that the slope keeps its sign makes it the
    /// only one there.
    fn enclosed(&self, place: f64, newton: f64, bent: f64, found: &Discounted) -> Option<Root> {
        /// Room for e^(T|d|) and for the roundings of the bounds.
        const ROOM: f64 = 1.01;
        /// Least slope in terms of the first moment: below, a root may be double.
        const STEEP: f64 = 1e-6;
        let ([_, slope, bend], [_, first, second]) = (found.moments.signed, found.moments.sizes);
        let duration = self.duration();
        let relative = moment_error(self.amounts.len());
        let step = newton + bent;
        let far = newton.abs() + bent.abs();
        let roundings = (found.value.high.abs() + first * far) * f64::EPSILON * 4.0;
        let errors = relative * (first * far + second * far * far);
        let rest = bend.abs() * bent.abs() * far * ROOM + duration * second * far * far * far / 6.0 * ROOM;
        // Wide enough for the error, as is checked below, and for the proof of what is below.
        let reach = 2.0 * far + 1e-12 / duration;
        let least = slope.abs() - relative * first - ROOM * second * reach;
        let error = (found.error + roundings + errors + rest) / least * ROOM;
        let steep = least > STEEP * first;
        (steep && error <= 5e-13 / duration).then_some(Root { place, step, error, reach })
    }

    /// Why the root is the only one; nothing where the quick rules do not say so.
    fn proof(
        &self,
        side: Side,
        root: &Root,
        found: &Discounted,
        terms: &[f64],
        several: &dyn Fn() -> bool,
    ) -> Option<Option<Proof>> {
        if self.sign_changes == 1 {
            return Some(Some(Proof::OneSignChange));
        }
        // The terms were taken `reach` or less from where the proof is to hold, and
        // rounded; the slope there is known, and with it the sign below the root.
        let noise = 2.0 * self.duration() * root.reach + Ball::RESOLUTION.sqrt() * 2.0;
        let Moments { signed: [_, slope, _], sizes: [size, ..] } = found.moments;
        let sampled = Sampled { amounts: &self.amounts, terms, size, noise, falls: slope > 0.0, several };
        Some(sampled.proves_only_root(side)?.then_some(Proof::RunningBalance))
    }

    fn solution(&self, root: &Root, moments: &Moments) -> Option<Solution> {
        /// Rates closer to zero are left to the general way.
        const SMALLEST: f64 = 1e-12;
        /// Bound on the relative error of a few double-double operations.
        const UNIT: f64 = 1.0 / (1_u128 << 100) as f64;
        let place = Twofold::from_f64(root.place) + Twofold::from_f64(root.step);
        let middle = place.mul_f64(self.units_per_year);
        let radius = (root.error * self.units_per_year + middle.high.abs() * UNIT) * (1.0 + 1e-9);
        let ([_, slope, _], [size, first, second]) = (moments.signed, moments.sizes);
        let relative = moment_error(self.amounts.len());
        // Slope and size change by no more than this up to the root and next to it.
        let slope_error = (relative * first + 1.01 * second * root.reach) / slope.abs();
        let size_error = relative + 1.01 * self.duration() * root.reach;
        (middle.high.abs() > SMALLEST).then_some(Solution {
            root: Ball::within(middle, radius),
            slope: slope.abs() / size / self.units_per_year,
            slope_error: (slope_error + size_error) * 1.01,
        })
    }
}

impl Solution {
    /// |Σ| / Σ|terms| at the logarithmic rate as it is printed, to three digits,
    /// where the slope at the root proves them.
    pub(crate) fn residual(&self, log_rate: Rounded) -> Option<Rounded> {
        /// A hair beside the share below which a sum counts as zero.
        const DUST: f64 = 1e-24;
        let distance = Ball::rounded(log_rate) - self.root;
        let residual = distance.approximate().abs() * self.slope;
        let open = distance.radius() / distance.approximate().abs();
        let error = (open + self.slope_error) * 1.01 + 1e-14;
        if residual * (1.0 + error) < DUST * (1.0 - 1e-9) {
            return Some(Rounded::ZERO);
        }
        if residual * (1.0 - error) > DUST * (1.0 + 1e-9) { three_digits(residual, error) } else { None }
    }
}

/// A number from 1e-24 to 1e-3 with a relative error, to three digits.
fn three_digits(value: f64, error: f64) -> Option<Rounded> {
    /// Beyond, a number times its power of ten has more roundings than are counted here.
    const LARGEST: f64 = 1e-3;
    if value.is_nan() || value > LARGEST {
        return None;
    }
    let places = 2 - value.log10().floor() as i32;
    let scaled = value * 1e5 * 10_f64.powi(places - 5);
    let nearest = scaled.round();
    let clear = (scaled - nearest).abs() + scaled * (error + 1e-13) < 0.5;
    let digits = (100.0..1000.0).contains(&nearest) && scaled > 100.001 && scaled < 998.999;
    (clear && digits).then(|| Rounded::normalized(nearest as i128, -i64::from(places))).flatten()
}

/// Bound on the relative error of a sum of this many terms, each product of a few doubles.
fn moment_error(count: usize) -> f64 {
    (count + 8) as f64 * f64::EPSILON
}

/// The step to where ln(paid in / paid out) is zero; not a number where that is unclear.
pub(super) fn halley(moments: &Moments) -> f64 {
    let ([s0, s1, s2], [m0, m1, m2]) = (moments.signed, moments.sizes);
    let (up, down) = (m0 + s0, m0 - s0);
    let (up_mean, down_mean) = ((m1 + s1) / up, (m1 - s1) / down);
    let slope = down_mean - up_mean;
    let bend = (m2 + s2) / up - up_mean * up_mean - ((m2 - s2) / down - down_mean * down_mean);
    let newton = -(up / down).ln() / slope;
    let curved = 1.0 + newton * bend / (2.0 * slope);
    if curved > 0.5 { newton / curved } else { newton }
}

/// x to a whole power.
pub(super) fn power(x: f64, exponent: u64) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, x, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    result
}
