//! Gains and capitals of all sub-periods at once, in integers of the smallest size that
//! holds them.

use std::ops::Sub;

use chrono::NaiveDate;

use super::chain::{Interval, Places, fraction, half_days_at_work};
use super::day_count::days_between;
use super::links::{Gap, Links, Step};
use crate::model::{CashFlow, TimeSeriesView, Timing};
use crate::number::{DecimalsView, Exact, Integers, Whole, extremes, steps};

/// The links between boundaries, `ends` being all their dates but the first, and the gaps
/// among them; none where numbers are too large.
pub(super) fn cut(
    boundaries: TimeSeriesView<'_>,
    ends: &[NaiveDate],
    flows: &[(&CashFlow, Timing)],
) -> Option<(Links, Vec<(usize, Gap)>)> {
    let linked = Columns::<f64>::cut(boundaries, ends, flows).map(Columns::into_links);
    let linked = linked.or_else(|| Columns::<i64>::cut(boundaries, ends, flows).map(Columns::into_links));
    linked.or_else(|| Columns::<i128>::cut(boundaries, ends, flows).map(Columns::into_links))
}

/// The changes from one level to another; none where numbers are too large.
pub(super) fn changes(levels: DecimalsView<'_>, steps: &[Step]) -> Option<Links> {
    let changes = Columns::<f64>::between(levels, steps).map(Columns::into_links);
    let changes = changes.or_else(|| Columns::<i64>::between(levels, steps).map(Columns::into_links));
    let changes = changes.or_else(|| Columns::<i128>::between(levels, steps).map(Columns::into_links));
    changes.map(|(links, _)| links)
}

/// Integers of one size.
trait Integer: Copy + PartialOrd + Sub<Output = Self> {
    const ZERO: Self;
    const ONE: Self;

    /// An integer, where it fits.
    fn of(integer: i128) -> Option<Self>;

    /// The integer.
    fn get(self) -> i128;

    /// Mantissas at a common scale, where each fits, and each difference of two.
    fn mantissas(values: DecimalsView<'_>, scale: u32) -> Option<Vec<Self>>;

    /// From each to the next.
    fn steps(integers: &[Self]) -> Vec<Self> {
        integers.iter().zip(integers.get(1..).unwrap_or_default()).map(|(from, to)| *to - *from).collect()
    }

    /// The smallest, or one where none is smaller.
    fn least(integers: &[Self]) -> Self {
        integers.iter().fold(Self::ONE, |least, integer| if *integer < least { *integer } else { least })
    }

    /// As they go on.
    fn gathered(integers: Vec<Self>) -> Integers;
}

/// Up to 2^53 an `f64` is an integer that is no longer converted.
impl Integer for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn of(integer: i128) -> Option<Self> {
        // Through 64 bits, which is one instruction.
        let short = i64::try_from(integer).ok()?;
        (short.unsigned_abs() <= 1 << Self::MANTISSA_DIGITS).then_some(short as Self)
    }

    fn get(self) -> i128 {
        (self as i64).into()
    }

    fn mantissas(values: DecimalsView<'_>, scale: u32) -> Option<Vec<Self>> {
        values.doubles_at(scale)
    }

    fn steps(integers: &[Self]) -> Vec<Self> {
        steps(integers)
    }

    fn least(integers: &[Self]) -> Self {
        let [least, _] = extremes(integers);
        least
    }

    fn gathered(integers: Vec<Self>) -> Integers {
        Integers::from_doubles(integers)
    }
}

impl Integer for i64 {
    const ZERO: Self = 0;
    const ONE: Self = 1;

    fn of(integer: i128) -> Option<Self> {
        integer.try_into().ok()
    }

    fn get(self) -> i128 {
        self.into()
    }

    fn mantissas(values: DecimalsView<'_>, scale: u32) -> Option<Vec<Self>> {
        values.mantissas_at(scale)
    }

    fn gathered(integers: Vec<Self>) -> Integers {
        integers.as_slice().into()
    }
}

impl Integer for i128 {
    const ZERO: Self = 0;
    const ONE: Self = 1;

    fn of(integer: i128) -> Option<Self> {
        Some(integer)
    }

    fn get(self) -> i128 {
        self
    }

    fn mantissas(values: DecimalsView<'_>, scale: u32) -> Option<Vec<Self>> {
        values.iter().map(|value| long_mantissa(&value, scale)).collect()
    }

    fn gathered(integers: Vec<Self>) -> Integers {
        integers.as_slice().into()
    }
}

/// A mantissa at a scale, where it leaves room in 128 bits for a length in half days.
fn long_mantissa(value: &Exact, scale: u32) -> Option<i128> {
    const MAX_BITS: u32 = 100;
    if let Some(mantissa) = value.short_mantissa_at(scale) {
        return Some(mantissa.into());
    }
    let power = 10_i128.checked_pow(scale.checked_sub(value.scale())?)?;
    let mantissa = value.mantissa().to_i128()?.checked_mul(power)?;
    Some(mantissa).filter(|mantissa| mantissa.unsigned_abs() < 1 << MAX_BITS)
}

/// What the flows of one sub-period add up to.
struct Sum {
    index: usize,
    /// ΣC.
    flow: i128,
    /// Σ 2Dw·C.
    weighted: i128,
}

/// Gains and capitals.
struct Columns<I> {
    gains: Vec<I>,
    capitals: Vec<I>,
}

impl<I: Integer> Columns<I> {
    /// None where one of them does not fit. A sub-period without a flow needs no
    /// weights, and so no multiple of its length.
    fn cut(
        boundaries: TimeSeriesView<'_>,
        ends: &[NaiveDate],
        flows: &[(&CashFlow, Timing)],
    ) -> Option<Self> {
        let scale = boundaries.values().scale();
        let scale = flows.iter().fold(scale, |scale, (flow, _)| scale.max(flow.amount.scale()));
        let mut values = I::mantissas(boundaries.values(), scale)?;
        let mut gains = I::steps(&values);
        // In ascending order, so that a value is no capital yet where the next one needs it.
        for sum in sums(ends, flows, scale)? {
            let (from, to) = (sum.index, sum.index + 1);
            let date = |index: usize| boundaries.dates().get(index).copied();
            let half_days = i128::from(2 * days_between(date(from)?, date(to)?));
            let (beginning, ending) = (values.get(from)?.get(), values.get(to)?.get());
            let (gain, capital) = fraction(&beginning, &ending, &sum.flow, &sum.weighted, &half_days);
            (*gains.get_mut(from)?, *values.get_mut(from)?) = (I::of(gain)?, I::of(capital)?);
        }
        values.truncate(ends.len());
        Some(Self { gains, capitals: values })
    }

    /// The same between levels.
    fn between(levels: DecimalsView<'_>, steps: &[Step]) -> Option<Self> {
        let levels = I::mantissas(levels, levels.scale())?;
        let (mut gains, mut capitals) = (Vec::with_capacity(steps.len()), Vec::with_capacity(steps.len()));
        for step in steps {
            let ends = step.and_then(|(from, to)| Some((*levels.get(from)?, *levels.get(to)?)));
            let (gain, capital) = ends.map_or((I::ZERO, I::ONE), |(capital, to)| (to - capital, capital));
            gains.push(gain);
            capitals.push(capital);
        }
        Some(Self { gains, capitals })
    }

    /// What has no return stands as none, and among the gaps.
    fn into_links(mut self) -> (Links, Vec<(usize, Gap)>) {
        let mut gaps = Vec::new();
        if I::least(&self.capitals) <= I::ZERO {
            for (index, (gain, capital)) in self.gains.iter_mut().zip(&mut self.capitals).enumerate() {
                let whole = |value: I| Whole::from(value.get());
                match Interval::new(whole(*gain), whole(*capital)) {
                    Interval::Earning(_) => continue,
                    Interval::Idle => gaps.push((index, Gap::Idle)),
                    Interval::NoCapital => gaps.push((index, Gap::NoCapital)),
                }
                (*gain, *capital) = (I::ZERO, I::ONE);
            }
        }
        (Links::new(I::gathered(self.gains), I::gathered(self.capitals)), gaps)
    }
}

/// The flows of each sub-period that has any, in ascending order.
fn sums(ends: &[NaiveDate], flows: &[(&CashFlow, Timing)], scale: u32) -> Option<Vec<Sum>> {
    let mut placed: Vec<Sum> = Vec::with_capacity(flows.len());
    let mut places = Places::new(ends);
    for (flow, timing) in flows {
        let index = places.next(flow.date, *timing);
        let Some(end) = ends.get(index) else { continue };
        let amount = long_mantissa(&flow.amount, scale)?;
        let weighted = amount * i128::from(half_days_at_work(flow.date, *timing, *end));
        placed.push(Sum { index, flow: amount, weighted });
    }
    placed.sort_by_key(|sum| sum.index);
    placed.dedup_by(|next, sum| {
        let same = next.index == sum.index;
        if same {
            sum.flow += next.flow;
            sum.weighted += next.weighted;
        }
        same
    });
    Some(placed)
}
