//! Pure functions: returns, risk, benchmark statistics, the internal rate of return.

mod alignment;
mod benchmark;
mod calculate;
mod chain;
mod cutting;
mod day_count;
mod dispersion;
mod drawdown;
mod facts;
mod figures;
mod fingerprint;
mod functions;
mod growth;
mod irr;
mod links;
mod money_weighted;
mod normal;
mod quantile;
mod resolve;
mod warnings;
mod windows;

pub use calculate::{
    ENGINE_VERSION, Figures, MAX_EXPLAINED_SUB_PERIODS, Prepared, Stamp, calculate, internal_rate_of_return,
};
pub use day_count::YearFraction;
pub use drawdown::DrawdownDates;
pub use functions::{
    CalculationError, MoneyWeightedReturn, RiskMetrics, TimeWeightedReturn, calculate_daily_twr,
    calculate_irr, calculate_modified_dietz, calculate_risk_metrics,
};
pub use irr::{HeadlineRule, Irr, IrrStatus, Proof};
pub use warnings::Warning;

use crate::model::{Outcome, Reason};
use crate::number::{Failure, Figure, Real};

/// The figure rounded, or its reason; an open decision remains a failure.
fn outcome<R: Real>(figure: Figure<R>) -> Figure<Outcome> {
    match figure.and_then(|figure| figure.round()) {
        Ok(rounded) if rounded.exceeds_rate_range() => Ok(Err(Reason::OutOfRange)),
        Ok(rounded) => Ok(Ok(rounded)),
        Err(Failure::Undefined(reason)) => Ok(Err(reason)),
        Err(Failure::Imprecise) => Err(Failure::Imprecise),
    }
}
