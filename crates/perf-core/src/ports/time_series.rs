use async_trait::async_trait;
use chrono::NaiveDate;

use super::PortError;
use crate::model::{EntityKey, Method, Metric, WindowName};
use crate::number::Rounded;

/// The figures of a result that are kept as time series.
pub const SERIES_METRICS: [Metric; 5] =
    [Metric::Twr, Metric::Mwr, Metric::Volatility, Metric::SharpeRatio, Metric::MaxDrawdown];

/// Figures of one result at one point of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesRecord {
    /// Whose figures.
    pub entity: EntityKey,
    /// How sub-periods were cut.
    pub calculation_method: Method,
    /// The window.
    pub time_period: WindowName,
    /// `standing` for the ledger's windows, so that a later computation takes the
    /// place of an earlier one; the request's own name otherwise.
    pub request_id: String,
    /// The period's end; the point lies at its 00:00 UTC.
    pub date: NaiveDate,
    /// The ledger's revision, at least 1: the highest one stands.
    pub version: u64,
    /// Those of [`SERIES_METRICS`] that are defined.
    pub figures: Vec<(Metric, Rounded)>,
}

/// Writes time series, which are derived from the results and can be made again.
#[async_trait]
pub trait TimeSeriesWriter: Send + Sync {
    /// Writes each record, in place of one of a lower version. A record that is
    /// there in the same or a higher version is left, and that is no error. After an error some
    /// may have been written, and writing all again does no harm.
    ///
    /// # Errors
    ///
    /// [`PortError`], also where the store took some records and rejected others.
    async fn write_series(&self, records: &[SeriesRecord]) -> Result<(), PortError>;
}
