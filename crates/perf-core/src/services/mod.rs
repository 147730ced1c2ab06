//! Use cases over ports: what the Lambda functions and the local edition do.

mod batch;
mod calculate;
mod caller;
mod claim;
mod compute;
mod cursor;
mod import;
mod ingest;
mod message;
mod plan;
mod process;
mod query;
mod recalculate;
mod report;
mod rows;
mod status;
mod submit;
mod time_series;
mod workers;

pub use calculate::{Calculator, CalculatorPorts, CalculatorSettings, RequestText};
pub use caller::{Caller, Scope, Scopes, problem_of};
pub use claim::{CLAIM_BYTES_MAX, ClaimCheck, ClaimPorts, INLINE_BYTES_MAX};
pub use import::{IMPORT_BYTES_MAX, ImportPorts, rejected_key};
pub use message::{MessageSummary, describe};
pub use process::{Processor, ProcessorPorts, Record, RecordOutcome, RecordResult, WorkTime};
pub use query::{Listing, Queries, QueryPorts, ResultQuery, Series, SeriesPoint, SeriesQuery};
pub use recalculate::STANDING_WINDOWS;
pub use status::{RequestState, StatusReport};
pub use submit::{Accepted, SubmissionPorts, Submissions};
pub use workers::Workers;
