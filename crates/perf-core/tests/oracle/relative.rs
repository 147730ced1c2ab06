//! The metrics that compare the portfolio with its benchmark.

use super::metrics::{chain, difference, rates};
use super::number::Number;
use super::series::{Growth, Series, benchmark_growth};
use super::statistics::{annualised, co_moment, compound, count, deviation, nonzero, product};
use super::{Figure, Input};

const RELATIVE_NAMES: [&str; 10] = [
    "excess_return",
    "beta",
    "correlation",
    "r_squared",
    "alpha",
    "tracking_error",
    "information_ratio",
    "treynor_ratio",
    "up_capture",
    "down_capture",
];

/// The metrics that need a benchmark, each with its name.
///
/// A broken chain outweighs a missing benchmark, which outweighs everything else.
pub fn figures(input: &Input, series: &Series) -> Vec<(&'static str, Figure)> {
    let sampled = input.benchmark.as_ref().map(|given| benchmark_growth(given, &series.periods));
    let whole = whole_benchmark(sampled.as_deref(), series);
    let mut all = benchmark_figures(whole.clone(), series);
    let broken = match (chain(series), sampled) {
        (Err(reason), _) => reason,
        (Ok(_), None) => "no_benchmark",
        (Ok(portfolio), Some(sampled)) => {
            let comparison = Comparison {
                pairs: pairs(&portfolio, sampled),
                portfolio,
                benchmark: whole,
                years: series.years.clone(),
                periods_per_year: series.periods_per_year.clone(),
                sample: input.sample_volatility,
            };
            all.extend(comparison.return_figures(input));
            all.extend(comparison.pair_figures());
            return all;
        }
    };
    all.extend(RELATIVE_NAMES.into_iter().map(|name| (name, Err(broken))));
    all
}

/// The benchmark's own two figures: they stand whatever the portfolio's capital is.
fn benchmark_figures(
    whole: Result<Vec<Growth>, &'static str>,
    series: &Series,
) -> Vec<(&'static str, Figure)> {
    let total = whole.and_then(|growths| product(&growths));
    let annual = total.clone().and_then(|end| annualised(&end, series.years.as_ref()));
    vec![
        ("benchmark_return", total.and_then(|end| compound(&end, &Number::one()))),
        ("benchmark_annualized_return", annual),
    ]
}

/// The benchmark's growth over every sub-period, without a gap.
fn whole_benchmark(sampled: Option<&[Option<Growth>]>, series: &Series) -> Result<Vec<Growth>, &'static str> {
    if series.periods.is_empty() {
        return Err("too_few_returns");
    }
    let sampled = sampled.ok_or("no_benchmark")?;
    sampled.iter().cloned().collect::<Option<Vec<Growth>>>().ok_or("benchmark_gap")
}

/// Portfolio and benchmark, where there are both.
fn pairs(portfolio: &[Growth], benchmark: Vec<Option<Growth>>) -> Vec<(Growth, Growth)> {
    portfolio
        .iter()
        .zip(benchmark)
        .filter_map(|(ours, theirs)| theirs.map(|theirs| (ours.clone(), theirs)))
        .collect()
}

struct Comparison {
    /// The portfolio over every sub-period.
    portfolio: Vec<Growth>,
    /// The benchmark over every sub-period, or `benchmark_gap`.
    benchmark: Result<Vec<Growth>, &'static str>,
    /// Portfolio and benchmark over the sub-periods that have both.
    pairs: Vec<(Growth, Growth)>,
    years: Option<Number>,
    periods_per_year: Number,
    sample: bool,
}

impl Comparison {
    fn portfolio_rates(&self) -> Vec<Number> {
        self.pairs.iter().map(|(ours, _)| ours.rate.clone()).collect()
    }

    fn benchmark_rates(&self) -> Vec<Number> {
        self.pairs.iter().map(|(_, theirs)| theirs.rate.clone()).collect()
    }

    fn active_rates(&self) -> Vec<Number> {
        self.pairs.iter().map(|(ours, theirs)| difference(&ours.rate, &theirs.rate)).collect()
    }

    /// The figures built on R, the portfolio's annualised return, or on the whole return.
    fn return_figures(&self, input: &Input) -> Vec<(&'static str, Figure)> {
        let risk_free = Number::parse(&input.risk_free_rate);
        let annual = product(&self.portfolio).and_then(|end| annualised(&end, self.years.as_ref()));
        let treynor = annual.and_then(|annual| {
            let beta = nonzero(self.beta()?, "zero_beta")?;
            Ok(difference(&annual, &risk_free) / beta)
        });
        vec![
            ("excess_return", self.excess_return()),
            ("alpha", self.alpha(&risk_free)),
            ("information_ratio", self.information_ratio()),
            ("treynor_ratio", treynor),
        ]
    }

    fn excess_return(&self) -> Figure {
        let benchmark = self.benchmark.clone()?;
        let one = Number::one();
        let ours = compound(&product(&self.portfolio)?, &one)?;
        Ok(difference(&ours, &compound(&product(&benchmark)?, &one)?))
    }

    /// R and R_b.
    fn annual_returns(&self) -> Result<(Number, Number), &'static str> {
        let benchmark = self.benchmark.clone()?;
        let ours = annualised(&product(&self.portfolio)?, self.years.as_ref())?;
        Ok((ours, annualised(&product(&benchmark)?, self.years.as_ref())?))
    }

    /// R − [Rf + beta·(R_b − Rf)].
    fn alpha(&self, risk_free: &Number) -> Figure {
        let (ours, theirs) = self.annual_returns()?;
        let market = self.beta()? * difference(&theirs, risk_free);
        Ok((&ours - (risk_free + &market)).settle(&[&ours, risk_free, &market]))
    }

    fn information_ratio(&self) -> Figure {
        let (ours, theirs) = self.annual_returns()?;
        let error = nonzero(self.tracking_error()?, "zero_tracking_error")?;
        Ok(difference(&ours, &theirs) / error)
    }

    /// The figures built on the pairs alone.
    fn pair_figures(&self) -> Vec<(&'static str, Figure)> {
        let correlation = self.correlation();
        vec![
            ("beta", self.beta()),
            ("correlation", correlation.clone()),
            ("r_squared", correlation.map(|value| &value * &value)),
            ("tracking_error", self.tracking_error()),
            ("up_capture", self.capture(1, "no_up_periods")),
            ("down_capture", self.capture(-1, "no_down_periods")),
        ]
    }

    fn beta(&self) -> Figure {
        let (ours, theirs) = (self.portfolio_rates(), self.benchmark_rates());
        nonzero(deviation(&theirs, self.sample)?, "zero_benchmark_volatility")?;
        if deviation(&ours, self.sample)?.sign() == 0 {
            return Ok(Number::zero());
        }
        Ok(co_moment(&ours, &theirs) / co_moment(&theirs, &theirs))
    }

    fn correlation(&self) -> Figure {
        let (ours, theirs) = (self.portfolio_rates(), self.benchmark_rates());
        nonzero(deviation(&ours, self.sample)?, "zero_volatility")?;
        nonzero(deviation(&theirs, self.sample)?, "zero_benchmark_volatility")?;
        let spread = co_moment(&ours, &ours).sqrt() * co_moment(&theirs, &theirs).sqrt();
        Ok(co_moment(&ours, &theirs) / spread)
    }

    fn tracking_error(&self) -> Figure {
        let periodic = deviation(&self.active_rates(), self.sample)?;
        Ok(periodic * self.periods_per_year.sqrt())
    }

    /// Annualised return of the portfolio over that of the benchmark, in the periods where
    /// the benchmark's return has the given sign.
    fn capture(&self, sign: i32, none: &'static str) -> Figure {
        let chosen: Vec<&(Growth, Growth)> =
            self.pairs.iter().filter(|(_, theirs)| theirs.rate.sign() == sign).collect();
        if chosen.is_empty() {
            return Err(none);
        }
        let ours: Vec<Growth> = chosen.iter().map(|(ours, _)| ours.clone()).collect();
        let theirs: Vec<Growth> = chosen.iter().map(|(_, theirs)| theirs.clone()).collect();
        let exponent = &self.periods_per_year / count(&rates(&ours));
        let above = compound(&product(&ours)?, &exponent)?;
        let below = compound(&product(&theirs)?, &exponent)?;
        Ok(above / nonzero(below, none)?)
    }
}
