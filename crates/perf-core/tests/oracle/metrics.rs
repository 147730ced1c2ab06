//! The metrics that need no benchmark.

use super::normal::upper_quantile;
use super::number::Number;
use super::series::{Growth, Series};
use super::statistics::{
    annualised, compound, count, deviation, downside_deviation, excess_kurtosis, mean, nonzero, product,
    quantile_and_tail_mean, skewness,
};
use super::{Figure, Input};

const NAMES: [&str; 19] = [
    "twr",
    "twr_annualized",
    "annualized_return",
    "volatility_periodic",
    "volatility",
    "downside_deviation",
    "sharpe_ratio",
    "sharpe_ratio_arithmetic",
    "sortino_ratio",
    "max_drawdown",
    "calmar_ratio",
    "value_at_risk",
    "conditional_value_at_risk",
    "value_at_risk_gaussian",
    "skewness",
    "excess_kurtosis",
    "best_period",
    "worst_period",
    "positive_periods",
];

/// The portfolio's growth per sub-period, or why the whole chain is undefined.
pub fn chain(series: &Series) -> Result<Vec<Growth>, &'static str> {
    if series.periods.is_empty() {
        return Err("too_few_returns");
    }
    let growths = series.periods.iter().map(|period| period.growth.clone());
    growths.collect::<Option<Vec<Growth>>>().ok_or("non_positive_capital")
}

/// The rates r of `growths`.
pub fn rates(growths: &[Growth]) -> Vec<Number> {
    growths.iter().map(|growth| growth.rate.clone()).collect()
}

/// `left` − `right`, 0 where that is within 1e-24 of the larger.
pub fn difference(left: &Number, right: &Number) -> Number {
    (left - right).settle(&[left, right])
}

/// An annual rate per period: (1 + rate)^(1/N) − 1.
fn per_period(annual: &str, series: &Series) -> Number {
    let growth = Number::one() + Number::parse(annual);
    compound(&growth, &(Number::one() / &series.periods_per_year)).unwrap()
}

/// The metrics that need no benchmark, each with its name.
pub fn figures(input: &Input, series: &Series) -> Vec<(&'static str, Figure)> {
    match chain(series) {
        Err(reason) => NAMES.into_iter().map(|name| (name, Err(reason))).collect(),
        Ok(growths) => {
            let mut all = return_figures(input, series, &growths);
            all.extend(tail_figures(input, &growths));
            all
        }
    }
}

fn return_figures(input: &Input, series: &Series, growths: &[Growth]) -> Vec<(&'static str, Figure)> {
    let rates = rates(growths);
    let root_n = series.periods_per_year.sqrt();
    let annual = product(growths).and_then(|end| annualised(&end, series.years.as_ref()));
    let periodic = deviation(&rates, input.sample_volatility);
    let volatility = periodic.clone().map(|sigma| sigma * &root_n);
    let target = per_period(&input.minimum_acceptable_return, series);
    let downside = downside_deviation(&rates, &target) * &root_n;
    let drawdown = max_drawdown(growths);
    let above = |hurdle: &str| annual.clone().map(|annual| difference(&annual, &Number::parse(hurdle)));

    let sharpe = above(&input.risk_free_rate)
        .and_then(|excess| Ok(excess / nonzero(volatility.clone()?, "zero_volatility")?));
    let sharpe_arithmetic = periodic.clone().and_then(|sigma| {
        let excess = difference(&mean(&rates), &per_period(&input.risk_free_rate, series));
        Ok(excess / nonzero(sigma, "zero_volatility")? * &root_n)
    });
    let sortino = above(&input.minimum_acceptable_return)
        .and_then(|excess| Ok(excess / nonzero(downside.clone(), "zero_downside_deviation")?));
    let calmar = annual.clone().and_then(|annual| Ok(annual / nonzero(drawdown.clone()?, "zero_drawdown")?));
    vec![
        ("twr", product(growths).and_then(|end| compound(&end, &Number::one()))),
        ("twr_annualized", twr_annualized(series, growths)),
        ("annualized_return", annual),
        ("volatility_periodic", periodic),
        ("volatility", volatility),
        ("downside_deviation", Ok(downside)),
        ("sharpe_ratio", sharpe),
        ("sharpe_ratio_arithmetic", sharpe_arithmetic),
        ("sortino_ratio", sortino),
        ("max_drawdown", drawdown),
        ("calmar_ratio", calmar),
    ]
}

fn twr_annualized(series: &Series, growths: &[Growth]) -> Figure {
    let end = product(growths)?;
    if series.short {
        return Err("period_under_one_year");
    }
    annualised(&end, series.years.as_ref())
}

/// The largest fall from a running peak of the wealth path that starts at 1.
fn max_drawdown(growths: &[Growth]) -> Figure {
    product(growths)?;
    let one = Number::one();
    let mut wealth = Number::one();
    let mut peak = Number::one();
    let mut largest = Number::zero();
    for growth in growths {
        wealth = wealth * &growth.factor;
        peak = peak.max(wealth.clone());
        largest = largest.max((&peak - &wealth) / &peak);
    }
    Ok(largest.settle(&[&one]))
}

fn tail_figures(input: &Input, growths: &[Growth]) -> Vec<(&'static str, Figure)> {
    let rates = rates(growths);
    let confidence = Number::parse(&input.confidence_level);
    let (quantile, tail_mean) = quantile_and_tail_mean(&rates, &(Number::one() - &confidence));
    let gaussian = deviation(&rates, input.sample_volatility).map(|sigma| {
        let centre = mean(&rates);
        let spread = -(upper_quantile(&confidence) * sigma);
        -(&centre + &spread).settle(&[&centre, &spread])
    });
    let best = rates.iter().cloned().reduce(Number::max).unwrap();
    let worst = rates.iter().cloned().reduce(Number::min).unwrap();
    let positive = rates.iter().filter(|rate| rate.sign() > 0).cloned().collect::<Vec<_>>();
    vec![
        ("value_at_risk", Ok(-quantile)),
        ("conditional_value_at_risk", Ok(-tail_mean)),
        ("value_at_risk_gaussian", gaussian),
        ("skewness", skewness(&rates)),
        ("excess_kurtosis", excess_kurtosis(&rates)),
        ("best_period", Ok(best)),
        ("worst_period", Ok(worst)),
        ("positive_periods", Ok(count(&positive) / count(&rates))),
    ]
}
