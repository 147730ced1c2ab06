//! What became of a request, as its caller is told.

use serde::Serialize;

use crate::model::Identifier;
use crate::ports::{Itemized, RequestStatus};

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Items are still to be done.
    Pending,
    /// Every item has ended, and at least one of them well.
    Completed,
    /// Every item has ended, none of them well.
    Failed,
}

/// The state of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatusReport {
    /// Name of the request.
    pub request_id: Identifier,
    /// How far it is.
    pub status: RequestState,
    /// Items in all.
    pub total: u32,
    /// Items that are done.
    pub completed: u32,
    /// Items that could not be done.
    pub failed: u32,
    /// Items still to be done.
    pub pending: u32,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// The items that have ended, by position; at most 1,000.
    pub items: Vec<Itemized>,
}

impl From<RequestStatus> for StatusReport {
    fn from(status: RequestStatus) -> Self {
        let RequestStatus { request, completed, failed, items } = status;
        let ended = completed.saturating_add(failed);
        Self {
            status: match () {
                () if ended < request.total => RequestState::Pending,
                () if completed > 0 => RequestState::Completed,
                () => RequestState::Failed,
            },
            total: request.total,
            completed,
            failed,
            pending: request.total.saturating_sub(ended),
            created_at: super::compute::timestamp(request.created_at),
            request_id: request.request_id,
            items,
        }
    }
}
