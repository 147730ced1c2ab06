//! Use cases over ports: what the Lambda functions and the local edition do.

mod batch;
mod calculate;
mod caller;
mod compute;
mod cursor;
mod ingest;
mod process;
mod query;
mod recalculate;
mod report;
mod rows;
mod status;
mod submit;

pub use calculate::{Calculator, CalculatorPorts};
pub use caller::{Caller, problem_of};
pub use process::{Processor, ProcessorPorts, Record, RecordOutcome, RecordResult};
pub use query::{Listing, Queries, QueryPorts, ResultQuery, Series, SeriesPoint, SeriesQuery};
pub use recalculate::STANDING_WINDOWS;
pub use status::{RequestState, StatusReport};
pub use submit::{Accepted, SubmissionPorts, Submissions};
