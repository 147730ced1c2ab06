//! Events: the messages of the queue.

use jiter::{Jiter, Peek};

use crate::model::{
    BatchMembers, CalculationRequest, CompletedResult, EVENT_VERSION, EntityType, Event, EventBody,
    EventType, Identifier, MAX_BATCH_MEMBERS, Problem, RefusedMember,
};

use super::draft::WindowDraft;
use super::errors::Errors;
use super::fault::{self, Fault};
use super::json::{Fields, Parsed, Reader, without_mark};
use super::ledger::{TransactionDraft, ValuationDraft};
use super::{calculation, checks, completed, request};

const PERFORMANCE: Fields =
    Fields { required: &["version", "type", "request"], optional: &["request_id", "client_id", "item"] };
const COMPLETED: Fields =
    Fields { required: &["version", "type", "result"], optional: &["request_id", "client_id", "item"] };
const BATCH: Fields = Fields {
    required: &["version", "type"],
    optional: &[
        "request_id",
        "client_id",
        "item",
        "requests",
        "entity_type",
        "entity_ids",
        "period",
        "time_period",
        "as_of",
    ],
};
const TRANSACTION: Fields = Fields {
    required: &["version", "type", "entity_type", "entity_id", "transaction_id"],
    optional: &[
        "request_id",
        "client_id",
        "item",
        "account_id",
        "date",
        "kind",
        "amount",
        "currency",
        "timing",
        "revision",
        "void",
    ],
};
const VALUATION: Fields = Fields {
    required: &["version", "type", "entity_type", "entity_id", "date"],
    optional: &["request_id", "client_id", "item", "value", "currency", "revision", "void"],
};

/// Reads an event.
///
/// A member of `requests` that is wrong does not spoil the others: it comes back
/// in [`BatchMembers::Requests`].
///
/// # Errors
///
/// 400 where the text is not JSON; 422 with everything that is wrong otherwise,
/// an unknown `type` or `version` included.
///
/// ```
/// use perf_core::model::{EventType, read::event};
/// let valuation = br#"{"version": 1, "type": "valuation", "client_id": "acme",
///     "entity_type": "portfolio", "entity_id": "port-1", "date": "2023-06-30", "value": "10850.00"}"#;
/// let event = event(valuation)?;
/// assert_eq!(event.event_type(), EventType::Valuation);
/// let text = serde_json::to_string(&event)?;
/// assert_eq!(perf_core::model::read::event(text.as_bytes())?, event);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn event(text: &[u8]) -> Result<Event, Problem> {
    let kind = match event_type(text) {
        Some(Ok(kind)) => kind,
        Some(Err(fault)) => return Err(unknown_type(text, fault)),
        None => {
            return Err(unknown_type(text, Fault::new("missing_field", "expected the field type: add it")));
        }
    };
    let (draft, errors) = Reader::document(text, |reader| {
        let mut draft = Draft::default();
        reader.object(kind.fields(), |reader, field| draft.read(reader, field, kind))?;
        let body = draft.body(reader, kind);
        Ok((draft.envelope, body))
    })?;
    let (Envelope { request_id, client_id, item }, body) = draft;
    match body {
        Some(body) if errors.is_empty() => {
            Ok(Event { request_id, client_id, item: item.unwrap_or_default(), body })
        }
        _ => Err(errors.problem()),
    }
}

impl EventType {
    fn fields(self) -> &'static Fields {
        match self {
            Self::PortfolioPerformance => &PERFORMANCE,
            Self::BatchCalculation => &BATCH,
            Self::Transaction => &TRANSACTION,
            Self::Valuation => &VALUATION,
            Self::CalculationCompleted => &COMPLETED,
        }
    }
}

/// The first `type` at the top level, if the text gets that far.
fn event_type(text: &[u8]) -> Option<Result<EventType, Fault>> {
    let mut json = Jiter::new(without_mark(text));
    let mut is_type = json.next_object().ok()?? == "type";
    loop {
        if is_type {
            return match json.peek().ok()? {
                Peek::String => Some(word(json.known_str().ok()?)),
                _ => Some(Err(Fault::new("wrong_type", "expected a string"))),
            };
        }
        json.next_skip().ok()?;
        is_type = json.next_key().ok()?? == "type";
    }
}

fn word(text: &str) -> Result<EventType, Fault> {
    fault::word(text).map_err(|fault| Fault { code: "unknown_event_type", ..fault })
}

fn unknown_type(text: &[u8], fault: Fault) -> Problem {
    match Reader::document(text, Reader::skip) {
        Ok(((), mut errors)) => {
            errors.add("/type", fault);
            errors.problem()
        }
        Err(malformed) => malformed,
    }
}

#[derive(Default)]
struct Envelope {
    request_id: Option<Identifier>,
    client_id: Option<Identifier>,
    item: Option<u32>,
}

/// An event as far as it could be read.
#[derive(Default)]
struct Draft {
    envelope: Envelope,
    entity_type: Option<EntityType>,
    entity_id: Option<Identifier>,
    entity_ids: Option<Vec<Identifier>>,
    window: WindowDraft,
    request: Option<CalculationRequest>,
    requests: Option<BatchMembers>,
    result: Option<CompletedResult>,
    transaction: TransactionDraft,
    valuation: ValuationDraft,
}

impl Draft {
    fn read(&mut self, reader: &mut Reader<'_>, field: &'static str, kind: EventType) -> Parsed<()> {
        match field {
            "version" => version(reader)?,
            "type" => drop(reader.choice::<EventType>()?),
            "request_id" => self.envelope.request_id = reader.identifier()?,
            "client_id" => self.envelope.client_id = reader.identifier()?,
            "item" => self.envelope.item = reader.whole_number(0..=u32::MAX)?,
            "request" => self.request = reader.nested(calculation)?,
            "result" => self.result = reader.nested(completed)?,
            "requests" => self.requests = Some(requests(reader)?),
            "entity_type" => self.entity_type = reader.choice()?,
            "entity_id" => self.entity_id = reader.identifier()?,
            "entity_ids" => self.entity_ids = Some(reader.identifiers(1..=MAX_BATCH_MEMBERS)?),
            "period" => request::period(reader, &mut self.window)?,
            "time_period" => self.window.time_period = Some(reader.choice()?),
            "as_of" => self.window.as_of = Some(reader.date()?),
            _ if kind == EventType::Transaction => self.transaction.read(reader, field)?,
            _ => self.valuation.read(reader, field)?,
        }
        Ok(())
    }

    fn body(&mut self, reader: &mut Reader<'_>, kind: EventType) -> Option<EventBody> {
        match kind {
            EventType::PortfolioPerformance => self.performance(reader),
            EventType::BatchCalculation => self.batch(reader),
            EventType::Transaction => {
                let entry = std::mem::take(&mut self.transaction).finish(reader);
                Some(EventBody::Transaction {
                    entity_type: self.entity_type?,
                    entity_id: self.entity_id.take()?,
                    entry: entry?,
                })
            }
            EventType::Valuation => {
                let entry = std::mem::take(&mut self.valuation).finish(reader);
                Some(EventBody::Valuation {
                    entity_type: self.entity_type?,
                    entity_id: self.entity_id.take()?,
                    entry: entry?,
                })
            }
            EventType::CalculationCompleted => {
                self.result.take().map(Box::new).map(EventBody::CalculationCompleted)
            }
        }
    }

    fn performance(&mut self, reader: &mut Reader<'_>) -> Option<EventBody> {
        let request = self.request.take()?;
        self.same_tenant(reader, "request/client_id", request.client_id.as_ref());
        Some(EventBody::PortfolioPerformance(Box::new(request)))
    }

    /// A request inside an event belongs to the event's tenant.
    fn same_tenant(&self, reader: &mut Reader<'_>, place: &str, inner: Option<&Identifier>) {
        if let (Some(outer), Some(inner)) = (&self.envelope.client_id, inner)
            && outer != inner
        {
            let message = || "expected the event's own client_id: make them the same".to_owned();
            reader.fail_at(place, "conflicting_fields", message);
        }
    }

    fn batch(&mut self, reader: &mut Reader<'_>) -> Option<EventBody> {
        let mut errors = Errors::default();
        checks::window(&self.window, &mut errors);
        if !errors.is_empty() {
            errors.problem().errors.into_iter().for_each(|error| reader.fail_within(error));
        }
        let members = match (self.requests.take(), self.entity_ids.take()) {
            (Some(_), Some(_)) => {
                let message = || "expected either requests or entity_ids: remove one of them".to_owned();
                reader.fail_at("entity_ids", "conflicting_fields", message);
                return None;
            }
            (None, None) => {
                reader.missing("requests");
                return None;
            }
            (Some(requests), None) => requests,
            (None, Some(entity_ids)) => {
                let Some(entity_type) = self.entity_type else {
                    reader.missing("entity_type");
                    return None;
                };
                let window = std::mem::take(&mut self.window).finish();
                BatchMembers::Entities { entity_type, entity_ids, window }
            }
        };
        if let BatchMembers::Requests { accepted, .. } = &members {
            for (index, request) in accepted {
                let place = format!("requests/{index}/client_id");
                self.same_tenant(reader, &place, request.client_id.as_ref());
            }
        }
        Some(EventBody::BatchCalculation(members))
    }
}

fn version(reader: &mut Reader<'_>) -> Parsed<()> {
    if reader.whole_number(0..=u32::MAX)?.is_some_and(|version| version != EVENT_VERSION) {
        reader.fail(Fault::new("unknown_version", format!("expected version {EVENT_VERSION}")));
    }
    Ok(())
}

fn requests(reader: &mut Reader<'_>) -> Parsed<BatchMembers> {
    let (mut accepted, mut refused, mut index) = (Vec::new(), Vec::new(), 0);
    let count = reader.array(MAX_BATCH_MEMBERS, |reader| {
        match reader.document_within(calculation)? {
            Ok(request) => accepted.push((index, request)),
            Err(problem) => refused.push(RefusedMember { index, problem }),
        }
        index += 1;
        Ok(())
    })?;
    if count == Some(0) {
        reader.fail(Fault::new("too_few_items", "expected at least one request"));
    }
    Ok(BatchMembers::Requests { accepted, refused })
}
