//! How many retries all calls to one dependency may make.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A token bucket that bounds the retries of all calls that share it: in any
/// t seconds at most capacity + t × refill. First attempts are free.
///
/// A clone shares the bucket. One bucket per dependency keeps a dead one from
/// using up the retries of the others.
///
/// # Examples
///
/// ```
/// use perf_core::retry::RetryBudget;
///
/// let budget = RetryBudget::new(10, 1);
/// assert_eq!(budget.clone().available(), 10);
/// ```
#[derive(Debug, Clone)]
pub struct RetryBudget {
    bucket: Arc<Mutex<Bucket>>,
    capacity: u32,
    refill_per_second: u32,
}

#[derive(Debug)]
struct Bucket {
    // Thousandths: one token a second is one thousandth a millisecond.
    tokens_milli: u64,
    refilled_at: Instant,
}

impl RetryBudget {
    /// A full bucket of `capacity` retries that regains `refill_per_second`.
    ///
    /// # Examples
    ///
    /// ```
    /// use perf_core::retry::RetryBudget;
    ///
    /// let no_retries = RetryBudget::new(0, 0);
    /// assert_eq!(no_retries.available(), 0);
    /// ```
    #[must_use]
    pub fn new(capacity: u32, refill_per_second: u32) -> Self {
        let bucket = Bucket { tokens_milli: u64::from(capacity) * 1_000, refilled_at: Instant::now() };
        Self { bucket: Arc::new(Mutex::new(bucket)), capacity, refill_per_second }
    }

    /// Retries that may start now.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(perf_core::retry::RetryBudget::default().available(), 50);
    /// ```
    #[must_use]
    pub fn available(&self) -> u64 {
        self.with_refilled(|tokens_milli| *tokens_milli / 1_000)
    }

    pub(super) fn withdraw(&self) -> bool {
        self.with_refilled(|tokens_milli| {
            let rest_milli = tokens_milli.checked_sub(1_000);
            *tokens_milli = rest_milli.unwrap_or(*tokens_milli);
            rest_milli.is_some()
        })
    }

    fn with_refilled<R>(&self, use_tokens: impl FnOnce(&mut u64) -> R) -> R {
        let now = Instant::now();
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = now.saturating_duration_since(bucket.refilled_at);
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let gained_milli = elapsed_ms.saturating_mul(u64::from(self.refill_per_second));
        let full_milli = u64::from(self.capacity) * 1_000;
        bucket.tokens_milli = bucket.tokens_milli.saturating_add(gained_milli).min(full_milli);
        // Only whole milliseconds are spent, so that frequent calls lose none.
        bucket.refilled_at += Duration::from_millis(elapsed_ms);
        use_tokens(&mut bucket.tokens_milli)
    }
}

/// 50 retries at once, then 5 a second.
impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(50, 5)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn bucket_refills_up_to_its_capacity() {
        let budget = RetryBudget::new(7, 2);
        while budget.withdraw() {}
        assert_eq!(budget.available(), 0);
        advance(MS * 499).await;
        assert_eq!(budget.available(), 0);
        advance(MS).await;
        assert_eq!(budget.available(), 1);
        advance(MS * 3_600_000).await;
        assert_eq!(budget.available(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn refill_in_small_steps_loses_nothing() {
        let budget = RetryBudget::new(10, 1);
        while budget.withdraw() {}
        for _ in 0..3_000 {
            advance(Duration::from_micros(1_900)).await;
            let _ = budget.available();
        }
        assert_eq!(budget.available(), 5);
    }
}
