//! Results kept for a while: computed once per key, however many callers ask.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::{Cache, CacheBuilder};
use moka::policy::EvictionPolicy;

/// Entries that a cache holds when no capacity is given.
pub const DEFAULT_CAPACITY: u64 = 1_000;

/// Longest time to live; a longer one is cut to this (one year).
pub const TTL_SECONDS_MAX: u64 = 365 * 86_400;

/// A bounded cache whose entries expire.
///
/// - Concurrent callers of one key share one computation.
/// - An error is handed to the callers that waited for it and is not kept.
/// - When a computation panics or its caller is cancelled, the next waiting
///   caller runs its own, so the key stays usable.
/// - When the cache is full, the least recently used entries leave.
/// - A time to live of 0 turns caching off: every call computes.
///
/// A clone shares the store and the counts.
///
/// # Examples
///
/// ```
/// # use std::sync::Arc;
/// use perf_core::cache::CalculationCache;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Arc<std::num::ParseIntError>> {
/// let cache = CalculationCache::new(3600);
/// let first: u32 = cache.get_or_compute("portfolio-123", || async { "42".parse() }).await?;
/// let again = cache.get_or_compute("portfolio-123", || async { "7".parse() }).await?;
/// assert_eq!((first, again), (42, 42));
/// # Ok(())
/// # }
/// ```
pub struct CalculationCache<K, V> {
    store: Option<Cache<K, V>>,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How often a cache could answer by itself since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// Calls answered without running their own computation: from the store,
    /// or with the outcome of another caller's computation.
    pub hits: u64,
    /// Computations started.
    pub misses: u64,
}

impl<K, V> CalculationCache<K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A cache of at most [`DEFAULT_CAPACITY`] entries that live for
    /// `ttl_seconds`, at most [`TTL_SECONDS_MAX`].
    ///
    /// # Examples
    ///
    /// ```
    /// use perf_core::cache::CalculationCache;
    ///
    /// let cache: CalculationCache<String, f64> = CalculationCache::new(300);
    /// assert_eq!(cache.stats().hits, 0);
    /// ```
    #[must_use]
    pub fn new(ttl_seconds: u64) -> Self {
        Self::with_capacity(ttl_seconds, DEFAULT_CAPACITY)
    }

    /// A cache of at most `capacity` entries. Recent entries may exceed the
    /// bound for a moment, until the next calls evict the surplus.
    ///
    /// # Examples
    ///
    /// ```
    /// use perf_core::cache::CalculationCache;
    ///
    /// let cache: CalculationCache<u64, u64> = CalculationCache::with_capacity(300, 50);
    /// # let _ = cache;
    /// ```
    #[must_use]
    pub fn with_capacity(ttl_seconds: u64, capacity: u64) -> Self {
        Self::build(ttl(ttl_seconds), Cache::builder().max_capacity(capacity))
    }

    /// A cache bounded by the total weight of its entries, for values of very
    /// different sizes: `weigher` returns one entry's weight, say its bytes.
    /// An entry heavier than `weight_max` is answered but not kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use perf_core::cache::CalculationCache;
    ///
    /// let bytes_max = 64 * 1024 * 1024;
    /// let cache = CalculationCache::with_weigher(300, bytes_max, |_: &u64, body: &String| {
    ///     u32::try_from(body.len()).unwrap_or(u32::MAX)
    /// });
    /// # let _ = cache;
    /// ```
    #[must_use]
    pub fn with_weigher<W>(ttl_seconds: u64, weight_max: u64, weigher: W) -> Self
    where
        W: Fn(&K, &V) -> u32 + Send + Sync + 'static,
    {
        let builder = Cache::builder().max_capacity(weight_max).weigher(weigher);
        Self::build(ttl(ttl_seconds), builder)
    }

    fn build(ttl: Duration, builder: CacheBuilder<K, V, Cache<K, V>>) -> Self {
        // Recency rather than frequency: a new result is always admitted, so a
        // client that repeats its request at once finds it.
        let builder = builder.eviction_policy(EvictionPolicy::lru());
        let store = (!ttl.is_zero()).then(|| builder.time_to_live(ttl).build());
        let counters = Arc::default();
        Self { store, counters }
    }

    /// The value of `key`: the stored one, or the one that `compute` returns,
    /// which is then stored. `compute` is called on a miss only.
    ///
    /// Callers share a computation when they wait for the same key with the
    /// same error type.
    ///
    /// # Errors
    ///
    /// The error of the computation, shared by the callers that waited for it.
    ///
    /// # Panics
    ///
    /// When this call's own computation panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use perf_core::cache::CalculationCache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache: CalculationCache<&str, u32> = CalculationCache::new(3600);
    /// let failed = cache.get_or_compute("p", || async { Err("no valuations") }).await;
    /// assert_eq!(failed.unwrap_err().as_ref(), &"no valuations");
    ///
    /// let computed = cache.get_or_compute("p", || async { Ok::<_, String>(1) }).await;
    /// assert_eq!(computed.unwrap(), 1);
    /// # }
    /// ```
    pub async fn get_or_compute<F, Fut, E>(&self, key: K, compute: F) -> Result<V, Arc<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<V, E>>,
        E: Send + Sync + 'static,
    {
        let mut computed = false;
        let computation = async {
            computed = true;
            self.counters.misses.fetch_add(1, Ordering::Relaxed);
            compute().await
        };
        let outcome = match &self.store {
            Some(store) => store.try_get_with(key, computation).await,
            None => computation.await.map_err(Arc::new),
        };
        if !computed {
            self.counters.hits.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }
}

impl<K, V> CalculationCache<K, V> {
    /// The counts of hits and misses so far.
    ///
    /// # Examples
    ///
    /// ```
    /// use perf_core::cache::{CacheStats, CalculationCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = CalculationCache::new(60);
    /// for _ in 0..3 {
    ///     let _ = cache.get_or_compute(1, || async { Ok::<_, String>(2) }).await;
    /// }
    /// assert_eq!(cache.stats(), CacheStats { hits: 2, misses: 1 });
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.counters.hits.load(Ordering::Relaxed),
            misses: self.counters.misses.load(Ordering::Relaxed),
        }
    }
}

impl<K, V> Clone for CalculationCache<K, V> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), counters: Arc::clone(&self.counters) }
    }
}

/// Counts only: keys and values are a client's data.
impl<K, V> fmt::Debug for CalculationCache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CalculationCache")
            .field("enabled", &self.store.is_some())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

// moka panics on a time to live of more than 1,000 years.
fn ttl(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(TTL_SECONDS_MAX))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::Semaphore;
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    type Outcome = Result<u32, Arc<String>>;

    async fn compute(cache: &CalculationCache<u32, u32>, key: u32, value: u32) -> Outcome {
        cache.get_or_compute(key, || async move { Ok(value) }).await
    }

    async fn entries(cache: &CalculationCache<u32, u32>) -> u64 {
        let store = cache.store.as_ref().unwrap();
        store.run_pending_tasks().await;
        store.entry_count()
    }

    /// Waits for `condition`, with a bound.
    async fn until(condition: impl AsyncFn() -> bool) {
        let waited = timeout(Duration::from_secs(10), async {
            while !condition().await {
                sleep(Duration::from_millis(1)).await;
            }
        });
        waited.await.unwrap();
    }

    #[tokio::test]
    async fn closure_runs_on_a_miss_only() {
        let cache = CalculationCache::new(3600);
        assert_eq!(compute(&cache, 1, 10).await, Ok(10));
        assert_eq!(compute(&cache, 1, 20).await, Ok(10));
        assert_eq!(compute(&cache, 2, 20).await, Ok(20));
        assert_eq!(cache.stats(), CacheStats { hits: 1, misses: 2 });
    }

    #[tokio::test]
    async fn entries_expire() {
        let ttl = Duration::from_millis(30);
        let cache = CalculationCache::build(ttl, Cache::builder().max_capacity(10));
        let stored_at = Instant::now();
        assert_eq!(compute(&cache, 1, 10).await, Ok(10));
        until(async || compute(&cache, 1, 20).await == Ok(20)).await;
        assert!(stored_at.elapsed() >= ttl);
        assert_eq!(cache.stats().misses, 2);
    }

    #[tokio::test]
    async fn ttl_of_zero_turns_caching_off() {
        let cache = CalculationCache::new(0);
        assert_eq!(compute(&cache, 1, 10).await, Ok(10));
        assert_eq!(compute(&cache, 1, 20).await, Ok(20));
        assert_eq!(cache.stats(), CacheStats { hits: 0, misses: 2 });
    }

    #[tokio::test]
    async fn longest_ttl_is_accepted() {
        let cache = CalculationCache::new(u64::MAX);
        assert_eq!(compute(&cache, 1, 10).await, Ok(10));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn concurrent_callers_share_one_computation() {
        const CALLERS: usize = 50;
        let cache = CalculationCache::new(60);
        let arrived = Arc::new(AtomicU64::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (cache, gate, arrived) = (cache.clone(), gate.clone(), arrived.clone());
                tokio::spawn(async move {
                    arrived.fetch_add(1, Ordering::SeqCst);
                    let wait = || async move {
                        gate.acquire().await.unwrap().forget();
                        Ok::<_, String>(7_u32)
                    };
                    cache.get_or_compute(1_u32, wait).await
                })
            })
            .collect();
        until(async || arrived.load(Ordering::SeqCst) == CALLERS as u64).await;
        gate.add_permits(CALLERS);
        for caller in callers {
            assert_eq!(caller.await.unwrap(), Ok(7));
        }
        assert_eq!(gate.available_permits(), CALLERS - 1);
        let stats = CacheStats { hits: 49, misses: 1 };
        assert_eq!(cache.stats(), stats);
    }

    #[tokio::test]
    async fn errors_are_not_cached() {
        let cache = CalculationCache::new(60);
        let failed: Outcome = cache.get_or_compute(1, || async { Err("no data".to_owned()) }).await;
        assert_eq!(failed.unwrap_err().as_str(), "no data");
        assert_eq!(compute(&cache, 1, 10).await, Ok(10));
        assert_eq!(cache.stats(), CacheStats { hits: 0, misses: 2 });
    }

    #[tokio::test]
    async fn capacity_is_a_bound() {
        let cache = CalculationCache::with_capacity(60, 10);
        for key in 0..500 {
            compute(&cache, key, key).await.unwrap();
        }
        assert_eq!(entries(&cache).await, 10);
        assert_eq!(compute(&cache, 499, 0).await, Ok(499), "the newest stays");
        assert_eq!(compute(&cache, 0, 1).await, Ok(1), "the oldest left");
    }

    #[tokio::test]
    async fn weight_is_a_bound() {
        let cache = CalculationCache::with_weigher(60, 10, |_, value| *value);
        for key in 0..100 {
            compute(&cache, key, 3).await.unwrap();
        }
        assert_eq!(entries(&cache).await, 3);
        assert_eq!(compute(&cache, 1_000, 11).await, Ok(11));
        entries(&cache).await;
        assert_eq!(compute(&cache, 1_000, 1).await, Ok(1), "too heavy to keep");
    }

    #[tokio::test]
    async fn panic_leaves_the_key_usable() {
        let cache = CalculationCache::new(60);
        let panicking = cache.clone();
        let task = tokio::spawn(async move {
            let explode = || async { panic!("arithmetic gone wrong") };
            let _: Outcome = panicking.get_or_compute(1, explode).await;
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(compute(&cache, 1, 10).await, Ok(10));
    }

    #[tokio::test]
    async fn panic_before_the_first_await_leaves_the_key_usable() {
        async fn never() -> Result<u32, String> {
            pending().await
        }
        let cache = CalculationCache::new(60);
        let panicking = cache.clone();
        let task = tokio::spawn(async move {
            let explode = || {
                assert!(panicking.store.is_none(), "caching is on");
                never()
            };
            let _ = panicking.get_or_compute(1, explode).await;
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(compute(&cache, 1, 10).await, Ok(10));
    }

    #[tokio::test]
    async fn cancelled_computation_passes_to_the_next_caller() {
        let cache = CalculationCache::new(60);
        let (stuck, waiting) = (cache.clone(), cache.clone());
        let stuck = tokio::spawn(async move {
            let _: Outcome = stuck.get_or_compute(1, pending).await;
        });
        until(async || cache.stats().misses == 1).await;
        let waiting = tokio::spawn(async move { compute(&waiting, 1, 10).await });
        tokio::task::yield_now().await;
        stuck.abort();
        assert_eq!(waiting.await.unwrap(), Ok(10));
        assert_eq!(cache.stats(), CacheStats { hits: 0, misses: 2 });
    }

    #[tokio::test]
    async fn clones_share_store_and_counts() {
        let cache = CalculationCache::new(60);
        let clone = cache.clone();
        compute(&cache, 1, 10).await.unwrap();
        assert_eq!(compute(&clone, 1, 20).await, Ok(10));
        assert_eq!(clone.stats(), cache.stats());
    }

    #[tokio::test]
    async fn debug_shows_no_data() {
        let cache = CalculationCache::new(60);
        compute(&cache, 1_234, 5_678).await.unwrap();
        let shown = format!("{cache:?}");
        assert!(!shown.contains("1234") && !shown.contains("5678"), "{shown}");
    }
}
