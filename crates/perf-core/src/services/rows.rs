//! Where a result is filed.

use crate::model::{
    CompletedResult, EntityType, Identifier, Method, Period, ResultBasis, TimePeriod, WindowName, Word,
};
use crate::ports::ResultRow;

/// Begin of the sort keys of current results.
pub(super) const CURRENT_PREFIX: &str = "latest#";
/// Characters of the input hash in the key of a request's own result.
const HASH_CHARACTERS: usize = 16;

/// Sort key of an entity's current result of a window.
pub(super) fn current_key(window: TimePeriod, method: Method) -> String {
    format!("{CURRENT_PREFIX}{}#{}", window.word(), method.word())
}

/// Sort key of a dated result: its period's end, window and method, and for a
/// request's own data or conventions the start of its input's hash.
pub(super) fn dated_key(result: &CompletedResult) -> String {
    let Period { start, end, .. } = result.period;
    let window = match (result.time_period, start) {
        (WindowName::Custom, Some(start)) => format!("CUSTOM:{start}"),
        (window, _) => window.word().to_owned(),
    };
    let key = format!("{end}#{window}#{}", result.calculation_method.word());
    match result.basis {
        ResultBasis::Standing | ResultBasis::Ledger => key,
        ResultBasis::Request => {
            let hash: String = result.input_hash.chars().take(HASH_CHARACTERS).collect();
            format!("{key}#{hash}")
        }
    }
}

/// The rows that a result becomes: the dated one first.
pub(super) fn rows(result: &CompletedResult, now: &str) -> Vec<ResultRow> {
    let row = |sort_key: String, current| ResultRow {
        sort_key,
        current,
        withdrawn: false,
        result: result.clone(),
        created_at: now.to_owned(),
        updated_at: now.to_owned(),
    };
    let mut rows = vec![row(dated_key(result), false)];
    if let (ResultBasis::Standing, Some(window)) = (result.basis, result.standing_window()) {
        rows.push(row(current_key(window, result.calculation_method), true));
    }
    rows
}

/// The path under which an entity's results are read.
pub(super) fn result_url(entity_type: EntityType, entity_id: &Identifier) -> String {
    format!("/performance/{}/{entity_id}", entity_type.word())
}
