//! Reads what is stored. Tenant and entity come from the caller; a cursor only says
//! where to go on.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::cursor::Cursor;
use super::{StatusReport, problem_of};
use crate::model::{EntityKey, Identifier, Metric, Problem, WindowName, Word};
use crate::number::Rounded;
use crate::ports::{
    Clock, CurrentResults, Page, PortError, Position, RequestReader, ResultFilter, ResultReader, ResultRow,
    Slice,
};

/// Most rows of one answer.
const LIMIT_MAX: u32 = 100;
/// Rows of an answer where no limit is given.
const LIMIT_DEFAULT: u32 = 50;
/// Most items of a request's status.
const STATUS_ITEMS_MAX: u32 = 1_000;

/// What queries need.
#[derive(Clone)]
pub struct QueryPorts {
    /// Results of an entity.
    pub results: Arc<dyn ResultReader>,
    /// Current results of a client or an account.
    pub current: Arc<dyn CurrentResults>,
    /// Status of requests.
    pub requests: Arc<dyn RequestReader>,
    /// Says what is forgotten.
    pub clock: Arc<dyn Clock>,
}

/// Answers queries.
#[derive(Clone)]
pub struct Queries {
    ports: QueryPorts,
}

/// Which results are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultQuery {
    /// Part of them.
    pub filter: ResultFilter,
    /// Most rows, 1 to 100; 50 where absent.
    pub limit: Option<u32>,
    /// Of an earlier answer.
    pub cursor: Option<String>,
}

/// Which series is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesQuery {
    /// The figure.
    pub metric: Metric,
    /// Window, period and place.
    pub query: ResultQuery,
}

/// Results, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The results.
    pub results: Vec<ResultRow>,
    /// `None` at the end.
    pub next_cursor: Option<String>,
}

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("results", &self.results.iter().map(Stored).collect::<Vec<_>>())?;
        map.serialize_entry("next_cursor", &self.next_cursor)?;
        map.end()
    }
}

struct Stored<'a>(&'a ResultRow);

impl Serialize for Stored<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            calculation_date: &'a str,
            #[serde(flatten)]
            result: &'a crate::model::CompletedResult,
            created_at: &'a str,
            updated_at: &'a str,
        }
        let ResultRow { sort_key, result, created_at, updated_at, .. } = self.0;
        Document { calculation_date: sort_key, result, created_at, updated_at }.serialize(serializer)
    }
}

/// A metric over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Series {
    /// The metric's word.
    pub metric: &'static str,
    /// The window of every point.
    pub time_period: &'static str,
    /// Newest first.
    pub points: Vec<SeriesPoint>,
    /// `None` at the end.
    pub next_cursor: Option<String>,
}

/// A figure at the end of its period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesPoint {
    /// The period's end.
    pub date: NaiveDate,
    /// The figure; `None` where undefined.
    pub value: Option<Rounded>,
}

impl Queries {
    /// A service over these ports.
    #[must_use]
    pub fn new(ports: QueryPorts) -> Self {
        Self { ports }
    }

    /// The stored results of an entity, newest first.
    ///
    /// # Errors
    ///
    /// 404 where the entity has no stored result at all, 422 for a limit or cursor
    /// that is none, 503 where the store cannot be reached.
    pub async fn performance(&self, entity: &EntityKey, query: &ResultQuery) -> Result<Listing, Problem> {
        let slice = self.results(entity, query).await?;
        listing(Ok(slice))
    }

    async fn results(&self, entity: &EntityKey, query: &ResultQuery) -> Result<Slice<Position>, Problem> {
        let page = page(query)?;
        let read = |filter, page| async move {
            let slice = self.ports.results.results_of(entity, &filter, &page).await;
            slice.map_err(|error| problem_of(&error))
        };
        let slice = read(query.filter, page).await?;
        if slice.rows.is_empty() && slice.next.is_none() {
            let any = read(ResultFilter::default(), Page { limit: 1, after: None }).await?;
            if any.rows.is_empty() && any.next.is_none() {
                return Err(Problem::not_found("there is no stored result of this entity"));
            }
        }
        Ok(slice)
    }

    /// One metric of an entity's results of one window (inception to date where
    /// none is named), newest first; results of request-supplied data are left out.
    ///
    /// # Errors
    ///
    /// As [`performance`](Self::performance).
    pub async fn series(&self, entity: &EntityKey, wanted: &SeriesQuery) -> Result<Series, Problem> {
        let window = wanted.query.filter.time_period;
        let window = window.unwrap_or(WindowName::Standing(crate::model::TimePeriod::Itd));
        let filter = ResultFilter { time_period: Some(window), ..wanted.query.filter };
        let query = ResultQuery { filter, ..wanted.query.clone() };
        let Slice { rows, next } = self.results(entity, &query).await?;
        let of_ledger = |row: &&ResultRow| row.result.basis != crate::model::ResultBasis::Request;
        let point = |row: &ResultRow| SeriesPoint {
            date: row.result.period.end,
            value: row.result.metrics.get(wanted.metric).and_then(Result::ok),
        };
        Ok(Series {
            metric: wanted.metric.word(),
            time_period: window.word(),
            points: rows.iter().filter(of_ledger).map(point).collect(),
            next_cursor: next.map(|position: Position| position.encode()),
        })
    }

    /// The current results of all of a client's entities.
    ///
    /// # Errors
    ///
    /// As [`performance`](Self::performance).
    pub async fn client(&self, client_id: &Identifier, query: &ResultQuery) -> Result<Listing, Problem> {
        let page = page(query)?;
        listing(self.ports.current.current_of_client(client_id, &page).await)
    }

    /// The current results of the entities of a client's account.
    ///
    /// # Errors
    ///
    /// As [`performance`](Self::performance).
    pub async fn account(
        &self,
        client_id: &Identifier,
        account_id: &Identifier,
        query: &ResultQuery,
    ) -> Result<Listing, Problem> {
        let page = page(query)?;
        listing(self.ports.current.current_of_account(client_id, account_id, &page).await)
    }

    /// What became of a request.
    ///
    /// # Errors
    ///
    /// 404 where it is unknown, forgotten or another client's, 503 where the store
    /// cannot be reached.
    pub async fn request(
        &self,
        client_id: &Identifier,
        request_id: &Identifier,
    ) -> Result<StatusReport, Problem> {
        let now = self.ports.clock.now();
        let read = self.ports.requests.read_request(client_id, request_id, now, STATUS_ITEMS_MAX);
        let status = read.await.map_err(|error| problem_of(&error))?;
        status.map(StatusReport::from).ok_or_else(|| Problem::not_found("there is no request of this name"))
    }
}

fn page<P: Cursor>(query: &ResultQuery) -> Result<Page<P>, Problem> {
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let message = format!("expected a whole number from 1 to {LIMIT_MAX}");
        return Err(Problem::field("/limit", "number_out_of_range", message));
    }
    Ok(Page { limit, after: query.cursor.as_deref().map(P::decode).transpose()? })
}

fn listing<P: Cursor>(slice: Result<Slice<P>, PortError>) -> Result<Listing, Problem> {
    let Slice { rows, next } = slice.map_err(|error| problem_of(&error))?;
    Ok(Listing { results: rows, next_cursor: next.map(|position| position.encode()) })
}
