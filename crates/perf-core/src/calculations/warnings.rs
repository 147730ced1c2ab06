//! What a caller should know about figures that are right but may surprise.

use chrono::NaiveDate;
use serde::Serialize;

/// Most warnings of one code; a last one counts the rest.
const MAX_WARNINGS_PER_CODE: usize = 100;

/// A remark on a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Warning {
    /// Machine word.
    pub code: &'static str,
    /// What it means for the figures.
    pub message: String,
    /// The date it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<NaiveDate>,
}

/// Warnings of one kind on several dates, in order, at most so many of them.
pub(crate) fn on_dates(code: &'static str, message: &str, dates: &[NaiveDate]) -> Vec<Warning> {
    let one = |date: &NaiveDate| Warning { code, message: message.to_owned(), date: Some(*date) };
    let mut warnings: Vec<Warning> = dates.iter().take(MAX_WARNINGS_PER_CODE).map(one).collect();
    let rest = dates.len().saturating_sub(MAX_WARNINGS_PER_CODE);
    if rest > 0 {
        warnings.push(Warning { code, message: format!("{message} (and on {rest} more dates)"), date: None });
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_bounded() {
        let dates = vec![NaiveDate::MIN; 250];
        let warnings = on_dates("idle_sub_period", "nothing happened", &dates);
        assert_eq!(warnings.len(), 101);
        assert!(warnings[100].message.ends_with("(and on 150 more dates)"));
    }
}
