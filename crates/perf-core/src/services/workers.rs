//! Where calculations run: away from the threads that serve connections.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::model::Problem;

/// Work on a request body up to this size is done at once: handing it over and
/// waiting for it would take longer.
const INLINE_BYTES_MAX: usize = 64 * 1_024;

/// A bound on the large calculations that run at the same time; others wait.
#[derive(Clone, Debug)]
pub struct Workers(Arc<Semaphore>);

impl Workers {
    /// At most `count` large calculations at the same time.
    #[must_use]
    pub fn new(count: NonZeroUsize) -> Self {
        Self(Arc::new(Semaphore::new(count.get().min(Semaphore::MAX_PERMITS))))
    }

    /// Runs `work` on a request of `bytes` bytes.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    ///
    /// # Panics
    ///
    /// Where `work` does.
    pub async fn run<T, W>(&self, bytes: usize, work: W) -> Result<T, Problem>
    where
        T: Send + 'static,
        W: FnOnce() -> Result<T, Problem> + Send + 'static,
    {
        if bytes <= INLINE_BYTES_MAX {
            return work();
        }
        let internal = |error: &dyn std::error::Error| Problem::internal(error.to_string());
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(|error| internal(&error))?;
        // The work goes on when its caller is gone, so it keeps the permit.
        let task = spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(error) => Err(internal(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn large_work_leaves_the_thread_and_small_work_stays() {
        let workers = Workers::new(NonZeroUsize::MIN);
        let here = thread::current().id();
        let there = async |bytes| workers.run(bytes, move || Ok(thread::current().id() != here)).await;
        assert_eq!(there(INLINE_BYTES_MAX).await, Ok(false));
        assert_eq!(there(INLINE_BYTES_MAX + 1).await, Ok(true));
    }

    #[tokio::test]
    async fn panics_come_back_and_free_their_place() {
        let workers = Workers::new(NonZeroUsize::MIN);
        for _ in 0..2 {
            let workers = workers.clone();
            let run = async move { workers.run::<(), _>(usize::MAX, || panic!("wrong")).await };
            assert!(tokio::spawn(run).await.unwrap_err().is_panic());
        }
        assert_eq!(workers.run(usize::MAX, || Ok(7)).await, Ok(7));
    }
}
