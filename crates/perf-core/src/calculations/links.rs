//! The returns of all sub-periods side by side, as exact fractions.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Sub;

use chrono::NaiveDate;

use super::chain::{
    Interval, Link, SubPeriod, fraction, half_days_at_work, outermost, sub_period_of, sub_periods,
};
use super::day_count::days_between;
use crate::model::{CashFlow, Method, TimeSeries, TimeSeriesView, Timing};
use crate::number::{DecimalsView, Exact, Integers, Real, Series, Whole};

/// Returns in a row, `gain` / `capital` each, exactly; capitals above zero.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    gains: Integers,
    capitals: Integers,
    /// Whether every 1 + r is above zero.
    solvent: bool,
}

impl Links {
    fn new(gains: Integers, capitals: Integers) -> Self {
        let solvent = gains.sums_are_positive(&capitals);
        Self { gains, capitals, solvent }
    }

    pub(crate) fn len(&self) -> usize {
        self.gains.len()
    }

    /// One of them.
    pub(crate) fn get(&self, index: usize) -> Option<Link> {
        Some(Link { gain: self.gains.get(index)?, capital: self.capitals.get(index)? })
    }

    /// The returns as numbers.
    pub(crate) fn rates<R: Real>(&self) -> R::Series {
        Series::ratios(&self.gains, &self.capitals)
    }

    /// The gains: their signs are those of the returns.
    pub(crate) fn gains(&self) -> &Integers {
        &self.gains
    }

    /// Whether every 1 + r is above zero.
    pub(crate) fn are_solvent(&self) -> bool {
        self.solvent
    }

    /// The sign of 1 + r.
    pub(crate) fn factor_sign(&self, index: usize) -> Ordering {
        let sign = |link: Link| (&link.gain + &link.capital).sign();
        if self.solvent { Ordering::Greater } else { self.get(index).map_or(Ordering::Equal, sign) }
    }

    /// r compared with that of another index, exactly.
    pub(crate) fn compare(&self, index: usize, other: usize) -> Ordering {
        match (self.get(index), self.get(other)) {
            (Some(a), Some(b)) => a.compare(&b),
            _ => Ordering::Equal,
        }
    }

    /// Those whose index is to be kept.
    pub(crate) fn keeping(&self, keep: impl Fn(usize) -> bool) -> Self {
        Self::new(self.gains.keeping(&keep), self.capitals.keeping(&keep))
    }

    fn from_links(links: impl Iterator<Item = Link>) -> Self {
        let (gains, capitals): (Vec<Whole>, Vec<Whole>) = links.map(|link| (link.gain, link.capital)).unzip();
        Self::new(gains.into(), capitals.into())
    }

    /// Returns supplied as such.
    pub(crate) fn supplied(values: DecimalsView<'_>) -> Self {
        let (gains, capitals) = values.fractions();
        Self::new(gains, capitals)
    }

    /// One return for the product of several supplied ones.
    pub(crate) fn compounded(values: DecimalsView<'_>) -> Self {
        let mut whole = Link::none();
        for value in values.iter() {
            let (gain, capital) = (value.mantissa(), Whole::power_of_ten(value.scale()));
            // (1 + a/b)(1 + c/d) − 1 = (a·d + c·(a + b)) / (b·d)
            whole.gain = &(&whole.gain * &capital) + &(gain * &(&whole.gain + &whole.capital));
            whole.capital = &whole.capital * &capital;
        }
        Self::from_links(std::iter::once(whole))
    }

    /// The changes from one of some positive levels to another, by their indices; no
    /// change where there is none.
    pub(crate) fn between(levels: DecimalsView<'_>, steps: &[Step]) -> Self {
        changes::<i64>(levels, steps).or_else(|| changes::<i128>(levels, steps)).unwrap_or_else(|| {
            let scale = levels.scale();
            let level = |index: usize| Some(levels.get(index)?.mantissa_at(scale));
            Self::from_links(steps.iter().map(|step| {
                let ends = step.and_then(|(from, to)| Some((level(from)?, level(to)?)));
                ends.map_or_else(Link::none, |(capital, to)| Link { gain: &to - &capital, capital })
            }))
        })
    }
}

/// From one index to another, where there is a step at all.
pub(crate) type Step = Option<(usize, usize)>;

/// The changes from one level to another, where integers of this size hold them.
fn changes<I: Integer>(levels: DecimalsView<'_>, steps: &[Step]) -> Option<Links>
where
    for<'a> Integers: From<&'a [I]>,
{
    let levels = I::mantissas(levels, levels.scale())?;
    let (mut gains, mut capitals) = (Vec::with_capacity(steps.len()), Vec::with_capacity(steps.len()));
    for step in steps {
        let ends = step.and_then(|(from, to)| Some((*levels.get(from)?, *levels.get(to)?)));
        let (gain, capital) = ends.map_or((I::ZERO, I::ONE), |(capital, to)| (to - capital, capital));
        gains.push(gain);
        capitals.push(capital);
    }
    Some(Links::new(gains.as_slice().into(), capitals.as_slice().into()))
}

/// A sub-period that has no return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Neither capital nor gain: left out of the chain.
    Idle,
    /// Gain, or debt, without capital: ends the chain.
    NoCapital,
}

/// The returns of consecutive sub-periods. One that has none stands as a zero, and
/// among the gaps.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// End of each.
    pub(crate) ends: Vec<NaiveDate>,
    pub(crate) links: Links,
    /// By index, ascending.
    pub(crate) gaps: Vec<(usize, Gap)>,
}

impl Chain {
    pub(crate) fn gap(&self, index: usize) -> Option<Gap> {
        let position = self.gaps.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.gaps.get(position).map(|(_, gap)| *gap)
    }

    /// Ends of the gaps of one kind.
    pub(crate) fn ends_of(&self, wanted: Gap) -> Vec<NaiveDate> {
        let gaps = self.gaps.iter().filter(|(_, gap)| *gap == wanted);
        gaps.filter_map(|(index, _)| self.ends.get(*index).copied()).collect()
    }

    /// Returns supplied as such.
    pub(crate) fn supplied(rows: TimeSeriesView<'_>) -> Self {
        Self { ends: rows.dates().to_vec(), links: Links::supplied(rows.values()), gaps: Vec::new() }
    }

    /// The returns of intervals that end on these dates.
    pub(crate) fn from_intervals(ends: Vec<NaiveDate>, intervals: Vec<Interval>) -> Self {
        let mut gaps = Vec::new();
        let links = intervals.into_iter().enumerate().map(|(index, interval)| match interval {
            Interval::Earning(link) => link,
            Interval::Idle => {
                gaps.push((index, Gap::Idle));
                Link::none()
            }
            Interval::NoCapital => {
                gaps.push((index, Gap::NoCapital));
                Link::none()
            }
        });
        let links = Links::from_links(links);
        Self { ends, links, gaps }
    }

    /// The returns between valuations, in date order, with the flows within them.
    pub(crate) fn cut(valuations: TimeSeriesView<'_>, flows: &[(&CashFlow, Timing)], method: Method) -> Self {
        let outermost = outermost(valuations, method);
        let boundaries = outermost.as_ref().map_or(valuations, TimeSeries::view);
        let ends = boundaries.dates().get(1..).unwrap_or_default().to_vec();
        if let Some(columns) = Columns::<i64>::cut(boundaries, &ends, flows) {
            return columns.into_chain(ends);
        }
        if let Some(columns) = Columns::<i128>::cut(boundaries, &ends, flows) {
            return columns.into_chain(ends);
        }
        let periods = sub_periods(valuations, flows, method);
        Self::from_intervals(ends, periods.iter().map(SubPeriod::interval).collect())
    }
}

/// Integers of one size, of which sums and differences fit that size.
trait Integer: Copy + Ord + 'static + Sub<Output = Self> + Into<i128> + TryFrom<i128> {
    const ZERO: Self;
    const ONE: Self;

    /// A mantissa at a common scale, where it fits.
    fn mantissa(value: &Exact, scale: u32) -> Option<Self>;

    /// Those of many, where each fits.
    fn mantissas(values: DecimalsView<'_>, scale: u32) -> Option<Cow<'_, [Self]>>;
}

impl Integer for i64 {
    const ZERO: Self = 0;
    const ONE: Self = 1;

    #[inline]
    fn mantissa(value: &Exact, scale: u32) -> Option<Self> {
        const MAX_BITS: u32 = 61;
        value.short_mantissa_at(scale).filter(|mantissa| mantissa.unsigned_abs() < 1 << MAX_BITS)
    }

    fn mantissas(values: DecimalsView<'_>, scale: u32) -> Option<Cow<'_, [Self]>> {
        values.mantissas_at(scale)
    }
}

impl Integer for i128 {
    const ZERO: Self = 0;
    const ONE: Self = 1;

    #[inline]
    fn mantissa(value: &Exact, scale: u32) -> Option<Self> {
        const MAX_BITS: u32 = 100;
        let power = 10_i128.checked_pow(scale.checked_sub(value.scale())?)?;
        let mantissa = value.mantissa().to_i128()?.checked_mul(power)?;
        Some(mantissa).filter(|mantissa| mantissa.unsigned_abs() < 1 << MAX_BITS)
    }

    fn mantissas(values: DecimalsView<'_>, scale: u32) -> Option<Cow<'_, [Self]>> {
        values.iter().map(|value| Self::mantissa(&value, scale)).collect()
    }
}

/// What the flows of one sub-period add up to.
struct Sum {
    index: usize,
    /// ΣC.
    flow: i128,
    /// Σ 2Dw·C.
    weighted: i128,
}

/// Gains and capitals as integers of one size.
struct Columns<I> {
    gains: Vec<I>,
    capitals: Vec<I>,
}

impl<I: Integer> Columns<I>
where
    for<'a> Integers: From<&'a [I]>,
{
    /// None where one of them does not fit. A sub-period without a flow needs no
    /// weights, and so no multiple of its length.
    fn cut(
        boundaries: TimeSeriesView<'_>,
        ends: &[NaiveDate],
        flows: &[(&CashFlow, Timing)],
    ) -> Option<Self> {
        let scale = boundaries.values().scale();
        let scale = flows.iter().fold(scale, |scale, (flow, _)| scale.max(flow.amount.scale()));
        let values = I::mantissas(boundaries.values(), scale)?;
        let (beginnings, endings) = (values.get(..ends.len())?, values.get(1..)?);
        let mut gains: Vec<I> = beginnings.iter().zip(endings).map(|(from, to)| *to - *from).collect();
        let mut capitals = beginnings.to_vec();
        for sum in sums(ends, flows, scale)? {
            let dates = boundaries.dates();
            let Some((from, to)) = dates.get(sum.index).zip(dates.get(sum.index + 1)) else { continue };
            let half_days = i128::from(2 * days_between(*from, *to));
            let value = |values: &[I]| -> Option<i128> { Some((*values.get(sum.index)?).into()) };
            let (gain, capital) =
                fraction(&value(beginnings)?, &value(endings)?, &sum.flow, &sum.weighted, &half_days);
            *gains.get_mut(sum.index)? = I::try_from(gain).ok()?;
            *capitals.get_mut(sum.index)? = I::try_from(capital).ok()?;
        }
        Some(Self { gains, capitals })
    }

    fn into_chain(mut self, ends: Vec<NaiveDate>) -> Chain {
        let mut gaps = Vec::new();
        if self.capitals.iter().any(|capital| *capital <= I::ZERO) {
            for (index, (gain, capital)) in self.gains.iter_mut().zip(&mut self.capitals).enumerate() {
                let whole = |value: I| Whole::from(value.into());
                match Interval::new(whole(*gain), whole(*capital)) {
                    Interval::Earning(_) => continue,
                    Interval::Idle => gaps.push((index, Gap::Idle)),
                    Interval::NoCapital => gaps.push((index, Gap::NoCapital)),
                }
                (*gain, *capital) = (I::ZERO, I::ONE);
            }
        }
        Chain { ends, links: Links::new(self.gains.as_slice().into(), self.capitals.as_slice().into()), gaps }
    }
}

/// The flows of each sub-period that has any, in no order.
fn sums(ends: &[NaiveDate], flows: &[(&CashFlow, Timing)], scale: u32) -> Option<Vec<Sum>> {
    let mut placed: Vec<Sum> = Vec::with_capacity(flows.len());
    for (flow, timing) in flows {
        let index = sub_period_of(ends, flow.date, *timing);
        let Some(end) = ends.get(index) else { continue };
        let amount = i128::mantissa(&flow.amount, scale)?;
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
