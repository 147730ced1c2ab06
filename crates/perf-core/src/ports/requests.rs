use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::PortError;
use crate::model::Identifier;

/// A request whose parts are worked on in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    /// Tenant.
    pub client_id: Identifier,
    /// Name of the request.
    pub request_id: Identifier,
    /// How many items it has.
    pub total: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it is forgotten.
    pub expires_at: DateTime<Utc>,
}

/// How one item of a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ItemOutcome {
    /// It is done.
    Completed {
        /// Where its result can be read.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        result_url: Option<String>,
    },
    /// It cannot be done.
    Failed {
        /// Machine word.
        code: String,
        /// What was wrong, fit for the caller's eyes.
        detail: String,
    },
}

/// An item of a request and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Itemized {
    /// Position within the request.
    pub item: u32,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: ItemOutcome,
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestStatus {
    /// As it was made.
    pub request: NewRequest,
    /// Items that are done.
    pub completed: u32,
    /// Items that cannot be done.
    pub failed: u32,
    /// The items that have ended, by position; the first ones where there are many.
    pub items: Vec<Itemized>,
}

/// Writes what becomes of requests.
#[async_trait]
pub trait RequestLog: Send + Sync {
    /// Notes a request, unless one of its name is known and not forgotten.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn create_request(&self, request: &NewRequest) -> Result<(), PortError>;

    /// Notes how items of a request ended. Twice is as good as once, and an item
    /// that is done stays done. Nothing is noted for a request that is not known.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn record_items(
        &self,
        client_id: &Identifier,
        request_id: &Identifier,
        items: &[Itemized],
    ) -> Result<(), PortError>;
}

/// Reads what became of requests.
#[async_trait]
pub trait RequestReader: Send + Sync {
    /// The request of this name, unless it is unknown or forgotten by `now`; at most
    /// `items` of its items.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn read_request(
        &self,
        client_id: &Identifier,
        request_id: &Identifier,
        now: DateTime<Utc>,
        items: u32,
    ) -> Result<Option<RequestStatus>, PortError>;
}

/// Names one attempt at an idempotent call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Tenant.
    pub client_id: Identifier,
    /// The caller's own name for the call, with the route before it.
    pub key: String,
}

/// An answer that can be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedResponse {
    /// HTTP status.
    pub status: u16,
    /// The text.
    pub body: String,
}

/// What a call may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Go ahead; the token finishes or abandons the attempt.
    First {
        /// Name of this attempt.
        token: String,
    },
    /// Another attempt is at work.
    InProgress,
    /// The answer that was given before.
    Answered(SavedResponse),
    /// The key was used for another body.
    OtherBody,
}

/// Remembers calls so that a repeated one is answered, not done, again.
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Begins a call. Of several attempts at once exactly one is the first. An
    /// attempt that has neither finished nor been abandoned by `lease_until` no
    /// longer stands in the way of another one.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn begin(
        &self,
        key: &IdempotencyKey,
        body_hash: &str,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Begun, PortError>;

    /// Keeps the answer until `expires_at`. Does nothing for an attempt whose lease
    /// ran out and was taken over.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn finish(
        &self,
        key: &IdempotencyKey,
        token: &str,
        response: &SavedResponse,
        expires_at: DateTime<Utc>,
    ) -> Result<(), PortError>;

    /// Forgets an attempt that gave no answer worth keeping.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn abandon(&self, key: &IdempotencyKey, token: &str) -> Result<(), PortError>;
}
