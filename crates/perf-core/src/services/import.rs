//! Objects that were put into the input bucket: `imports/{client_id}/{entity_type}/{entity_id}/`
//! and a name, `valuations*.csv`, `flows*.csv` or `*.jsonl`.

use std::sync::Arc;

use super::ingest::Change;
use super::message::PutObject;
use super::process::{Processor, RecordOutcome};
use super::{problem_of, report};
use crate::ledger::{FileRows, LedgerFile};
use crate::model::read::{self, CsvFile};
use crate::model::{EntityKey, EntityType, EventBody, FieldError, Identifier, Problem, Word};
use crate::ports::{BlobRead, BlobReader, BlobWriter};

/// Largest object that is read.
pub const IMPORT_BYTES_MAX: u64 = 32 << 20;
/// Most lines of an object of events.
const IMPORT_LINES_MAX: usize = 100_000;
/// Where objects to import lie.
const IMPORTS: &str = "imports/";
/// Where an account of what was wrong with them is left.
const REJECTED: &str = "rejected/";
const ROOT: &str = "";

/// What importing needs.
#[derive(Clone)]
pub struct ImportPorts {
    /// The one bucket whose objects are imported.
    pub bucket: String,
    /// Reads it.
    pub reader: Arc<dyn BlobReader>,
    /// Takes accounts of objects that cannot be imported.
    pub writer: Arc<dyn BlobWriter>,
}

/// Where the problem document of an object that cannot be imported is put.
///
/// ```
/// use perf_core::services::rejected_key;
/// let key = rejected_key("imports/acme/portfolio/port-1/flows.csv");
/// assert_eq!(key, "rejected/acme/portfolio/port-1/flows.csv.json");
/// ```
#[must_use]
pub fn rejected_key(key: &str) -> String {
    format!("{REJECTED}{}.json", key.strip_prefix(IMPORTS).unwrap_or(key))
}

/// An object that could be read: whose ledger changes, and how.
struct Import {
    object: PutObject,
    entity: EntityKey,
    /// With the line of each, counted from 0; 0 for a whole file.
    changes: Vec<(usize, Change)>,
}

/// Where an object lies, as its key says.
struct Address<'k> {
    entity: EntityKey,
    name: &'k str,
}

impl Processor {
    /// Imports objects; those of one entity together, so that its results are
    /// computed once. What is wrong with an object is told beside it, and is no
    /// failure of the message.
    pub(super) async fn import(&self, objects: Vec<PutObject>) -> RecordOutcome {
        let Some(ports) = &self.imports else {
            return report::permanent(&Problem::field(
                "/Records",
                "unexpected_notification",
                "no bucket is read",
            ));
        };
        let mut outcome = RecordOutcome::Done;
        let mut readable: Vec<(EntityKey, Vec<Import>)> = Vec::new();
        for object in objects.into_iter().filter(|object| !object.key.starts_with(REJECTED)) {
            match ports.open(&object).await {
                Ok(import) => match readable.iter_mut().find(|(entity, _)| *entity == import.entity) {
                    Some((_, imports)) => imports.push(import),
                    None => readable.push((import.entity.clone(), vec![import])),
                },
                Err(problem) => outcome = worse(outcome, ports.refuse(&object, &problem).await),
            }
        }
        for (entity, imports) in readable {
            outcome = worse(outcome, self.import_into(ports, &entity, imports).await);
        }
        outcome
    }

    async fn import_into(
        &self,
        ports: &ImportPorts,
        entity: &EntityKey,
        imports: Vec<Import>,
    ) -> RecordOutcome {
        let changes: Vec<Change> = imports
            .iter()
            .flat_map(|import| import.changes.iter().map(|(_, change)| change.clone()))
            .collect();
        let outcomes = match self.update(entity, &changes).await {
            Ok(outcomes) => outcomes,
            Err(problem) => return report::outcome(&Err(problem)),
        };
        let mut outcomes = outcomes.into_iter();
        let mut outcome = RecordOutcome::Done;
        for Import { object, changes, .. } in imports {
            let lines = changes.into_iter().map(|(line, _)| line);
            // The lines come first: an outcome that is taken has its line.
            let own = lines.zip(outcomes.by_ref()).collect();
            if let Some(problem) = summary(own) {
                outcome = worse(outcome, ports.refuse(&object, &problem).await);
            }
        }
        outcome
    }
}

/// The outcome of a message with several parts: what may succeed later comes first,
/// so that it does.
fn worse(one: RecordOutcome, other: RecordOutcome) -> RecordOutcome {
    match (&one, &other) {
        (RecordOutcome::Retry { .. }, _) | (_, RecordOutcome::Done) => one,
        (RecordOutcome::Permanent { .. }, RecordOutcome::Permanent { .. }) => one,
        _ => other,
    }
}

/// What is wrong with the changes of one object, as one problem.
fn summary(outcomes: Vec<(usize, Result<(), Problem>)>) -> Option<Problem> {
    let changes = outcomes.len();
    let failed: Vec<(usize, Problem)> =
        outcomes.into_iter().filter_map(|(line, outcome)| Some((line, outcome.err()?))).collect();
    let (_, first) = failed.first()?;
    if let Some((_, passing)) = failed.iter().find(|(_, problem)| report::is_passing(problem)) {
        return Some(passing.clone());
    }
    let is_common = failed.len() == changes && failed.iter().all(|(_, problem)| problem == first);
    if is_common {
        return Some(first.clone());
    }
    Some(Problem::invalid(failed.into_iter().flat_map(|(line, problem)| on_line(line, problem)).collect()))
}

/// The errors of an event as those of a line of its file.
fn on_line(index: usize, problem: Problem) -> Vec<FieldError> {
    let line = index + 1;
    let error = |error: FieldError| FieldError {
        pointer: format!("/{index}{}", error.pointer),
        code: error.code,
        message: format!("{} (line {line})", error.message),
    };
    match problem.errors.is_empty() {
        true => vec![FieldError {
            pointer: format!("/{index}"),
            code: problem.code,
            message: format!("{} (line {line})", problem.detail),
        }],
        false => problem.errors.into_iter().map(error).collect(),
    }
}

impl ImportPorts {
    /// Reads an object.
    ///
    /// # Errors
    ///
    /// What is wrong with it, or 503.
    async fn open(&self, object: &PutObject) -> Result<Import, Problem> {
        if object.bucket != self.bucket {
            return Err(Problem::forbidden("the notification is about another bucket"));
        }
        let Address { entity, name } = address(&object.key)?;
        let read = self.reader.read_blob(&object.key, IMPORT_BYTES_MAX).await;
        let content = match read.map_err(|error| problem_of(&error))? {
            BlobRead::Found(content) => content,
            BlobRead::TooLarge => {
                let limit = format!("an object has at most {IMPORT_BYTES_MAX} bytes: divide it");
                return Err(Problem::too_large(limit));
            }
            BlobRead::Missing => return Err(Problem::not_found("the object is gone")),
        };
        let seconds = u32::try_from(object.put_at.timestamp()).unwrap_or_default();
        let file = CsvFile { name, text: &content };
        let csv = |rows| vec![(0, Change::File(LedgerFile::new(name, &content, seconds, rows)))];
        let changes = match kind(name)? {
            Kind::Valuations => csv(FileRows::Valuations(read::csv_valuations(file)?)),
            Kind::Flows => csv(FileRows::Flows(read::csv_flows(file)?)),
            Kind::Events => events(&content, &entity)?,
        };
        Ok(Import { object: object.clone(), entity, changes })
    }

    /// Says what is wrong with an object: to whom put it, where that is its fault.
    async fn refuse(&self, object: &PutObject, problem: &Problem) -> RecordOutcome {
        let is_ours = object.bucket == self.bucket && (400..500).contains(&problem.status);
        // Of an object that is gone nobody waits for an account.
        if !is_ours || problem.status == 404 {
            return report::outcome(&Err(problem.clone()));
        }
        let Ok(text) = serde_json::to_vec_pretty(problem) else {
            return report::permanent(&Problem::internal("a problem cannot be written".to_owned()));
        };
        tracing::warn!(code = problem.code, "import rejected");
        match self.writer.put_blob(&rejected_key(&object.key), &text).await {
            Ok(()) => RecordOutcome::Done,
            Err(error) => report::outcome(&Err(problem_of(&error))),
        }
    }
}

/// Reads a key.
fn address(key: &str) -> Result<Address<'_>, Problem> {
    let wrong = || {
        let message = "expected the key imports/{client_id}/{entity_type}/{entity_id}/ and a name";
        Problem::field(ROOT, "unknown_key", message)
    };
    let mut parts = key.strip_prefix(IMPORTS).ok_or_else(wrong)?.split('/');
    let (Some(client), Some(level), Some(entity), Some(name), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    let identifier = |text: &str| text.parse::<Identifier>().map_err(|_| wrong());
    let level = EntityType::from_word(level).ok_or_else(wrong)?;
    let entity =
        EntityKey { client_id: identifier(client)?, entity_type: level, entity_id: identifier(entity)? };
    Ok(Address { entity, name })
}

/// What an object holds, as its name says.
enum Kind {
    Valuations,
    Flows,
    Events,
}

fn kind(name: &str) -> Result<Kind, Problem> {
    let (is_csv, is_jsonl) = (name.ends_with(".csv"), name.ends_with(".jsonl"));
    match () {
        () if is_csv && name.starts_with("valuations") => Ok(Kind::Valuations),
        () if is_csv && name.starts_with("flows") => Ok(Kind::Flows),
        () if is_jsonl => Ok(Kind::Events),
        () => {
            let message = "expected a name such as valuations.csv, flows-2024.csv or events.jsonl";
            Err(Problem::field(ROOT, "unknown_key", message))
        }
    }
}

/// Reads transactions and valuations, one a line, all of the entity that the key names.
fn events(content: &[u8], entity: &EntityKey) -> Result<Vec<(usize, Change)>, Problem> {
    let (mut changes, mut errors) = (Vec::new(), Vec::new());
    for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
        if index >= IMPORT_LINES_MAX {
            let limit = format!("an object has at most {IMPORT_LINES_MAX} lines: divide it");
            return Err(Problem::too_large(limit));
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match event(line, entity) {
            Ok(body) => changes.push((index, Change::Event(Box::new(body)))),
            Err(problem) => errors.extend(on_line(index, problem)),
        }
    }
    if errors.is_empty() { Ok(changes) } else { Err(Problem::invalid(errors)) }
}

fn event(line: &[u8], entity: &EntityKey) -> Result<EventBody, Problem> {
    let event = read::event(line)?;
    if event.client_id.as_ref().is_some_and(|client_id| *client_id != entity.client_id) {
        return Err(Problem::field("/client_id", "conflicting_fields", "expected the client of the key"));
    }
    if event
        .ledger_entity_of(&entity.client_id)
        .ok_or_else(|| Problem::field("/type", "unknown_event_type", "expected transaction or valuation"))?
        != *entity
    {
        return Err(Problem::field("/entity_id", "conflicting_fields", "expected the entity of the key"));
    }
    Ok(event.body)
}
