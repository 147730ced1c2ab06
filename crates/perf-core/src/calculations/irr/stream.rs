//! A stream of dated flows as an exponential sum.

use std::cmp::Ordering;

use dashu_base::Signed;
use dashu_int::IBig;

use crate::number::{Exact, Figure, Real};

/// Σ a·e^(−w·s/year) over flows a at times s ≥ 0, seen from one end: `w` ≥ 0 is
/// ln(1 + r) seen from the first flow, −ln(1 + r) seen from the last. Either way
/// every term falls as `w` grows, and the flow at time zero dominates in the end.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    terms: Vec<Term>,
    /// Distinct distances between neighbouring terms.
    gaps: Vec<u64>,
    units_per_year: i64,
}

#[derive(Clone, Debug)]
struct Term {
    amount: IBig,
    time: u64,
    /// Index into `gaps` of the distance from the term before.
    gap: usize,
}

/// The positive and the negative part of a sum, and of its derivative in −w.
pub(crate) struct Sums<R> {
    pub(crate) gains: R,
    pub(crate) losses: R,
    pub(crate) slope_gains: R,
    pub(crate) slope_losses: R,
}

impl<R: Real> Sums<R> {
    pub(crate) fn value(&self) -> R {
        self.gains.clone() - self.losses.clone()
    }

    pub(crate) fn slope(&self) -> R {
        self.slope_gains.clone() - self.slope_losses.clone()
    }

    /// The sign of the value; equal where it is dust of its terms.
    pub(crate) fn sign(&self) -> Figure<Ordering> {
        self.value().without_dust(&(self.gains.clone() + self.losses.clone()))?.sign()
    }

    /// |Σ| / Σ|terms|.
    pub(crate) fn residual(&self) -> Figure<R> {
        let terms = self.gains.clone() + self.losses.clone();
        (self.value() / terms).magnitude().without_dust(&R::one())
    }
}

impl Stream {
    /// Nets flows of the same time and drops what nets to zero. Times are units
    /// of which `units_per_year` make a year, in ascending order.
    pub(crate) fn new(flows: &[(i64, &Exact)], units_per_year: i64) -> Self {
        let scale = flows.iter().map(|(_, amount)| amount.scale()).max().unwrap_or(0);
        let mut netted: Vec<(i64, IBig)> = Vec::with_capacity(flows.len());
        for (time, amount) in flows {
            let amount = amount.mantissa_at(scale);
            match netted.last_mut() {
                Some((last, total)) if last == time => *total += amount,
                _ => netted.push((*time, amount)),
            }
        }
        netted.retain(|(_, amount)| !amount.is_zero());
        let first = netted.first().map_or(0, |(time, _)| *time);
        let amounts = netted.into_iter().map(|(time, amount)| ((time - first).unsigned_abs(), amount));
        Self::from_amounts(amounts.collect(), units_per_year)
    }

    fn from_amounts(amounts: Vec<(u64, IBig)>, units_per_year: i64) -> Self {
        let distance = |index: usize, time: u64| {
            index.checked_sub(1).and_then(|before| amounts.get(before)).map_or(0, |(before, _)| time - before)
        };
        let distances: Vec<u64> =
            amounts.iter().enumerate().map(|(i, (time, _))| distance(i, *time)).collect();
        let mut gaps = distances.clone();
        gaps.sort_unstable();
        gaps.dedup();
        let terms = amounts.into_iter().zip(distances).map(|((time, amount), distance)| Term {
            amount,
            time,
            gap: gaps.partition_point(|gap| *gap < distance),
        });
        Self { terms: terms.collect(), gaps, units_per_year }
    }

    /// The same stream seen from its other end.
    pub(crate) fn reversed(&self) -> Self {
        let last = self.duration();
        let amounts = self.terms.iter().rev().map(|term| (last - term.time, term.amount.clone()));
        Self::from_amounts(amounts.collect(), self.units_per_year)
    }

    pub(crate) fn units_per_year(&self) -> i64 {
        self.units_per_year
    }

    pub(crate) fn len(&self) -> usize {
        self.terms.len()
    }

    /// Time of the last flow.
    fn duration(&self) -> u64 {
        self.terms.last().map_or(0, |term| term.time)
    }

    /// Time of the last flow in years, at least one unit.
    pub(crate) fn years(&self) -> f64 {
        self.duration().max(1) as f64 / self.units_per_year as f64
    }

    /// Changes of sign from flow to flow.
    pub(crate) fn sign_changes(&self) -> usize {
        let signs = self.terms.iter().map(|term| term.amount.is_negative());
        signs.clone().zip(signs.skip(1)).filter(|(a, b)| a != b).count()
    }

    /// The sign of the flow that dominates for large `w`.
    pub(crate) fn dominant_sign(&self) -> Ordering {
        match self.terms.first() {
            Some(term) if term.amount.is_negative() => Ordering::Less,
            Some(_) => Ordering::Greater,
            None => Ordering::Equal,
        }
    }

    /// The sign of the undiscounted sum, exactly.
    pub(crate) fn total_sign(&self) -> Ordering {
        let total: IBig = self.terms.iter().map(|term| &term.amount).sum();
        total.cmp(&IBig::ZERO)
    }

    /// A `w` beyond which the flow at time zero outweighs all others together.
    pub(crate) fn domination_bound(&self) -> f64 {
        let size = |term: &Term| term.amount.to_f64().value().abs();
        let first = self.terms.first().map_or(0.0, size);
        let year = self.units_per_year as f64;
        let others = |w: f64| -> f64 {
            self.terms.iter().skip(1).map(|term| size(term) * (-w * term.time as f64 / year).exp()).sum()
        };
        /// Far above the rounding of the sum.
        const MARGIN: f64 = 1.0 - 1e-9;
        let (mut bound, mut step) = (0.0, 1.0 / self.years());
        while others(bound) >= first * MARGIN && bound < f64::MAX / 4.0 {
            bound += step;
            step *= 2.0;
        }
        bound
    }

    /// e^(−w·gap/year) for every distinct gap.
    fn discounts<R: Real>(&self, w: &R) -> Vec<R> {
        let unit = (-(w.clone() / R::integer(self.units_per_year))).exp();
        self.gaps.iter().map(|gap| unit.power_integer(*gap)).collect()
    }

    /// The terms a·e^(−w·s/year), in order of time.
    fn discounted<R: Real>(&self, w: &R) -> Vec<R> {
        let discounts = self.discounts(w);
        let mut discount = R::one();
        let term = |term: &Term| {
            if let Some(step) = discounts.get(term.gap) {
                discount = discount.clone() * step.clone();
            }
            R::ratio(&term.amount, &IBig::ONE) * discount.clone()
        };
        self.terms.iter().map(term).collect()
    }

    /// The derivative of order `order` at `w`, up to its sign and a positive factor.
    pub(crate) fn sums<R: Real>(&self, w: &R, order: u64) -> Sums<R> {
        let zero = R::zero;
        let mut sums = Sums { gains: zero(), losses: zero(), slope_gains: zero(), slope_losses: zero() };
        for (term, discounted) in self.terms.iter().zip(self.discounted(w)) {
            let time = R::integer(i64::try_from(term.time).unwrap_or(i64::MAX));
            let value = if order == 0 { discounted } else { discounted * time.power_integer(order) };
            let slope = value.clone() * time;
            if term.amount.is_negative() {
                sums.losses = sums.losses - value;
                sums.slope_losses = sums.slope_losses - slope;
            } else {
                sums.gains = sums.gains + value;
                sums.slope_gains = sums.slope_gains + slope;
            }
        }
        sums
    }

    /// Whether at most one root lies above `w` and none below.
    ///
    /// The roots above `w` are no more than the sign changes of the running sums
    /// of the flows discounted at `w`, and those below no more than the sign
    /// changes of the sums run from the last flow back (Norstrom 1972; Descartes'
    /// rule for a Laplace transform).
    pub(crate) fn is_only_root_above<R: Real>(&self, w: &R) -> Figure<bool> {
        let terms = self.discounted(w);
        Ok(running_sign_changes(terms.iter())? <= 1 && running_sign_changes(terms.iter().rev())? == 0)
    }
}

fn running_sign_changes<'a, R: Real + 'a>(terms: impl Iterator<Item = &'a R>) -> Figure<usize> {
    let (mut total, mut last, mut changes) = (R::zero(), Ordering::Equal, 0);
    for term in terms {
        total = total + term.clone();
        let sign = total.sign()?;
        changes += usize::from(last != Ordering::Equal && sign == last.reverse());
        last = if sign == Ordering::Equal { last } else { sign };
    }
    Ok(changes)
}
