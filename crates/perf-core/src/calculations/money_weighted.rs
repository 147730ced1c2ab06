//! The money-weighted return: the internal rate of return of a period's money.

use std::iter;

use chrono::NaiveDate;

use super::chain::{Interval, sub_periods};
use super::day_count::YearFraction;
use super::irr::{self, Irr, Target};
use super::resolve::Money;
use crate::model::{DayCount, Method, Reason};
use crate::number::{Ball, Real};

/// Solves for the rate at which the opening value and the flows grow to the
/// closing value: a = −V_start, −flows, +V_end.
pub(crate) fn solve(money: &Money<'_>, day_count: DayCount) -> Irr {
    let Some((opening, closing)) = money.ends() else { return Irr::none(Reason::NoValuations) };
    if closing.value.is_zero() {
        return Irr::none(Reason::TotalLoss);
    }
    let years = day_count.years(opening.date, closing.date);
    let units = |date: NaiveDate| day_count.years(opening.date, date).numerator;
    let flows = money.flows.iter().map(|(flow, _)| (units(flow.date), -&flow.amount));
    let flows = iter::once((0, -&opening.value)).chain(flows).chain([(years.numerator, closing.value)]);
    irr::solve_each(flows, years, || target(money, years))
}

/// ln of the annualised Modified Dietz growth, where there is one.
fn target(money: &Money<'_>, years: YearFraction) -> Target {
    let period = sub_periods(money.valuations, &money.flows, Method::ModifiedDietz);
    let Some(Interval::Earning(link)) = period.first().map(super::chain::SubPeriod::interval) else {
        return Target::Zero;
    };
    let growth = link.factor::<Ball>().approximate();
    if growth <= 0.0 || years.numerator <= 0 {
        return Target::Zero;
    }
    Target::ModifiedDietz(growth.ln() * years.denominator as f64 / years.numerator as f64)
}
