//! Calls that carry an `Idempotency-Key`: done once, however often they are sent.

use std::fmt::Write as _;
use std::panic::resume_unwind;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;
use perf_core::model::{Identifier, Problem};
use perf_core::ports::{Begun, IdempotencyKey};
use perf_core::services::problem_of;
use sha2::{Digest, Sha256};
use tracing::{Instrument, warn};

use crate::answer::Answer;
use crate::refusal::Refusal;
use crate::state::ApiState;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key.
const KEY_BYTES_MAX: usize = 255;
/// How long an answer is kept.
const KEPT_HOURS: i64 = 24;
/// After this time an attempt that has not ended is taken for lost: longer than
/// any request may take.
const LEASE_SECONDS: i64 = 60;
/// How long a call waits for another attempt at the same work.
const WAIT_MAX: Duration = Duration::from_secs(10);
const POLL_INTERVAL_MIN: Duration = Duration::from_millis(10);
const POLL_INTERVAL_MAX: Duration = Duration::from_millis(320);

/// The caller's own name for its call, where it gives one.
pub(crate) struct CallKey(Option<String>);

impl FromRequestParts<ApiState> for CallKey {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Refusal> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let (value, None) = (values.next(), values.next()) else { return Err(Refusal::idempotency_key()) };
        let Some(value) = value else { return Ok(Self(None)) };
        match value.to_str() {
            Ok(key)
                if (1..=KEY_BYTES_MAX).contains(&key.len())
                    && key.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                Ok(Self(Some(key.to_owned())))
            }
            _ => Err(Refusal::idempotency_key()),
        }
    }
}

/// What makes a call the same as another one.
pub(crate) struct Call<'a> {
    pub(crate) tenant: &'a Identifier,
    /// Method, path and whatever of the headers changes what is done.
    pub(crate) route: &'static str,
    pub(crate) body: &'a [u8],
}

/// Does the work, or answers as it was answered before.
///
/// Work that has begun goes on when its caller is gone, so that the answer is
/// there when the call is sent again. Refusals are not kept: a corrected request
/// may use the key.
pub(crate) async fn once<W>(
    state: &ApiState,
    key: CallKey,
    call: Call<'_>,
    work: W,
) -> Result<Answer, Refusal>
where
    W: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    let CallKey(Some(key)) = key else { return work.await };
    let key = IdempotencyKey { client_id: call.tenant.clone(), key };
    let token = match begin(state, &key, &body_hash(&call)).await? {
        Attempt::First(token) => token,
        Attempt::Answered(answer) => return Ok(answer),
    };
    let state = state.clone();
    let task = async move {
        let outcome = work.await;
        end(&state, &key, &token, outcome.as_ref().ok()).await;
        outcome
    };
    match tokio::spawn(task.in_current_span()).await {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        Err(error) => Err(Problem::internal(error.to_string()).into()),
    }
}

enum Attempt {
    First(String),
    Answered(Answer),
}

async fn begin(state: &ApiState, key: &IdempotencyKey, body_hash: &str) -> Result<Attempt, Problem> {
    let (mut waited, mut interval) = (Duration::ZERO, POLL_INTERVAL_MIN);
    loop {
        let now = state.clock().now();
        let lease_until = now + chrono::Duration::seconds(LEASE_SECONDS);
        let begun = state.idempotency().begin(key, body_hash, now, lease_until).await;
        match begun.map_err(|error| problem_of(&error))? {
            Begun::First { token } => return Ok(Attempt::First(token)),
            Begun::Answered(saved) => return Answer::replayed(saved).map(Attempt::Answered),
            Begun::OtherBody => {
                let detail = "this Idempotency-Key was used for another request: choose a new one";
                return Err(Problem::conflict("idempotency_key_reused", detail));
            }
            Begun::InProgress if waited >= WAIT_MAX => {
                let detail = "a request with this Idempotency-Key is still being worked on";
                return Err(Problem::unavailable(detail));
            }
            Begun::InProgress => {
                tokio::time::sleep(interval).await;
                waited += interval;
                interval = (interval * 2).min(POLL_INTERVAL_MAX);
            }
        }
    }
}

/// Keeps the answer, or sets the key free. Where that fails, the lease does it.
async fn end(state: &ApiState, key: &IdempotencyKey, token: &str, answer: Option<&Answer>) {
    let idempotency = state.idempotency();
    let ended = match answer {
        Some(answer) => {
            let expires_at = state.clock().now() + chrono::Duration::hours(KEPT_HOURS);
            idempotency.finish(key, token, &answer.to_saved(), expires_at).await
        }
        None => idempotency.abandon(key, token).await,
    };
    if let Err(error) = ended {
        warn!(%error, "idempotent call not noted");
    }
}

fn body_hash(call: &Call<'_>) -> String {
    let digest = Sha256::new().chain_update(call.route).chain_update([0]).chain_update(call.body).finalize();
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
