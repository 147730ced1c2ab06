//! Answers kept for a while, each tenant's apart.

use std::mem::size_of;
use std::sync::Arc;

use perf_core::cache::CalculationCache;
use perf_core::calculations::Warning;
use perf_core::model::{CalculationResult, Identifier, IrrResult, Problem, SubPeriodRow};
use sha2::{Digest, Sha256};

/// Most bytes of calculation results in memory, roughly.
const CALCULATION_BYTES_MAX: u64 = 64 << 20;
/// Most bytes of internal rates of return in memory, roughly.
const IRR_BYTES_MAX: u64 = 8 << 20;
/// What an answer without its lists comes to.
const ANSWER_BYTES: usize = 8 * 1_024;

/// A tenant and the bytes of its request's body.
///
/// Not `input_hash`, which names what was calculated: equal inputs may be asked
/// for in other words, and answers echo them (the window's name, an `id`, amounts
/// as they were written, warnings about flows left out).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    tenant: Identifier,
    body: [u8; 32],
}

impl Key {
    pub(crate) fn new(tenant: Identifier, body: &[u8]) -> Self {
        Self { tenant, body: Sha256::digest(body).into() }
    }
}

/// The answers of each route.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) calculations: CalculationCache<Key, Arc<CalculationResult>>,
    pub(crate) irrs: CalculationCache<Key, Arc<IrrResult>>,
}

impl Answers {
    pub(crate) fn new(ttl_seconds: u64) -> Self {
        let weigh = |_: &Key, result: &Arc<CalculationResult>| weight(result);
        Self {
            calculations: CalculationCache::with_weigher(ttl_seconds, CALCULATION_BYTES_MAX, weigh),
            irrs: CalculationCache::with_weigher(ttl_seconds, IRR_BYTES_MAX, |_, _| bytes(ANSWER_BYTES)),
        }
    }
}

fn weight(result: &CalculationResult) -> u32 {
    let rows = result.sub_periods.as_ref().map_or(0, Vec::len);
    let lists = rows * size_of::<SubPeriodRow>() + result.warnings.len() * size_of::<Warning>();
    bytes(ANSWER_BYTES + lists)
}

fn bytes(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The answer of `key`, and whether it was there.
pub(crate) async fn cached<V, F>(
    cache: &CalculationCache<Key, V>,
    key: Key,
    compute: impl FnOnce() -> F,
) -> Result<(V, bool), Problem>
where
    V: Clone + Send + Sync + 'static,
    F: Future<Output = Result<V, Problem>>,
{
    let mut computed = false;
    let outcome = cache.get_or_compute(key, || {
        computed = true;
        compute()
    });
    let answer = outcome.await.map_err(Arc::unwrap_or_clone)?;
    Ok((answer, !computed))
}
