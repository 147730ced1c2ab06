//! A stream of dated flows as an exponential sum.

use std::cmp::Ordering;

use crate::number::{Exact, Failure, Figure, Real, Whole};

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
    amount: Whole,
    /// The amount to the precision of an `f64`.
    size: f64,
    time: u64,
    /// Index into `gaps` of the distance from the term before.
    gap: usize,
}

/// The factors that a sum is taken with, term by term, and their signs.
#[derive(Clone)]
pub(crate) struct Weights<R> {
    factors: Vec<R>,
    negative: Vec<bool>,
}

impl<R: Real> Weights<R> {
    /// Index of the first term whose sign differs from that of the term before.
    pub(crate) fn first_change(&self) -> Option<usize> {
        let pairs = self.negative.iter().zip(self.negative.iter().skip(1));
        pairs.enumerate().find(|(_, (a, b))| a != b).map(|(index, _)| index + 1)
    }

    /// Changes of sign from term to term.
    pub(crate) fn sign_changes(&self) -> usize {
        self.negative.iter().zip(self.negative.iter().skip(1)).filter(|(a, b)| a != b).count()
    }
}

/// A weighted sum of the discounted terms, the sum of their magnitudes, and the
/// sum's slope: its derivative in −w, per unit of time.
pub(crate) struct Sums<R> {
    pub(crate) value: R,
    pub(crate) size: R,
    pub(crate) slope: R,
}

impl<R: Real> Sums<R> {
    /// The sign of the value; equal where it is within the noise of its terms.
    pub(crate) fn sign(&self) -> Figure<Ordering> {
        let noise = self.size.clone() * R::approximately(R::NOISE);
        if self.value.is_within(&noise)? { Ok(Ordering::Equal) } else { self.value.sign() }
    }

    /// |Σ| / Σ|terms|.
    pub(crate) fn residual(&self) -> Figure<R> {
        (self.value.clone() / self.size.clone()).magnitude().without_dust(&R::one())
    }
}

impl Stream {
    /// Nets flows of the same time and drops what nets to zero. Times are units
    /// of which `units_per_year` make a year, in ascending order.
    pub(crate) fn new(flows: &[(i64, &Exact)], units_per_year: i64) -> Self {
        let scale = flows.iter().map(|(_, amount)| amount.scale()).max().unwrap_or(0);
        let mut netted: Vec<(i64, Whole)> = Vec::with_capacity(flows.len());
        for (time, amount) in flows {
            let amount = amount.mantissa_at(scale);
            match netted.last_mut() {
                Some((last, total)) if last == time => *total = &*total + &amount,
                _ => netted.push((*time, amount)),
            }
        }
        netted.retain(|(_, amount)| !amount.is_zero());
        let first = netted.first().map_or(0, |(time, _)| *time);
        let amounts = netted.into_iter().map(|(time, amount)| ((time - first).unsigned_abs(), amount));
        Self::from_amounts(amounts.collect(), units_per_year)
    }

    fn from_amounts(amounts: Vec<(u64, Whole)>, units_per_year: i64) -> Self {
        let distance = |index: usize, time: u64| {
            index.checked_sub(1).and_then(|before| amounts.get(before)).map_or(0, |(before, _)| time - before)
        };
        let distances: Vec<u64> =
            amounts.iter().enumerate().map(|(i, (time, _))| distance(i, *time)).collect();
        let mut gaps = distances.clone();
        gaps.sort_unstable();
        gaps.dedup();
        let terms = amounts.into_iter().zip(distances).map(|((time, amount), distance)| Term {
            size: amount.to_f64(),
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
        let total = self.terms.iter().fold(Whole::ZERO, |total, term| &total + &term.amount);
        total.cmp(&Whole::ZERO)
    }

    /// A `w` beyond which the flow at time zero outweighs all others together.
    pub(crate) fn domination_bound(&self) -> f64 {
        let size = |term: &Term| term.size.abs();
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

    /// The flows themselves.
    pub(crate) fn weights<R: Real>(&self) -> Weights<R> {
        Weights {
            factors: self.terms.iter().map(|term| R::ratio(&term.amount, &Whole::ONE)).collect(),
            negative: self.terms.iter().map(|term| term.amount.is_negative()).collect(),
        }
    }

    /// Weights times τ − s, with τ between the term `change` and the one before:
    /// the derivative of e^(wτ)·Σ, up to a positive factor. One change of sign less.
    pub(crate) fn derived<R: Real>(&self, weights: &Weights<R>, change: usize) -> Weights<R> {
        let time = |index: usize| self.terms.get(index).map_or(0, |term| to_integer(term.time));
        let (twice_tau, scale) =
            (time(change.saturating_sub(1)) + time(change), R::integer(2 * time(self.len() - 1)));
        let lever = |term: &Term| twice_tau - 2 * to_integer(term.time);
        let factors = self.terms.iter().zip(&weights.factors);
        Weights {
            factors: factors
                .map(|(term, factor)| factor.clone() * R::integer(lever(term)) / scale.clone())
                .collect(),
            negative: self
                .terms
                .iter()
                .zip(&weights.negative)
                .map(|(term, sign)| *sign != (lever(term) < 0))
                .collect(),
        }
    }

    /// The weighted terms at `w`, in order of time.
    fn discounted<R: Real>(&self, weights: &Weights<R>, w: &R) -> Vec<R> {
        let discounts = self.discounts(w);
        let mut discount = R::one();
        let term = |(term, factor): (&Term, &R)| {
            if let Some(step) = discounts.get(term.gap) {
                discount = discount.clone() * step.clone();
            }
            factor.clone() * discount.clone()
        };
        self.terms.iter().zip(&weights.factors).map(term).collect()
    }

    /// The weighted sum at `w`.
    pub(crate) fn sums<R: Real>(&self, weights: &Weights<R>, w: &R) -> Sums<R> {
        let mut sums = Sums { value: R::zero(), size: R::zero(), slope: R::zero() };
        let terms = self.terms.iter().zip(&weights.negative).zip(self.discounted(weights, w));
        for ((term, negative), discounted) in terms {
            let magnitude = if *negative { -discounted.clone() } else { discounted.clone() };
            sums.slope = sums.slope + discounted.clone() * R::integer(to_integer(term.time));
            sums.value = sums.value + discounted;
            sums.size = sums.size + magnitude;
        }
        sums
    }

    /// The sum and its slope as plain `f64` values: a place to start from.
    pub(crate) fn sketch(&self, w: f64) -> (f64, f64) {
        let rate = -w / self.units_per_year as f64;
        let discounts: Vec<f64> = self.gaps.iter().map(|gap| (rate * *gap as f64).exp()).collect();
        let (mut value, mut slope, mut discount) = (0.0, 0.0, 1.0);
        for term in &self.terms {
            discount *= discounts.get(term.gap).copied().unwrap_or(1.0);
            let discounted = term.size * discount;
            value += discounted;
            slope += discounted * term.time as f64;
        }
        (value, slope)
    }

    /// Whether it is proven that one root lies above `w` and none below.
    ///
    /// On a grid of time units the sum is a power series in the discount factor,
    /// and so is its quotient by (1 − x)^k: its coefficients are the running
    /// totals of the discounted flows, taken k times. By Descartes' rule there are
    /// no more roots above `w` than these totals change sign (Norstrom 1972 for
    /// k = 1), and no more below than the totals run from the last flow back.
    ///
    /// Imprecise where a term is too small for the type: it would count as nothing.
    pub(crate) fn proves_only_root_above<R: Real>(&self, w: &R) -> Figure<bool> {
        let terms = self.discounted(&self.weights(), w);
        if terms.iter().any(|term| matches!(term.sign(), Ok(Ordering::Equal))) {
            return Err(Failure::Imprecise);
        }
        let forward = self.terms.iter().map(|term| term.time).zip(terms.iter().cloned());
        let backward = self.terms.iter().map(|term| self.duration() - term.time).zip(terms.iter().cloned());
        Ok(running_totals_change(self.duration(), forward, 1)
            && running_totals_change(self.duration(), backward.rev(), 0))
    }
}

fn to_integer(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// Running totals taken again and again, until their signs change at most `allowed` times.
fn running_totals_change<R: Real>(
    duration: u64,
    terms: impl Iterator<Item = (u64, R)>,
    allowed: usize,
) -> bool {
    /// How often totals are taken: more tell more, at the cost of precision.
    const MAX_ROUNDS: usize = 48;
    /// Longest grid worth walking.
    const MAX_GRID: u64 = 200_000;
    let terms: Vec<(u64, R)> = terms.collect();
    // Between the flows the first totals stay as they are: they need no grid.
    let first = totals(terms.iter().map(|(_, term)| term.clone()));
    if sign_changes(first.iter()).is_ok_and(|changes| changes <= allowed) {
        return true;
    }
    if duration >= MAX_GRID {
        return false;
    }
    let mut folded: Vec<R> = Vec::new();
    for (time, term) in terms {
        let position = usize::try_from(time).unwrap_or(usize::MAX);
        while folded.len() < position {
            folded.push(R::zero());
        }
        folded.push(term);
    }
    // Beyond the last flow, a k-fold total is a positive combination of the last
    // totals of every fold, so that their signs bound the changes still to come.
    let mut ends: Vec<R> = Vec::new();
    for _ in 0..MAX_ROUNDS {
        folded = totals(folded.into_iter());
        if sign_changes(folded.iter().chain(ends.iter().rev())).is_ok_and(|changes| changes <= allowed) {
            return true;
        }
        ends.extend(folded.last().cloned());
    }
    false
}

/// Running totals.
fn totals<R: Real>(terms: impl Iterator<Item = R>) -> Vec<R> {
    let mut total = R::zero();
    let add = |term| {
        total = total.clone() + term;
        total.clone()
    };
    terms.map(add).collect()
}

fn sign_changes<'a, R: Real + 'a>(values: impl Iterator<Item = &'a R>) -> Figure<usize> {
    let (mut last, mut changes) = (Ordering::Equal, 0);
    for value in values {
        let sign = value.sign()?;
        changes += usize::from(last != Ordering::Equal && sign == last.reverse());
        last = if sign == Ordering::Equal { last } else { sign };
    }
    Ok(changes)
}
