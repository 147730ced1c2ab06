//! Answers a calculation request at once.

use std::mem::size_of;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tracing::trace;

use super::compute::{Supplied, stamp, supply};
use super::rows::result_url;
use super::workers::Workers;
use super::{Caller, problem_of};
use crate::MEASURES;
use crate::cache::CalculationCache;
use crate::calculations::{Prepared, Stamp, Warning};
use crate::model::{
    CalculationRequest, CalculationResult, CompletedResult, Data, Event, EventBody, Identifier, Problem,
    ResultBasis, Stored, SubPeriodRow,
};
use crate::number::Exact;
use crate::ports::{Clock, LedgerReader, QueueSender};

/// Most bytes of cached results, roughly.
const CACHE_BYTES_MAX: u64 = 64 << 20;
/// What a result without its lists comes to.
const RESULT_BYTES: usize = 8 * 1_024;
/// What a row of a ledger would take as JSON.
const ROW_BYTES: usize = 56;

/// What the calculation service needs.
#[derive(Clone)]
pub struct CalculatorPorts {
    /// For requests that bring no data.
    pub ledger: Arc<dyn LedgerReader>,
    /// Takes the results that are to be stored.
    pub queue: Arc<dyn QueueSender>,
    /// Dates the results.
    pub clock: Arc<dyn Clock>,
}

/// What a deployment decides.
#[derive(Clone, Debug)]
pub struct CalculatorSettings {
    /// Annual; for requests that state none.
    pub risk_free_rate: Exact,
    /// How long results stay in memory; 0 turns caching off.
    pub cache_ttl_seconds: u64,
}

/// Answers calculation requests: each request is computed once, however many send
/// it at the same time, and remembered for a while.
#[derive(Clone)]
pub struct Calculator {
    ports: CalculatorPorts,
    risk_free_rate: Exact,
    workers: Workers,
    cache: CalculationCache<CacheKey, Arc<CalculationResult>>,
}

/// The text of a request, as far as the cache needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestText {
    digest: [u8; 32],
    bytes: usize,
}

impl RequestText {
    /// Of a request's body.
    #[must_use]
    pub fn new(body: &[u8]) -> Self {
        Self { digest: Sha256::digest(body).into(), bytes: body.len() }
    }
}

/// A tenant, the text of its request, and the revision of the ledger that it reads.
///
/// Not `input_hash`, which names what was calculated: equal inputs may be asked
/// for in other words, and results echo them (the window's name, an `id`, amounts
/// as they were written, whether a convention was stated or inferred).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CacheKey {
    tenant: Identifier,
    text: [u8; 32],
    revision: Option<u64>,
}

impl Calculator {
    /// A service over these ports.
    #[must_use]
    pub fn new(ports: CalculatorPorts, settings: CalculatorSettings, workers: Workers) -> Self {
        let weigh = |_: &CacheKey, result: &Arc<CalculationResult>| weight(result);
        let cache = CalculationCache::with_weigher(settings.cache_ttl_seconds, CACHE_BYTES_MAX, weigh);
        Self { ports, risk_free_rate: settings.risk_free_rate, workers, cache }
    }

    /// The result of a request, which is on its way to the store when this returns,
    /// unless the request says otherwise.
    ///
    /// # Errors
    ///
    /// 403 for another tenant, 404 where the entity has no ledger, 422 for what
    /// cannot be calculated, 503 where the ledger or the queue cannot be reached:
    /// then nothing is half-done and the same request may be sent again.
    pub async fn calculate(
        &self,
        request: CalculationRequest,
        text: RequestText,
        caller: &Caller,
        request_id: &str,
    ) -> Result<CalculationResult, Problem> {
        let tenant = caller.tenant(request.client_id.as_ref())?;
        let supplied = supply(&*self.ports.ledger, request, &tenant).await?;
        let (is_stored, basis) = (supplied.request.store, supplied.basis);
        let stamp = stamp(request_id, &tenant, &*self.ports.clock, &self.risk_free_rate);
        let mut result = self.cached(supplied, text, stamp).await?;
        if is_stored {
            self.store(&result, basis).await?;
            result.stored = Stored::Queued;
            result.result_url = Some(result_url(result.entity_type, &result.entity_id));
        }
        Ok(result)
    }

    async fn cached(
        &self,
        supplied: Supplied,
        text: RequestText,
        stamp: Stamp,
    ) -> Result<CalculationResult, Problem> {
        let key =
            CacheKey { tenant: stamp.client_id.clone(), text: text.digest, revision: supplied.revision };
        let request_id = stamp.request_id.clone();
        let bytes = text.bytes.max(ledger_bytes(&supplied.request.data));
        let mut computed_now = false;
        let computation = || {
            computed_now = true;
            let work = move || {
                let prepared = Prepared::new(&supplied.request, &stamp, supplied.revision)?;
                prepared.calculate().map(Arc::new)
            };
            self.workers.run(bytes, work)
        };
        let shared = self.cache.get_or_compute(key, computation).await;
        let result = shared.map(Arc::unwrap_or_clone).map_err(Arc::unwrap_or_clone)?;
        trace!(target: MEASURES, calculations = 1_u64, cache_hits = u64::from(!computed_now));
        Ok(CalculationResult { request_id, cached: !computed_now, ..result })
    }

    async fn store(&self, result: &CalculationResult, basis: ResultBasis) -> Result<(), Problem> {
        let unwritable = |error: serde_json::Error| Problem::internal(error.to_string());
        let completed = CompletedResult::new(result, basis).map_err(unwritable)?;
        let event = Event {
            request_id: None,
            client_id: Some(result.client_id.clone()),
            item: 0,
            body: EventBody::CalculationCompleted(Box::new(completed)),
        };
        let body = serde_json::to_string(&event).map_err(unwritable)?;
        self.ports.queue.send(&[body]).await.map_err(|error| problem_of(&error))
    }
}

fn weight(result: &CalculationResult) -> u32 {
    let rows = result.sub_periods.as_ref().map_or(0, Vec::len);
    let lists = rows * size_of::<SubPeriodRow>() + result.warnings.len() * size_of::<Warning>();
    u32::try_from(RESULT_BYTES + lists).unwrap_or(u32::MAX)
}

fn ledger_bytes(data: &Data) -> usize {
    let rows = match data {
        Data::Valuations { valuations, cash_flows } => valuations.len() + cash_flows.len(),
        Data::Returns(returns) => returns.len(),
        Data::Ledger => 0,
    };
    rows * ROW_BYTES
}
