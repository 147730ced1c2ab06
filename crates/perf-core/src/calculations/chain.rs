//! Sub-periods and their returns, as exact fractions.

use std::cmp::Ordering;
use std::ops::{Add, Mul, Sub};

use chrono::NaiveDate;

use super::day_count::days_between;
use crate::model::{CashFlow, Dated, Method, TimeSeries, TimeSeriesView, Timing};
use crate::number::{Exact, Real, Whole};

/// The return of one sub-period, `gain` / `capital`, exactly; capital above zero.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) gain: Whole,
    pub(crate) capital: Whole,
}

impl Link {
    /// No change.
    pub(crate) fn none() -> Self {
        Self { gain: Whole::ZERO, capital: Whole::ONE }
    }

    /// r.
    pub(crate) fn rate<R: Real>(&self) -> R {
        R::ratio(&self.gain, &self.capital)
    }

    /// 1 + r.
    pub(crate) fn factor<R: Real>(&self) -> R {
        R::ratio(&(&self.gain + &self.capital), &self.capital)
    }

    /// r compared with another link's, exactly.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        (&self.gain * &other.capital).cmp(&(&other.gain * &self.capital))
    }
}

/// What a sub-period contributes.
#[derive(Clone, Debug)]
pub(crate) enum Interval {
    /// A return.
    Earning(Link),
    /// Neither capital nor gain: left out of the chain.
    Idle,
    /// Gain, or debt, without capital: ends the chain.
    NoCapital,
}

impl Interval {
    pub(crate) fn new(gain: Whole, capital: Whole) -> Self {
        match (capital.sign(), gain.is_zero()) {
            (Ordering::Greater, _) => Self::Earning(Link { gain, capital }),
            (Ordering::Equal, true) => Self::Idle,
            _ => Self::NoCapital,
        }
    }
}

/// r = (V1 − V0 − ΣC) / (V0 + Σ w·C), both sides times 2D; `weighted` is Σ 2Dw·C.
pub(crate) fn fraction<I>(beginning: &I, ending: &I, flow: &I, weighted: &I, half_days: &I) -> (I, I)
where
    for<'a> &'a I: Add<Output = I> + Sub<Output = I> + Mul<Output = I>,
{
    let gain = &(&(ending - beginning) - flow) * half_days;
    (gain, &(beginning * half_days) + weighted)
}

/// The time between two valuations, and the flows within it.
#[derive(Clone, Debug)]
pub(crate) struct SubPeriod {
    pub(crate) start: NaiveDate,
    pub(crate) end: NaiveDate,
    pub(crate) beginning_value: Exact,
    pub(crate) net_cash_flow: Exact,
    pub(crate) ending_value: Exact,
    /// Σ 2Dw·C: weights in half days, so that it stays exact.
    weighted_half_days: Exact,
}

impl SubPeriod {
    pub(crate) fn new(from: Dated, to: Dated) -> Self {
        Self {
            start: from.date,
            end: to.date,
            beginning_value: from.value,
            net_cash_flow: Exact::ZERO,
            ending_value: to.value,
            weighted_half_days: Exact::ZERO,
        }
    }

    /// 2D: the length in half days.
    fn half_days(&self) -> i64 {
        2 * days_between(self.start, self.end)
    }

    pub(crate) fn add_flow(&mut self, flow: &CashFlow, timing: Timing) {
        let half_days = half_days_at_work(flow.date, timing, self.end);
        self.net_cash_flow = &self.net_cash_flow + &flow.amount;
        self.weighted_half_days = &self.weighted_half_days + &times(&flow.amount, half_days);
    }

    /// Σ w·C.
    pub(crate) fn weighted_cash_flow<R: Real>(&self) -> R {
        R::exact(&self.weighted_half_days) / R::integer(self.half_days())
    }

    /// The return, exactly.
    pub(crate) fn interval(&self) -> Interval {
        let parts =
            [&self.beginning_value, &self.ending_value, &self.net_cash_flow, &self.weighted_half_days];
        let scale = parts.iter().map(|part| part.scale()).max().unwrap_or_default();
        let [beginning, ending, flow, weighted] = parts.map(|part| part.mantissa_at(scale));
        let (gain, capital) = fraction(&beginning, &ending, &flow, &weighted, &Whole::from(self.half_days()));
        Interval::new(gain, capital)
    }
}

/// 2Dw: half days that a flow works until the end of its sub-period.
pub(crate) fn half_days_at_work(date: NaiveDate, timing: Timing, end: NaiveDate) -> i64 {
    2 * days_between(date, end) + half_days_of_first_day(timing)
}

/// Half days that a flow works on its own date.
fn half_days_of_first_day(timing: Timing) -> i64 {
    match timing {
        Timing::AfterClose | Timing::EndOfDay => 0,
        Timing::MidDay => 1,
        Timing::StartOfDay => 2,
    }
}

fn times(value: &Exact, factor: i64) -> Exact {
    Exact::new(value.mantissa() * &Whole::from(factor), value.scale())
}

/// Finds the sub-periods of flows that come in date order.
pub(crate) struct Places<'a> {
    /// Of all sub-periods.
    ends: &'a [NaiveDate],
    /// How many of them are before the flow at hand.
    before: usize,
}

impl<'a> Places<'a> {
    pub(crate) fn new(ends: &'a [NaiveDate]) -> Self {
        Self { ends, before: 0 }
    }

    /// Index of the sub-period that the next flow belongs to.
    pub(crate) fn next(&mut self, date: NaiveDate, timing: Timing) -> usize {
        /// Sub-periods that are passed at once.
        const STRIDE: usize = 16;
        while self.ends.get(self.before + STRIDE - 1).is_some_and(|end| *end < date) {
            self.before += STRIDE;
        }
        while self.ends.get(self.before).is_some_and(|end| *end < date) {
            self.before += 1;
        }
        let after_close = timing == Timing::AfterClose && self.ends.get(self.before) == Some(&date);
        self.before + usize::from(after_close)
    }
}

/// The first and the last valuation, where these are the only ones that sub-periods
/// begin and end with.
pub(crate) fn outermost(valuations: TimeSeriesView<'_>, method: Method) -> Option<TimeSeries> {
    let outer = || Some([valuations.first()?, valuations.last()?].into_iter().collect());
    (method == Method::ModifiedDietz && valuations.len() > 2).then(outer)?
}

/// Cuts the time between the first and the last valuation into sub-periods and
/// lays each flow into its own. Valuations and flows are in date order; the flows
/// carry their timing and lie within the period.
pub(crate) fn sub_periods(
    valuations: TimeSeriesView<'_>,
    flows: &[(&CashFlow, Timing)],
    method: Method,
) -> Vec<SubPeriod> {
    let outermost = outermost(valuations, method);
    let boundaries = outermost.as_ref().map_or(valuations, TimeSeries::view);
    let mut periods: Vec<SubPeriod> =
        boundaries.iter().zip(boundaries.iter().skip(1)).map(|(from, to)| SubPeriod::new(from, to)).collect();
    let ends: Vec<NaiveDate> = periods.iter().map(|period| period.end).collect();
    let mut places = Places::new(&ends);
    for (flow, timing) in flows {
        if let Some(period) = periods.get_mut(places.next(flow.date, *timing)) {
            period.add_flow(flow, *timing);
        }
    }
    periods
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Ball;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2023, 1, day).expect("a day")
    }

    fn value(on: u32, text: &str) -> Dated {
        Dated { date: day(on), value: text.parse().expect("a number") }
    }

    fn returns<const N: usize>(
        values: [Dated; N],
        flows: &[(CashFlow, Timing)],
        method: Method,
    ) -> Vec<String> {
        let rate = |period: &SubPeriod| match period.interval() {
            Interval::Earning(link) => link.rate::<Ball>().round().expect("a figure").to_string(),
            other => format!("{other:?}"),
        };
        let flows: Vec<_> = flows.iter().map(|(flow, timing)| (flow, *timing)).collect();
        let values: TimeSeries = values.into_iter().collect();
        sub_periods(values.view(), &flows, method).iter().map(rate).collect()
    }

    #[test]
    fn weights_follow_the_timing() {
        let values = [value(1, "100"), value(2, "160")];
        let on = |timing| vec![(CashFlow::new(day(2), 50), timing)];
        assert_eq!(
            returns(values.clone(), &on(Timing::StartOfDay), Method::Daily),
            ["0.066666666666666666667"]
        );
        assert_eq!(returns(values.clone(), &on(Timing::MidDay), Method::Daily), ["0.08"]);
        assert_eq!(returns(values, &on(Timing::EndOfDay), Method::Daily), ["0.1"]);
    }

    #[test]
    fn a_flow_after_the_close_joins_the_next_sub_period() {
        let values = [value(1, "10000"), value(2, "10200"), value(3, "11330")];
        let flows = [(CashFlow::new(day(2), 1000), Timing::AfterClose)];
        assert_eq!(returns(values, &flows, Method::Daily), ["0.02", "0.011607142857142857143"]);
    }

    #[test]
    fn idle_and_capital_free_sub_periods_are_told_apart() {
        let values = [value(1, "0"), value(2, "0"), value(3, "5"), value(4, "-1"), value(5, "2")];
        assert_eq!(returns(values, &[], Method::Daily), ["Idle", "NoCapital", "-1.2", "NoCapital"]);
    }

    #[test]
    fn modified_dietz_spans_the_whole_period() {
        let values = [value(1, "10000"), value(11, "10500"), value(21, "11000")];
        let flows = [(CashFlow::new(day(11), 1000), Timing::AfterClose)];
        assert_eq!(returns(values, &flows, Method::ModifiedDietz), ["0"]);
    }
}
