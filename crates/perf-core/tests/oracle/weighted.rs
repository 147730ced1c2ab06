//! Money-weighted figures: the internal rate of return of any flows, and of a portfolio.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::dates::{DayCount, year_fraction};
use super::number::{Number, common_integers};
use super::roots::ExponentialSum;
use super::series::{Dietz, Money, years};
use super::{Figure, Input};

/// The internal rates of return of a series of flows.
#[derive(Clone, Debug)]
pub struct IrrOutcome {
    /// `unique`, `multiple` or `none`.
    pub status: &'static str,
    /// Every root r in (−1, ∞), ascending; one that is no more than rounding away from 0 is 0.
    pub roots: Vec<Number>,
    /// ln(1 + r) of every root, 0 where r is 0.
    pub log_roots: Vec<Number>,
    /// The root that counts, absent where it is out of range.
    pub headline: Option<Number>,
    /// ln(1 + r) of the root that counts, also where r itself is out of range.
    pub headline_log: Option<Number>,
    /// Why there is no headline.
    pub reason: Option<&'static str>,
}

impl IrrOutcome {
    fn none(reason: &'static str) -> Self {
        IrrOutcome {
            status: "none",
            roots: Vec::new(),
            log_roots: Vec::new(),
            headline: None,
            headline_log: None,
            reason: Some(reason),
        }
    }

    /// The outcome of the roots x = ln(1 + r), the headline being the one nearest to `target`
    /// (the lower of two equally near).
    fn of(log_roots: &[Number], target: &Number) -> Self {
        let nearest = log_roots.iter().cloned().reduce(|best, other| {
            let nearer = (&other - target).abs() < (&best - target).abs();
            if nearer { other } else { best }
        });
        let Some(log) = nearest.map(|log| settled_log(&log)) else {
            return IrrOutcome::none("no_root");
        };
        let rate = growth_less_one(&log);
        let out_of_range = rate > Number::ten_to(120);
        IrrOutcome {
            status: if log_roots.len() == 1 { "unique" } else { "multiple" },
            roots: log_roots.iter().map(growth_less_one).collect(),
            log_roots: log_roots.iter().map(settled_log).collect(),
            headline: (!out_of_range).then_some(rate),
            headline_log: Some(log),
            reason: out_of_range.then_some("out_of_range"),
        }
    }
}

/// e^x − 1.
fn growth_less_one(log: &Number) -> Number {
    let (growth, one) = (log.exp(), Number::one());
    (&growth - &one).settle(&[&growth, &one])
}

/// x, or 0 where e^x − 1 counts as 0.
fn settled_log(log: &Number) -> Number {
    if growth_less_one(log).sign() == 0 { Number::zero() } else { log.clone() }
}

/// The internal rate of return of flows in the investor's sign, time zero the earliest date;
/// the headline is the root nearest to 0 in ln(1 + r).
pub fn irr(flows: &[(NaiveDate, String)], day_count: DayCount) -> IrrOutcome {
    let texts: Vec<&str> = flows.iter().map(|(_, amount)| amount.as_str()).collect();
    let dates = flows.iter().map(|(date, _)| *date);
    let amounts: Vec<(NaiveDate, Number)> = dates.zip(common_integers(&texts)).collect();
    solve(&amounts, day_count, &Number::zero())
}

fn solve(flows: &[(NaiveDate, Number)], day_count: DayCount, target: &Number) -> IrrOutcome {
    let Some(start) = flows.iter().map(|(date, _)| *date).min() else {
        return IrrOutcome::none("no_sign_change");
    };
    let mut denominator = 1;
    let mut netted: BTreeMap<i64, Number> = BTreeMap::new();
    for (date, amount) in flows {
        let (numerator, per_year) = year_fraction(day_count, start, *date);
        denominator = per_year;
        let sum = netted.remove(&numerator).unwrap_or_else(Number::zero) + amount;
        netted.insert(numerator, sum);
    }
    if netted.len() == 1 {
        return IrrOutcome::none("zero_length_period");
    }
    let terms = netted
        .into_iter()
        .filter(|(_, amount)| amount.sign() != 0)
        .map(|(time, amount)| (amount, u64::try_from(time).unwrap()))
        .collect();
    let sum = ExponentialSum { terms, denominator };
    if sum.sign_changes() == 0 {
        return IrrOutcome::none("no_sign_change");
    }
    IrrOutcome::of(&sum.roots(), target)
}

/// The money-weighted return of the portfolio, with every root.
pub fn mwr(input: &Input) -> IrrOutcome {
    if input.valuations.is_empty() {
        return IrrOutcome::none("no_valuations");
    }
    let money = Money::read(input);
    let last = money.valuations.len() - 1;
    let (first_date, opening) = money.valuations[0].clone();
    let (last_date, closing) = money.valuations[last].clone();
    if closing.sign() == 0 {
        return IrrOutcome::none("total_loss");
    }
    let mut flows = vec![(first_date, -opening), (last_date, closing)];
    flows.extend(money.flows.iter().map(|(date, amount, _)| (*date, -amount.clone())));
    let target = years(input, first_date, last_date)
        .and_then(|years| Some(log_of_dietz(&money.dietz(0, last))? / years))
        .unwrap_or_else(Number::zero);
    solve(&flows, input.day_count, &target)
}

/// ln(1 + D), D the Modified Dietz return, where D is defined and above −1.
fn log_of_dietz(dietz: &Dietz) -> Option<Number> {
    let end = &dietz.capital + &dietz.gain;
    (dietz.capital.sign() > 0 && end.sign() > 0).then(|| (end / &dietz.capital).ln())
}

/// `mwr` and `mwr_period`.
pub fn figures(input: &Input) -> Vec<(&'static str, Figure)> {
    let outcome = mwr(input);
    let reason = outcome.reason.unwrap_or("no_root");
    let period = outcome.headline_log.ok_or(reason).and_then(|log| {
        let (first, last) = (input.valuations.iter().min(), input.valuations.iter().max());
        let years = years(input, first.unwrap().0, last.unwrap().0).ok_or("zero_length_period")?;
        Ok(growth_less_one(&(log * years)))
    });
    vec![("mwr", outcome.headline.ok_or(reason)), ("mwr_period", period)]
}
