//! Takes work for the queue.

use std::sync::Arc;

use chrono::Duration;

use super::{Caller, problem_of};
use crate::model::{
    BatchMembers, CalculationRequest, Event, EventBody, Identifier, MAX_BATCH_MEMBERS, Problem,
};
use crate::ports::{Clock, NewRequest, QueueSender, RequestLog};

/// How long the status of a request is kept.
pub(super) const STATUS_DAYS: i64 = 7;

/// What submitting needs.
#[derive(Clone)]
pub struct SubmissionPorts {
    /// Takes the messages.
    pub queue: Arc<dyn QueueSender>,
    /// Keeps the status.
    pub requests: Arc<dyn RequestLog>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
}

/// Takes requests and events, and puts them on the queue.
#[derive(Clone)]
pub struct Submissions {
    ports: SubmissionPorts,
}

/// Where the status of accepted work can be read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accepted {
    /// Name of the request.
    pub request_id: Identifier,
    /// Path of its status.
    pub status_url: String,
}

impl Submissions {
    /// A service over these ports.
    #[must_use]
    pub fn new(ports: SubmissionPorts) -> Self {
        Self { ports }
    }

    /// Queues calculations as one request.
    ///
    /// # Errors
    ///
    /// 403 for another tenant, 422 for an empty or too long list, 503 where state or
    /// queue cannot be reached.
    pub async fn calculations(
        &self,
        mut requests: Vec<CalculationRequest>,
        caller: &Caller,
        request_id: &Identifier,
    ) -> Result<Accepted, Problem> {
        check_count("/requests", requests.len())?;
        let mut tenants = requests.iter().map(|request| caller.tenant(request.client_id.as_ref()));
        let tenant = tenants.next().unwrap_or_else(|| caller.tenant(None))?;
        for other in tenants {
            if other? != tenant {
                return Err(Problem::forbidden("the requests of one batch belong to one client"));
            }
        }
        let body = match requests.pop() {
            Some(only) if requests.is_empty() => EventBody::PortfolioPerformance(Box::new(only)),
            last => {
                requests.extend(last);
                let accepted = (0..).zip(requests).collect();
                EventBody::BatchCalculation(BatchMembers::Requests { accepted, refused: Vec::new() })
            }
        };
        self.queue(vec![body], &tenant, request_id).await
    }

    /// Queues events, as [`read::events`](crate::model::read::events) accepts them;
    /// whatever tenant they name, they are the caller's.
    ///
    /// # Errors
    ///
    /// 422 for an empty or too long list, 503 where state or queue cannot be reached.
    pub async fn events(
        &self,
        events: Vec<Event>,
        caller: &Caller,
        request_id: &Identifier,
    ) -> Result<Accepted, Problem> {
        check_count("/events", events.len())?;
        self.queue(events.into_iter().map(|event| event.body).collect(), &caller.client_id, request_id).await
    }

    /// The pending row is written before the first message is sent: nothing can be
    /// done that nobody knows of.
    async fn queue(
        &self,
        bodies: Vec<EventBody>,
        tenant: &Identifier,
        request_id: &Identifier,
    ) -> Result<Accepted, Problem> {
        let mut item = 0_u32;
        let mut messages = Vec::with_capacity(bodies.len());
        for body in bodies {
            let count = body.items();
            let event = Event { request_id: Some(request_id.clone()), client_id: None, item, body };
            let text = serde_json::to_string(&event.for_tenant(tenant))
                .map_err(|error| Problem::internal(error.to_string()))?;
            messages.push(text);
            item = item.saturating_add(count);
        }
        let now = self.ports.clock.now();
        let request = NewRequest {
            client_id: tenant.clone(),
            request_id: request_id.clone(),
            total: item,
            created_at: now,
            expires_at: now + Duration::days(STATUS_DAYS),
        };
        self.ports.requests.create_request(&request).await.map_err(|error| problem_of(&error))?;
        self.ports.queue.send(&messages).await.map_err(|error| problem_of(&error))?;
        Ok(Accepted { request_id: request_id.clone(), status_url: format!("/requests/{request_id}") })
    }
}

impl EventBody {
    /// How many items of a request the event stands for.
    pub(super) fn items(&self) -> u32 {
        match self {
            Self::BatchCalculation(members) => u32::try_from(members.len()).unwrap_or(u32::MAX),
            Self::PortfolioPerformance(_)
            | Self::Transaction { .. }
            | Self::Valuation { .. }
            | Self::CalculationCompleted(_) => 1,
        }
    }
}

fn check_count(pointer: &str, count: usize) -> Result<(), Problem> {
    match count {
        0 => Err(Problem::field(pointer, "too_few_items", "expected at least one item")),
        1..=MAX_BATCH_MEMBERS => Ok(()),
        _ => Err(Problem::field(
            pointer,
            "too_many_items",
            format!("expected at most {MAX_BATCH_MEMBERS} items: split the request"),
        )),
    }
}
