//! A request for an internal rate of return, from JSON.

use crate::model::{IrrRequest, Problem};

use super::batch::{self, Kind};
use super::checks;
use super::json::{Fields, Reader};
use super::rows::series;
use super::series::{IRR_FLOWS, Series};

const REQUEST: Fields = Fields { required: &["cash_flows"], optional: &["day_count", "kind", "id"] };

/// Reads a request for an internal rate of return.
///
/// # Errors
///
/// 400 where the text is not JSON; 422 with everything that is wrong otherwise.
///
/// ```
/// use perf_core::model::read::irr;
/// let request = irr(br#"{"cash_flows": {"dates": ["2024-01-01", "2023-01-01"], "amounts": [110, -100]}}"#)?;
/// assert_eq!(request.cash_flows[0].value.to_string(), "-100");
/// # Ok::<(), perf_core::model::Problem>(())
/// ```
pub fn irr(text: &[u8]) -> Result<IrrRequest, Problem> {
    let ((id, flows, day_count), mut errors) = Reader::document(text, |reader| {
        let (mut id, mut flows, mut day_count) = (None, None, None);
        reader.object(&REQUEST, |reader, field| {
            match field {
                "cash_flows" => flows = Some(series(reader, &IRR_FLOWS)?),
                "day_count" => day_count = reader.choice()?,
                "kind" => batch::expect_kind(reader, Kind::Irr)?,
                _ => id = reader.label()?,
            }
            Ok(())
        })?;
        Ok((id, flows, day_count))
    })?;
    if let Some(flows) = &flows {
        checks::at_least(1, flows, "too_few_flows", &mut errors);
    }
    if !errors.is_empty() {
        return Err(errors.problem());
    }
    let cash_flows = flows.map(Series::into_dated).unwrap_or_default();
    Ok(IrrRequest { id, cash_flows, day_count: day_count.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::super::testing::found;
    use super::*;
    use crate::model::DayCount;

    fn refuses(text: &str, expected: &[(&str, &'static str)]) {
        let problem = irr(text.as_bytes()).expect_err(text);
        let expected: Vec<_> =
            expected.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect();
        assert_eq!(found(&problem), expected, "{text}");
    }

    #[test]
    fn reads_flows_in_any_order() {
        let rows = br#"{"kind": "irr", "id": "x", "day_count": "ACT/360", "cash_flows": [
            {"date": "2024-01-01", "amount": "110.50"}, {"amount": -100, "date": "2023-01-01"}]}"#;
        let request = irr(rows).expect("a request");
        assert_eq!((request.id.as_deref(), request.day_count), (Some("x"), DayCount::Actual360));
        let flows: Vec<_> = request.cash_flows.iter().map(|flow| flow.value.to_string()).collect();
        assert_eq!(flows, ["-100", "110.50"]);
        for name in ["amounts", "values"] {
            let columns = format!(
                r#"{{"cash_flows": {{"dates": ["2023-01-01", "2024-01-01"], "{name}": [-100, 110.5]}}}}"#
            );
            let columns = irr(columns.as_bytes()).expect("a request");
            assert_eq!(
                (columns.cash_flows, columns.day_count),
                (request.cash_flows.clone(), DayCount::Actual365Fixed)
            );
        }
    }

    #[test]
    fn refuses_what_is_wrong() {
        refuses("{}", &[("/cash_flows", "missing_field")]);
        refuses(r#"{"cash_flows": []}"#, &[("/cash_flows", "too_few_flows")]);
        refuses(r#"{"cash_flows": null}"#, &[("/cash_flows", "wrong_type")]);
        refuses(
            r#"{"kind": "calculation", "entity_id": "p", "day_count": "ACT", "id": 1,
                "cash_flows": [{"date": "2023-01-01", "amount": 1, "timing": "mid_day"}]}"#,
            &[
                ("/kind", "unknown_value"),
                ("/entity_id", "unknown_field"),
                ("/day_count", "unknown_value"),
                ("/id", "wrong_type"),
                ("/cash_flows/0/timing", "unknown_field"),
            ],
        );
    }
}
