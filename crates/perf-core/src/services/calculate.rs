//! Answers a calculation request at once.

use std::sync::Arc;

use super::compute::{Supplied, compute, stamp, supply};
use super::rows::result_url;
use super::{Caller, problem_of};
use crate::cache::CalculationCache;
use crate::calculations::{ENGINE_VERSION, Prepared, Stamp};
use crate::model::{
    CalculationRequest, CalculationResult, CompletedResult, Event, EventBody, Identifier, Problem,
    ResultBasis, Stored, WindowName,
};
use crate::number::Exact;
use crate::ports::{Clock, LedgerReader, QueueSender};

/// Most bytes of cached results, roughly.
const CACHE_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a result without its working, roughly.
const RESULT_BYTES: usize = 4_096;
/// Bytes of one explained sub-period, roughly.
const SUB_PERIOD_BYTES: usize = 512;

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

/// Answers calculation requests: each input is computed once, however many ask
/// for it at the same time, and remembered for a while.
#[derive(Clone)]
pub struct Calculator {
    ports: CalculatorPorts,
    risk_free_rate: Exact,
    cache: CalculationCache<CacheKey, Arc<CalculationResult>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CacheKey {
    tenant: Identifier,
    input_hash: String,
    engine_version: &'static str,
}

impl Calculator {
    /// A service whose answers are remembered for `cache_ttl_seconds`; the rate is
    /// for requests that state none.
    #[must_use]
    pub fn new(ports: CalculatorPorts, cache_ttl_seconds: u64, risk_free_rate: Exact) -> Self {
        let weigh = |_: &CacheKey, result: &Arc<CalculationResult>| {
            let rows = result.sub_periods.as_ref().map_or(0, Vec::len);
            u32::try_from(RESULT_BYTES + rows * SUB_PERIOD_BYTES).unwrap_or(u32::MAX)
        };
        let cache = CalculationCache::with_weigher(cache_ttl_seconds, CACHE_BYTES_MAX, weigh);
        Self { ports, risk_free_rate, cache }
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
        caller: &Caller,
        request_id: &str,
    ) -> Result<CalculationResult, Problem> {
        let tenant = caller.tenant(request.client_id.as_ref())?;
        let supplied = Arc::new(supply(&*self.ports.ledger, request, &tenant).await?);
        let stamp = stamp(request_id, &tenant, &*self.ports.clock, &self.risk_free_rate);
        let mut result = self.cached(&supplied, &tenant, &stamp).await?;
        result.id.clone_from(&supplied.request.id);
        result.time_period = WindowName::of(supplied.request.window);
        result.request_id = stamp.request_id;
        if supplied.request.store {
            self.store(&result, supplied.basis).await?;
            result.stored = Stored::Queued;
            result.result_url = Some(result_url(result.entity_type, &result.entity_id));
        }
        Ok(result)
    }

    async fn cached(
        &self,
        supplied: &Arc<Supplied>,
        tenant: &Identifier,
        stamp: &Stamp,
    ) -> Result<CalculationResult, Problem> {
        let input_hash = {
            let prepared = Prepared::new(&supplied.request, stamp, supplied.revision)?;
            prepared.input_hash().to_owned()
        };
        let key = CacheKey { tenant: tenant.clone(), input_hash, engine_version: ENGINE_VERSION };
        let mut computed_now = false;
        let computation = || {
            computed_now = true;
            let computed = compute(Arc::clone(supplied), stamp.clone());
            async move { computed.await.map(Arc::new) }
        };
        let shared = self.cache.get_or_compute(key, computation).await;
        let mut result = shared.map_err(|problem| (*problem).clone()).map(Arc::unwrap_or_clone)?;
        result.cached = !computed_now;
        Ok(result)
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
