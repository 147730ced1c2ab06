//! Running totals of discounted flows: the proof that there is no second root.

use crate::number::Amount;

/// How often totals are taken: more tell more, at the cost of precision.
const MAX_ROUNDS: usize = 48;
/// Rounds that cost less than to look for other roots.
const ENOUGH: usize = 5;
/// Longest grid worth walking.
const MAX_GRID: u64 = 200_000;

/// Where the root lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// ln(1 + r) is positive: seen from the first flow.
    Above,
    /// It is negative: seen from the last flow.
    Below,
}

/// Flows discounted at a rate a hair beside a root, on plain doubles.
pub(super) struct Sampled<'a> {
    pub(super) amounts: &'a [Amount],
    pub(super) terms: &'a [f64],
    /// Σ |terms|.
    pub(super) size: f64,
    /// Bound on the relative error of a term.
    pub(super) noise: f64,
    /// Whether the sum falls as the rate grows through the root.
    pub(super) falls: bool,
    /// Whether there are several roots: then no totals, however often taken, say otherwise.
    pub(super) several: &'a dyn Fn() -> bool,
}

impl Sampled<'_> {
    /// What [`Stream::proves_only_root_above`](super::stream::Stream) answers just below the
    /// root, seen from its side; `None` where a total is too close to zero to tell.
    pub(super) fn proves_only_root(&self, side: Side) -> Option<bool> {
        let last = self.amounts.last().map_or(0.0, |amount| amount.time);
        let pairs = self.amounts.iter().map(|amount| amount.time).zip(self.terms.iter().copied());
        let mirrored = pairs.clone().rev().map(|(time, term)| (last - time, term));
        match side {
            Side::Above => self.both(pairs, mirrored, self.falls),
            Side::Below => self.both(mirrored, pairs, !self.falls),
        }
    }

    /// `rising` says whether the whole sum just below the root is positive.
    fn both(
        &self,
        forward: impl Iterator<Item = (f64, f64)> + Clone,
        backward: impl Iterator<Item = (f64, f64)> + Clone,
        positive: bool,
    ) -> Option<bool> {
        if !self.totals_change(forward, positive, 1)? {
            return Some(false);
        }
        self.totals_change(backward, positive, 0)
    }

    /// Whether running totals, taken again and again, change sign at most `allowed` times.
    fn totals_change(
        &self,
        terms: impl Iterator<Item = (f64, f64)> + Clone,
        positive: bool,
        allowed: usize,
    ) -> Option<bool> {
        let count = self.terms.len();
        let noise = self.size * (self.noise + count as f64 * f64::EPSILON);
        let (mut total, mut signs) = (0.0, Signs::default());
        for (_, term) in terms.clone().take(count.saturating_sub(1)) {
            total += term;
            signs.see(total, noise);
        }
        signs.see_sign(positive);
        match signs.verdict(allowed) {
            Verdict::More => self.grid_totals_change(terms, positive, allowed),
            Verdict::Open => None,
            Verdict::Holds => Some(true),
        }
    }

    /// The same on the grid of time units, from the second totals on.
    ///
    /// Totals of the magnitudes, taken as often, bound the errors: a relative error e
    /// of the terms stays one of e, and every time that totals are taken their
    /// additions lose at most a unit of 2^−53 of the magnitudes' total for each.
    fn grid_totals_change(
        &self,
        terms: impl Iterator<Item = (f64, f64)>,
        positive: bool,
        allowed: usize,
    ) -> Option<bool> {
        let last = self.amounts.last().map_or(0, |amount| amount.time as u64);
        if last >= MAX_GRID {
            return Some(false);
        }
        let length = usize::try_from(last).ok()? + 1;
        let mut grid = vec![(0.0, 0.0); length];
        for (time, term) in terms {
            *grid.get_mut(time as usize)? = (term, term.abs());
        }
        let mut ends: Vec<Option<bool>> = Vec::with_capacity(MAX_ROUNDS);
        for round in 1..=MAX_ROUNDS {
            if round == ENOUGH && (self.several)() {
                return Some(false);
            }
            let noise = (self.noise + (round * length) as f64 * f64::EPSILON) * 1.01;
            let (mut total, mut size, mut signs) = (0.0, 0.0, Signs::default());
            for (value, magnitude) in &mut grid {
                total += *value;
                size += *magnitude;
                (*value, *magnitude) = (total, size);
                signs.see(total, size * noise);
            }
            ends.iter().rev().for_each(|sign| signs.see_known(*sign));
            match signs.verdict(allowed) {
                // The first totals were seen before, and their last sign is known.
                _ if round == 1 => ends.push(Some(positive)),
                Verdict::Holds => return Some(true),
                Verdict::Open => return None,
                Verdict::More => ends.push(sign(total, size * noise)),
            }
        }
        Some(false)
    }
}

/// The sign, as whether it is positive, where it is certain.
#[inline(always)]
fn sign(value: f64, noise: f64) -> Option<bool> {
    (value.abs() > noise).then_some(value > 0.0)
}

/// Signs seen one after the other.
#[derive(Default)]
struct Signs {
    last: Option<bool>,
    changes: usize,
    open: bool,
}

enum Verdict {
    /// There are more changes, whatever the open signs are.
    More,
    /// It depends on signs that are open.
    Open,
    Holds,
}

impl Signs {
    #[inline(always)]
    fn see(&mut self, value: f64, noise: f64) {
        self.see_known(sign(value, noise));
    }

    #[inline(always)]
    fn see_known(&mut self, sign: Option<bool>) {
        match sign {
            Some(positive) => self.see_sign(positive),
            None => self.open = true,
        }
    }

    #[inline(always)]
    fn see_sign(&mut self, positive: bool) {
        self.changes += usize::from(self.last == Some(!positive));
        self.last = Some(positive);
    }

    fn verdict(&self, allowed: usize) -> Verdict {
        match (self.changes > allowed, self.open) {
            (true, _) => Verdict::More,
            (false, true) => Verdict::Open,
            (false, false) => Verdict::Holds,
        }
    }
}
