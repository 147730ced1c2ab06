//! Results as records of a time series.

use crate::model::{CompletedResult, ResultBasis, WindowName};
use crate::ports::{SERIES_METRICS, SeriesRecord};

/// Request under which the ledger's windows are filed, the same for all of them.
pub(super) const STANDING_REQUEST: &str = "standing";

/// The record of a result; none where no figure of it is kept, or none is defined.
pub(super) fn record(result: &CompletedResult) -> Option<SeriesRecord> {
    let defined = |metric| result.metrics.get(metric)?.ok().map(|figure| (metric, figure));
    let figures: Vec<_> = SERIES_METRICS.into_iter().filter_map(defined).collect();
    // Two periods of one end would share a record otherwise.
    let is_standing = result.basis != ResultBasis::Request && result.time_period != WindowName::Custom;
    let request_id = if is_standing { STANDING_REQUEST } else { &result.request_id };
    (!figures.is_empty()).then(|| SeriesRecord {
        entity: result.entity(),
        calculation_method: result.calculation_method,
        time_period: result.time_period,
        request_id: request_id.to_owned(),
        date: result.period.end,
        version: result.input_revision.max(1),
        figures,
    })
}
