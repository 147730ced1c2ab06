//! A calculation request as far as it could be read, from JSON or from files.

use chrono::NaiveDate;

use crate::model::{
    Benchmark, BenchmarkSeries, CalculationRequest, Data, EntityType, Identifier, Options, Problem,
    TimePeriod, Window,
};
use crate::number::Exact;

use super::checks;
use super::errors::Errors;
use super::series::Series;

/// `None`: absent; `Some(None)`: given, but unreadable.
pub(super) type Given<T> = Option<Option<T>>;

/// The part of the data that a request is about, as written.
#[derive(Debug, Default)]
pub(super) struct WindowDraft {
    /// First and last day.
    pub(super) period: Option<(Option<NaiveDate>, Option<NaiveDate>)>,
    pub(super) time_period: Given<TimePeriod>,
    pub(super) as_of: Given<NaiveDate>,
}

impl WindowDraft {
    pub(super) fn finish(self) -> Window {
        let (start, end) = self.period.unwrap_or_default();
        match self.time_period.flatten() {
            Some(time_period) => Window::Standing { time_period, as_of: self.as_of.flatten() },
            None => Window::Custom { start, end },
        }
    }
}

/// A benchmark as written.
#[derive(Debug, Default)]
pub(super) struct BenchmarkDraft {
    pub(super) id: Option<Identifier>,
    pub(super) values: Option<Series>,
    pub(super) returns: Option<Series>,
}

impl BenchmarkDraft {
    fn finish(self) -> Option<Benchmark> {
        let values = self.values.map(|series| BenchmarkSeries::Values(series.into_time_series()));
        let returns = self.returns.map(|series| BenchmarkSeries::Returns(series.into_time_series()));
        Some(Benchmark { id: self.id, series: values.or(returns)? })
    }
}

/// A calculation request as written.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) id: Option<String>,
    pub(super) entity_type: Option<EntityType>,
    pub(super) entity_id: Option<Identifier>,
    pub(super) client_id: Option<Identifier>,
    pub(super) account_id: Option<Identifier>,
    pub(super) window: WindowDraft,
    pub(super) valuations: Option<Series>,
    pub(super) cash_flows: Option<Series>,
    pub(super) returns: Option<Series>,
    pub(super) benchmark: Option<BenchmarkDraft>,
    pub(super) risk_free_rate: Option<Exact>,
    pub(super) options: Options,
    pub(super) store: Option<bool>,
}

impl Draft {
    /// The request, if nothing is wrong with it.
    pub(super) fn finish(mut self, mut errors: Errors) -> Result<CalculationRequest, Problem> {
        checks::draft(&self, &mut errors);
        let (Some(entity_type), Some(entity_id), true) =
            (self.entity_type, self.entity_id, errors.is_empty())
        else {
            return Err(errors.problem());
        };
        self.options.metrics.sort_unstable();
        self.options.metrics.dedup();
        Ok(CalculationRequest {
            id: self.id,
            entity_type,
            entity_id,
            client_id: self.client_id,
            account_id: self.account_id,
            window: self.window.finish(),
            data: data(self.valuations, self.cash_flows, self.returns),
            benchmark: self.benchmark.and_then(BenchmarkDraft::finish),
            risk_free_rate: self.risk_free_rate,
            options: self.options,
            store: self.store.unwrap_or(true),
        })
    }
}

fn data(valuations: Option<Series>, cash_flows: Option<Series>, returns: Option<Series>) -> Data {
    match (valuations, returns) {
        (Some(valuations), _) => Data::Valuations {
            valuations: valuations.into_time_series(),
            cash_flows: cash_flows.map(Series::into_flows).unwrap_or_default(),
        },
        (None, Some(returns)) => Data::Returns(returns.into_time_series()),
        (None, None) => Data::Ledger,
    }
}
