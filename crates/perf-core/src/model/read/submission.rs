//! What callers submit for later: one document, or a list of them.

use jiter::Jiter;

use crate::model::{CalculationRequest, Event, EventBody, MAX_BATCH_MEMBERS, Problem};

use super::fault::Fault;
use super::json::{Fields, Reader, without_mark};
use super::{calculation, event};

const REQUESTS: Fields = Fields { required: &["requests"], optional: &[] };
const EVENTS: Fields = Fields { required: &["events"], optional: &[] };

/// Reads a calculation request, or up to 1,000 of them: `{"requests": [...]}`.
///
/// # Errors
///
/// As [`calculation`](super::calculation), for every request of the list at once.
///
/// ```
/// use perf_core::model::read::calculations;
/// let request = r#"{"entity_type": "portfolio", "entity_id": "port-1"}"#;
/// assert_eq!(calculations(request.as_bytes())?.len(), 1);
/// let list = format!(r#"{{"requests": [{request}, {request}]}}"#);
/// assert_eq!(calculations(list.as_bytes())?.len(), 2);
/// # Ok::<(), perf_core::model::Problem>(())
/// ```
pub fn calculations(text: &[u8]) -> Result<Vec<CalculationRequest>, Problem> {
    one_or_many(text, &REQUESTS, calculation)
}

/// Reads an event of a caller, or up to 1,000 of them: `{"events": [...]}`.
///
/// # Errors
///
/// As [`event`](super::event), for every event of the list at once; 422 for a type
/// that only our own functions send, and for every member of a batch that is wrong.
///
/// ```
/// use perf_core::model::read::events;
/// let list = br#"{"events": [{"version": 1, "type": "valuation", "entity_type": "portfolio",
///     "entity_id": "port-1", "date": "2023-06-31", "value": "10850.00"}]}"#;
/// assert_eq!(events(list).expect_err("no such day").errors[0].pointer, "/events/0/date");
/// ```
pub fn events(text: &[u8]) -> Result<Vec<Event>, Problem> {
    one_or_many(text, &EVENTS, event_of_caller)
}

fn event_of_caller(text: &[u8]) -> Result<Event, Problem> {
    let event = event(text)?;
    match &event.body {
        EventBody::CalculationCompleted(_) => {
            Err(Problem::field("/type", "unknown_event_type", "this type is not for callers"))
        }
        EventBody::BatchCalculation(members) => match members.refusal() {
            Some(refusal) => Err(refusal),
            None => Ok(event),
        },
        _ => Ok(event),
    }
}

fn one_or_many<T>(
    text: &[u8],
    list: &Fields,
    read: fn(&[u8]) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    if !list.required.iter().any(|name| has_field(text, name)) {
        return read(text).map(|one| vec![one]);
    }
    let (items, errors) = Reader::document(text, |reader| {
        let mut items = Vec::new();
        reader.object(list, |reader, _| {
            let count = reader.array(MAX_BATCH_MEMBERS, |reader| {
                items.extend(reader.nested(read)?);
                Ok(())
            })?;
            if count == Some(0) {
                reader.fail(Fault::new("too_few_items", "expected at least one item"));
            }
            Ok(())
        })?;
        Ok(items)
    })?;
    if errors.is_empty() { Ok(items) } else { Err(errors.problem()) }
}

/// Whether the top level has a field, as far as the text can be read.
fn has_field(text: &[u8], name: &str) -> bool {
    let mut json = Jiter::new(without_mark(text));
    let mut next = json.next_object().map(|key| key.map(|key| key == name));
    while let Ok(Some(found)) = next {
        if found {
            return true;
        }
        if json.next_skip().is_err() {
            return false;
        }
        next = json.next_key().map(|key| key.map(|key| key == name));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::testing::found;
    use super::*;

    #[test]
    fn everything_wrong_with_a_list_is_found_at_its_place() {
        let text = br#"{"requests": [
            {"entity_type": "fund", "entity_id": "p"}, {"entity_type": "portfolio", "entity_id": "p"}, 7]}"#;
        let places = [
            ("/requests/0/entity_type".to_owned(), "unknown_value"),
            ("/requests/2".to_owned(), "wrong_type"),
        ];
        assert_eq!(found(&calculations(text).expect_err("two are wrong")), places);
        for (text, place, code) in [
            (r#"{"requests": []}"#, "/requests", "too_few_items"),
            (r#"{"requests": {}}"#, "/requests", "wrong_type"),
            (
                r#"{"more": 1, "requests": [{"entity_type": "portfolio", "entity_id": "p"}]}"#,
                "/more",
                "unknown_field",
            ),
        ] {
            let problem = calculations(text.as_bytes()).expect_err(text);
            assert_eq!(found(&problem), [(place.to_owned(), code)], "{text}");
        }
        let many = format!(r#"{{"requests": [{}]}}"#, vec!["{}"; MAX_BATCH_MEMBERS + 1].join(","));
        let problem = calculations(many.as_bytes()).expect_err("too many");
        assert!(problem.errors_omitted.is_some_and(|omitted| omitted > 0));
        for text in ["", "{", "{\"requests\": [", "[]x"] {
            assert_eq!(calculations(text.as_bytes()).expect_err(text).status, 400);
        }
    }

    #[test]
    fn callers_send_what_is_theirs_to_send() {
        let batch = r#"{"events": [{"version": 1, "type": "batch_calculation",
            "requests": [{"entity_type": "portfolio", "entity_id": "p", "store": 1}]}]}"#;
        let problem = events(batch.as_bytes()).expect_err("a member is wrong");
        assert_eq!(found(&problem), [("/events/0/requests/0/store".to_owned(), "wrong_type")]);
        let completed = r#"{"version": 1, "type": "calculation_completed", "result": {}}"#;
        assert_eq!(events(completed.as_bytes()).expect_err("not theirs").status, 422);
    }
}
