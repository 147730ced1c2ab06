//! Values that are fetched now and then: secrets and keys.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use perf_core::ports::PortError;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a value is used before it is fetched again.
const FRESH: Duration = Duration::from_secs(300);
/// How long a value is used at most, if no newer one can be fetched.
const USABLE: Duration = Duration::from_secs(3_600);
/// Shortest time between two fetches.
const PAUSE: Duration = Duration::from_secs(10);

/// Where a value comes from.
#[async_trait]
pub trait Source: Send + Sync {
    /// What is fetched.
    type Value: Send + Sync;

    /// Fetches it.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn fetch(&self) -> Result<Self::Value, PortError>;
}

/// A value that is kept for 300 seconds.
///
/// A failure to fetch a newer one is no failure while the old one is younger than an
/// hour. However often it is asked for, the source is asked once in ten seconds, and
/// by one caller at a time.
pub struct Cached<S: Source> {
    source: S,
    state: Mutex<State<S::Value>>,
}

struct State<V> {
    known: Option<(Arc<V>, Instant)>,
    tried_at: Option<Instant>,
}

impl<V> State<V> {
    fn younger_than(&self, age: Duration) -> Option<Arc<V>> {
        let (value, fetched_at) = self.known.as_ref()?;
        (fetched_at.elapsed() < age).then(|| Arc::clone(value))
    }

    fn may_try(&self) -> bool {
        self.tried_at.is_none_or(|tried_at| tried_at.elapsed() >= PAUSE)
    }
}

impl<S: Source> Cached<S> {
    /// Nothing is fetched yet.
    #[must_use]
    pub fn new(source: S) -> Self {
        Self { source, state: Mutex::new(State { known: None, tried_at: None }) }
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// [`PortError`] where none has been fetched for an hour.
    pub async fn get(&self) -> Result<Arc<S::Value>, PortError> {
        let mut state = self.state.lock().await;
        if let Some(value) = state.younger_than(FRESH) {
            return Ok(value);
        }
        let tried = self.attempt(&mut state).await;
        match (tried, state.younger_than(USABLE)) {
            (_, Some(value)) => Ok(value),
            (Err(error), None) => Err(error),
            (Ok(()), None) => Err(PortError::transient("the value could not be fetched a moment ago")),
        }
    }

    /// The value as its source has it now, after one that did not do: a rotated
    /// secret, an unknown key. The known one where the source was asked a moment ago.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn refreshed(&self) -> Result<Arc<S::Value>, PortError> {
        // Does nothing where it came too soon; get says what is known then.
        let _ = self.attempt(&mut *self.state.lock().await).await;
        self.get().await
    }

    async fn attempt(&self, state: &mut State<S::Value>) -> Result<(), PortError> {
        if !state.may_try() {
            return Ok(());
        }
        state.tried_at = Some(Instant::now());
        match self.source.fetch().await {
            Ok(value) => {
                state.known = Some((Arc::new(value), Instant::now()));
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "cannot refresh");
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Counts, and fails from the second to the fourth time.
    #[derive(Default)]
    struct Counter(AtomicU32);

    #[async_trait]
    impl Source for Counter {
        type Value = u32;

        async fn fetch(&self) -> Result<u32, PortError> {
            match self.0.fetch_add(1, Ordering::SeqCst) + 1 {
                2..=4 => Err(PortError::transient("down")),
                count => Ok(count),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_kept_and_outlives_a_failure() {
        let cached = Cached::new(Counter::default());
        let pass = tokio::time::advance;
        assert_eq!(*cached.get().await.expect("a value"), 1);
        pass(FRESH - Duration::from_secs(1)).await;
        assert_eq!(*cached.get().await.expect("a value"), 1);
        assert_eq!(cached.source.0.load(Ordering::SeqCst), 1);
        pass(Duration::from_secs(1)).await;
        for _ in 0..3 {
            assert_eq!(*cached.get().await.expect("the old value"), 1);
        }
        assert_eq!(cached.source.0.load(Ordering::SeqCst), 2);
        pass(USABLE).await;
        assert!(cached.get().await.is_err());
        assert!(cached.get().await.is_err());
        assert_eq!(cached.source.0.load(Ordering::SeqCst), 3);
        pass(PAUSE).await;
        assert!(cached.get().await.is_err());
        pass(PAUSE).await;
        assert_eq!(*cached.get().await.expect("a value"), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refresh_is_rare() {
        let cached = Cached::new(Counter(AtomicU32::new(4)));
        assert_eq!(*cached.get().await.expect("a value"), 5);
        assert_eq!(*cached.refreshed().await.expect("a value"), 5);
        tokio::time::advance(PAUSE).await;
        for _ in 0..3 {
            assert_eq!(*cached.refreshed().await.expect("a value"), 6);
        }
    }
}
