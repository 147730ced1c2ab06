//! What is to be done about the messages of a batch, and in which order.

use std::collections::HashMap;

use super::message::PutObject;
use super::process::Record;
use crate::model::{BatchMembers, EntityKey, Event, EventBody, Identifier, Problem, read};

/// A message that could be read.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) index: usize,
    pub(super) message_id: String,
    pub(super) receive_count: u32,
    pub(super) tenant: Identifier,
    pub(super) event: Event,
}

/// Tasks that are worked on together.
pub(super) enum Unit {
    Ledger(EntityKey, Vec<Task>),
    Import(usize, Vec<PutObject>),
    Single(Box<Task>),
}

/// Work in the order of its stages: a calculation that came with changes of its
/// ledger should see them.
#[derive(Default)]
pub(super) struct Plan {
    ledgers: Vec<(EntityKey, Vec<Task>)>,
    places: HashMap<EntityKey, usize>,
    pub(super) imports: Vec<Unit>,
    others: Vec<Unit>,
}

impl Plan {
    pub(super) fn add(&mut self, task: Task) {
        let Some(entity) = task.event.ledger_entity_of(&task.tenant) else {
            return self.others.push(Unit::Single(Box::new(task)));
        };
        let place = *self.places.entry(entity.clone()).or_insert(self.ledgers.len());
        match self.ledgers.get_mut(place) {
            Some((_, tasks)) => tasks.push(task),
            None => self.ledgers.push((entity, vec![task])),
        }
    }

    pub(super) fn stages(self) -> [Vec<Unit>; 3] {
        let ledgers = self.ledgers.into_iter().map(|(entity, tasks)| Unit::Ledger(entity, tasks));
        [ledgers.collect(), self.imports, self.others]
    }
}

impl Event {
    /// The entity of a tenant whose ledger the event changes.
    pub(super) fn ledger_entity_of(&self, tenant: &Identifier) -> Option<EntityKey> {
        let (EventBody::Transaction { entity_type, entity_id, .. }
        | EventBody::Valuation { entity_type, entity_id, .. }) = &self.body
        else {
            return None;
        };
        let entity_id = entity_id.clone();
        Some(EntityKey { client_id: tenant.clone(), entity_type: *entity_type, entity_id })
    }

    /// The tenant that the event names, in its envelope or in its content.
    fn tenant(&self) -> Option<&Identifier> {
        let inner = match &self.body {
            EventBody::PortfolioPerformance(request) => request.client_id.as_ref(),
            EventBody::CalculationCompleted(result) => Some(&result.client_id),
            EventBody::BatchCalculation(BatchMembers::Requests { accepted, .. }) => {
                let mut named = accepted.iter().map(|(_, request)| request.client_id.as_ref());
                let first = named.next().flatten();
                first.filter(|first| named.all(|other| other == Some(*first)))
            }
            EventBody::BatchCalculation(BatchMembers::Entities { .. })
            | EventBody::Transaction { .. }
            | EventBody::Valuation { .. } => None,
        };
        self.client_id.as_ref().or(inner)
    }
}

/// Reads the event of a message.
pub(super) fn task(index: usize, record: Record) -> Result<Task, Problem> {
    let event = read::event(record.body.as_bytes())?;
    let missing = || Problem::field("/client_id", "missing_field", "expected the field client_id: add it");
    let tenant = event.tenant().cloned().ok_or_else(missing)?;
    if let EventBody::CalculationCompleted(result) = &event.body
        && result.client_id != tenant
    {
        return Err(Problem::field(
            "/client_id",
            "conflicting_fields",
            "expected the result's own client_id",
        ));
    }
    Ok(Task { index, message_id: record.message_id, receive_count: record.receive_count, tenant, event })
}
