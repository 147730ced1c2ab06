//! Trying again what failed for a moment, without harm to a dependency that is down.

mod budget;

use std::fmt::Debug;
use std::iter::successors;
use std::time::Duration;

use backon::{Backoff, BackoffBuilder, ConstantBuilder, Retryable};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

pub use self::budget::RetryBudget;

/// Longest delay of a policy; a longer one is cut to this (one hour).
pub const DELAY_MS_MAX: u64 = 3_600_000;

/// What an error says about trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryClass {
    /// The dependency asks for fewer calls: try again after a longer delay.
    Throttled,
    /// A timeout, a lost connection, an internal error of the dependency.
    Transient,
    /// The same call will fail again.
    Permanent,
}

/// An error that knows whether its call is worth another attempt.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use perf_core::retry::{Classify, RetryClass};
///
/// struct HttpError { status: u16, retry_after_seconds: Option<u64> }
///
/// impl Classify for HttpError {
///     fn retry_class(&self) -> RetryClass {
///         match self.status {
///             429 | 503 => RetryClass::Throttled,
///             500..=599 => RetryClass::Transient,
///             _ => RetryClass::Permanent,
///         }
///     }
///
///     fn retry_after(&self) -> Option<Duration> {
///         self.retry_after_seconds.map(Duration::from_secs)
///     }
/// }
///
/// let error = HttpError { status: 429, retry_after_seconds: Some(2) };
/// assert_eq!(error.retry_class(), RetryClass::Throttled);
/// assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
/// ```
pub trait Classify {
    /// The class of this error.
    fn retry_class(&self) -> RetryClass;

    /// How long the dependency asked to wait (HTTP `Retry-After`).
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// How often to try and how long to wait in between.
///
/// The delay before retry n is random, uniform from 0 to a ceiling ("full
/// jitter"), so that clients that failed together do not return together. The
/// ceiling is `base_delay_ms` × 2^(n − 1), times `throttle_factor` after a
/// throttled attempt, and never above `max_delay_ms`. A server's hint, at most
/// `retry_after_ms_max`, comes on top.
///
/// # Examples
///
/// ```
/// use perf_core::retry::RetryPolicy;
///
/// let patient = RetryPolicy { max_attempts: 8, ..RetryPolicy::default() };
/// assert_eq!(patient.base_delay_ms, 50);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included; 0 counts as 1.
    pub max_attempts: u32,
    /// Ceiling of the first delay.
    pub base_delay_ms: u64,
    /// Ceiling of every delay, at most [`DELAY_MS_MAX`].
    pub max_delay_ms: u64,
    /// How many times higher the ceiling is after a throttled attempt.
    pub throttle_factor: u32,
    /// Longest server hint that is honoured, at most [`DELAY_MS_MAX`].
    pub retry_after_ms_max: u64,
}

/// 4 attempts, delays below 50, 100 and 200 ms (500, 1,000 and 2,000 ms when
/// throttled), hints up to 10 s.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base_delay_ms: 50,
            max_delay_ms: 5_000,
            throttle_factor: 10,
            retry_after_ms_max: 10_000,
        }
    }
}

impl RetryPolicy {
    /// One ceiling per retry, before factor and cap.
    fn ceilings(&self) -> impl Backoff + use<> {
        let first = Duration::from_millis(self.base_delay_ms);
        let retries = self.max_attempts.saturating_sub(1);
        successors(Some(first), |ceiling| Some(ceiling.saturating_mul(2)))
            .take(usize::try_from(retries).unwrap_or(usize::MAX))
    }

    fn delay_max(&self) -> Duration {
        Duration::from_millis(self.max_delay_ms.min(DELAY_MS_MAX))
    }

    /// The pause after `error`: `fraction` (0 to 1) of the ceiling, after the hint.
    fn delay(&self, error: &impl Classify, ceiling: Duration, fraction: f64) -> Duration {
        let factor = match error.retry_class() {
            RetryClass::Throttled => self.throttle_factor.max(1),
            RetryClass::Transient | RetryClass::Permanent => 1,
        };
        let ceiling = ceiling.saturating_mul(factor).min(self.delay_max());
        let hint_max = Duration::from_millis(self.retry_after_ms_max.min(DELAY_MS_MAX));
        let hint = error.retry_after().unwrap_or_default().min(hint_max);
        hint + ceiling.mul_f64(fraction).min(ceiling)
    }
}

/// Why no further attempt was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RetryStop {
    /// The error is permanent.
    #[error("permanent error")]
    Permanent,
    /// The policy allows no more attempts.
    #[error("no attempts left")]
    AttemptsExhausted,
    /// The shared budget is used up.
    #[error("retry budget exhausted")]
    BudgetExhausted,
    /// The next delay would have ended at or after the deadline.
    #[error("too little time before the deadline")]
    DeadlineTooClose,
}

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RetryError<E> {
    /// The last attempt failed.
    #[error("gave up at attempt {attempts}: {stop}")]
    GaveUp {
        /// Why it was the last.
        stop: RetryStop,
        /// Attempts made.
        attempts: u32,
        /// Its error.
        #[source]
        error: E,
    },
    /// The deadline passed during an attempt, which was dropped, or before the
    /// first one.
    #[error("deadline passed after {attempts} attempts were started")]
    DeadlinePassed {
        /// Attempts started.
        attempts: u32,
    },
}

/// Calls `op` until it succeeds, its error is permanent, or `policy`, `budget`
/// or `deadline` allows no further attempt.
///
/// No delay ends after `deadline`, and an attempt that still runs then is
/// dropped, so this function returns by the deadline. `op` is called anew for
/// each attempt and must be safe to repeat.
///
/// # Errors
///
/// [`RetryError::GaveUp`] with the last attempt's error, or
/// [`RetryError::DeadlinePassed`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use perf_core::retry::{Classify, RetryBudget, RetryClass, RetryPolicy, retry};
/// use tokio::time::Instant;
///
/// #[derive(Debug)]
/// struct Busy;
///
/// impl Classify for Busy {
///     fn retry_class(&self) -> RetryClass {
///         RetryClass::Transient
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let deadline = Instant::now() + Duration::from_secs(5);
/// let mut calls = 0;
/// let op = || {
///     calls += 1;
///     let outcome = if calls < 3 { Err(Busy) } else { Ok("stored") };
///     async move { outcome }
/// };
/// let stored = retry(&RetryPolicy::default(), &RetryBudget::default(), deadline, op).await;
/// assert_eq!(stored.unwrap(), "stored");
/// assert_eq!(calls, 3);
/// # }
/// ```
pub async fn retry<T, E, Op, Fut>(
    policy: &RetryPolicy,
    budget: &RetryBudget,
    deadline: Instant,
    op: Op,
) -> Result<T, RetryError<E>>
where
    E: Classify,
    Op: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let limits = Limits { policy, budget, deadline };
    limits.retry(random_fractions(), op).await
}

/// Random numbers from 0 to 1.
fn random_fractions() -> impl FnMut() -> f64 {
    // backon's jitter adds a random part of the delay to the delay; over a delay
    // of one second, what was added is the fraction.
    let second = Duration::from_secs(1);
    let builder = ConstantBuilder::new().with_delay(second).with_jitter();
    let mut delays = builder.without_max_times().build();
    move || {
        let delay = delays.next().unwrap_or(second);
        delay.saturating_sub(second).as_secs_f64()
    }
}

enum Failure<E> {
    Error(E),
    DeadlinePassed,
}

struct Limits<'a> {
    policy: &'a RetryPolicy,
    budget: &'a RetryBudget,
    deadline: Instant,
}

impl Limits<'_> {
    async fn retry<T, E, Op, Fut>(
        &self,
        mut fraction: impl FnMut() -> f64,
        mut op: Op,
    ) -> Result<T, RetryError<E>>
    where
        E: Classify,
        Op: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let mut attempts = 0_u32;
        if Instant::now() >= self.deadline {
            return Err(RetryError::DeadlinePassed { attempts });
        }
        let mut stop = RetryStop::AttemptsExhausted;
        let attempt = || {
            attempts = attempts.saturating_add(1);
            within(self.deadline, op())
        };
        let outcome = attempt
            .retry(self.policy.ceilings())
            .adjust(|failure, ceiling| {
                let Failure::Error(error) = failure else {
                    return None;
                };
                let pause = self.pause(error, ceiling, fraction());
                pause.map_err(|reason| stop = reason).ok()
            })
            .await;
        outcome.map_err(|failure| match failure {
            Failure::Error(error) => RetryError::GaveUp { stop, attempts, error },
            Failure::DeadlinePassed => RetryError::DeadlinePassed { attempts },
        })
    }

    /// The delay before the next attempt, or why there is none.
    fn pause(
        &self,
        error: &impl Classify,
        ceiling: Option<Duration>,
        fraction: f64,
    ) -> Result<Duration, RetryStop> {
        let class = error.retry_class();
        if class == RetryClass::Permanent {
            return Err(RetryStop::Permanent);
        }
        let ceiling = ceiling.ok_or(RetryStop::AttemptsExhausted)?;
        let delay = self.policy.delay(error, ceiling, fraction);
        if Instant::now() + delay >= self.deadline {
            return Err(RetryStop::DeadlineTooClose);
        }
        if !self.budget.withdraw() {
            return Err(RetryStop::BudgetExhausted);
        }
        debug!(?class, delay_ms = delay.as_millis(), "trying again");
        Ok(delay)
    }
}

async fn within<T, E>(
    deadline: Instant,
    attempt: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure<E>> {
    match timeout_at(deadline, attempt).await {
        Ok(outcome) => outcome.map_err(Failure::Error),
        Err(_) => Err(Failure::DeadlinePassed),
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use proptest::prelude::*;
    use tokio::time::sleep;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
    #[error("{class:?}")]
    struct Fault {
        class: RetryClass,
        retry_after: Option<Duration>,
    }

    impl Classify for Fault {
        fn retry_class(&self) -> RetryClass {
            self.class
        }

        fn retry_after(&self) -> Option<Duration> {
            self.retry_after
        }
    }

    fn fault(class: RetryClass) -> Fault {
        Fault { class, retry_after: None }
    }

    fn hinted(class: RetryClass, retry_after: Duration) -> Fault {
        Fault { class, retry_after: Some(retry_after) }
    }

    /// Fails with `error` at every attempt, with the longest delays; returns
    /// the times of the attempts since the start.
    async fn fail(
        policy: &RetryPolicy,
        budget: &RetryBudget,
        time: Duration,
        error: Fault,
    ) -> (Vec<Duration>, RetryStop) {
        let start = Instant::now();
        let limits = Limits { policy, budget, deadline: start + time };
        let mut attempts_at = Vec::new();
        let op = || {
            attempts_at.push(start.elapsed());
            async move { Err::<(), _>(error) }
        };
        match limits.retry(|| 1.0, op).await.unwrap_err() {
            RetryError::GaveUp { stop, attempts, error: last } => {
                assert_eq!(usize::try_from(attempts), Ok(attempts_at.len()));
                assert_eq!(last, error);
                assert!(start.elapsed() < time, "no pause after the last attempt");
                (attempts_at, stop)
            }
            RetryError::DeadlinePassed { .. } => panic!("deadline passed"),
        }
    }

    fn policy() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 6,
            base_delay_ms: 100,
            max_delay_ms: 1_000,
            throttle_factor: 5,
            retry_after_ms_max: 2_000,
        }
    }

    const LONG: Duration = Duration::from_secs(3_600);

    fn ms(times: &[u32]) -> Vec<Duration> {
        times.iter().map(|time| MS * *time).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn success_needs_one_attempt_and_no_token() {
        let budget = RetryBudget::new(1, 0);
        let deadline = Instant::now() + LONG;
        let op = || async { Ok::<_, Fault>(7) };
        assert_eq!(retry(&policy(), &budget, deadline, op).await, Ok(7));
        assert_eq!(budget.available(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn permanent_errors_are_not_retried() {
        let budget = RetryBudget::default();
        let error = hinted(RetryClass::Permanent, MS);
        let (attempts_at, stop) = fail(&policy(), &budget, LONG, error).await;
        assert_eq!((attempts_at, stop), (ms(&[0]), RetryStop::Permanent));
        assert_eq!(budget.available(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn transient_delays_double_up_to_the_cap() {
        let error = fault(RetryClass::Transient);
        let (attempts_at, stop) = fail(&policy(), &RetryBudget::default(), LONG, error).await;
        assert_eq!(attempts_at, ms(&[0, 100, 300, 700, 1_500, 2_500]));
        assert_eq!(stop, RetryStop::AttemptsExhausted);
    }

    #[tokio::test(start_paused = true)]
    async fn throttled_delays_start_higher_under_the_same_cap() {
        let error = fault(RetryClass::Throttled);
        let (attempts_at, _) = fail(&policy(), &RetryBudget::default(), LONG, error).await;
        assert_eq!(attempts_at, ms(&[0, 500, 1_500, 2_500, 3_500, 4_500]));
    }

    #[tokio::test(start_paused = true)]
    async fn hint_is_waited_for_up_to_its_cap() {
        let policy = RetryPolicy { max_attempts: 2, ..policy() };
        let budget = RetryBudget::default();
        let short = hinted(RetryClass::Transient, MS * 1_500);
        assert_eq!(fail(&policy, &budget, LONG, short).await.0, ms(&[0, 1_600]));
        let endless = hinted(RetryClass::Transient, Duration::MAX);
        assert_eq!(fail(&policy, &budget, LONG, endless).await.0, ms(&[0, 2_100]));
    }

    #[tokio::test(start_paused = true)]
    async fn zero_attempts_count_as_one() {
        let policy = RetryPolicy { max_attempts: 0, ..policy() };
        let error = fault(RetryClass::Transient);
        let (attempts_at, stop) = fail(&policy, &RetryBudget::default(), LONG, error).await;
        assert_eq!((attempts_at, stop), (ms(&[0]), RetryStop::AttemptsExhausted));
    }

    #[tokio::test(start_paused = true)]
    async fn no_delay_ends_after_the_deadline() {
        let error = fault(RetryClass::Transient);
        let budget = RetryBudget::default();
        let (attempts_at, stop) = fail(&policy(), &budget, MS * 300, error).await;
        assert_eq!((attempts_at, stop), (ms(&[0, 100]), RetryStop::DeadlineTooClose));
        assert_eq!(budget.available(), 49, "the refused retry cost nothing");
        let (attempts_at, _) = fail(&policy(), &budget, MS * 301, error).await;
        assert_eq!(attempts_at, ms(&[0, 100, 300]));
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_is_dropped_at_the_deadline() {
        let start = Instant::now();
        let deadline = start + MS * 250;
        let op = || pending::<Result<(), Fault>>();
        let outcome = retry(&policy(), &RetryBudget::default(), deadline, op).await;
        assert_eq!(outcome, Err(RetryError::DeadlinePassed { attempts: 1 }));
        assert_eq!(start.elapsed(), MS * 250);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_starts_after_the_deadline() {
        let op = || async { Ok::<_, Fault>(()) };
        let outcome = retry(&policy(), &RetryBudget::default(), Instant::now(), op).await;
        assert_eq!(outcome, Err(RetryError::DeadlinePassed { attempts: 0 }));
    }

    #[tokio::test(start_paused = true)]
    async fn budget_is_shared_by_its_clones() {
        let budget = RetryBudget::new(7, 2);
        let error = fault(RetryClass::Transient);
        let one_go = RetryPolicy { base_delay_ms: 0, max_attempts: 6, ..policy() };
        let (attempts_at, stop) = fail(&one_go, &budget, LONG, error).await;
        assert_eq!((attempts_at.len(), stop), (6, RetryStop::AttemptsExhausted));
        let (attempts_at, stop) = fail(&one_go, &budget.clone(), LONG, error).await;
        assert_eq!((attempts_at.len(), stop), (3, RetryStop::BudgetExhausted));
        assert_eq!(budget.available(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn success_after_failures_is_returned() {
        let mut left = vec![Ok(9), Err(fault(RetryClass::Throttled)), Err(fault(RetryClass::Transient))];
        let op = || {
            let next = left.pop().unwrap();
            async move {
                sleep(MS).await;
                next
            }
        };
        let deadline = Instant::now() + LONG;
        let outcome = retry(&policy(), &RetryBudget::default(), deadline, op).await;
        assert_eq!(outcome, Ok(9));
    }

    #[tokio::test]
    async fn future_can_be_spawned() {
        let task = tokio::spawn(async {
            let deadline = Instant::now() + LONG;
            let op = || async { Ok::<_, Fault>(1) };
            retry(&policy(), &RetryBudget::default(), deadline, op).await
        });
        assert_eq!(task.await.unwrap(), Ok(1));
    }

    #[test]
    fn errors_name_the_reason_and_the_cause() {
        let error = RetryError::GaveUp {
            stop: RetryStop::BudgetExhausted,
            attempts: 3,
            error: fault(RetryClass::Transient),
        };
        assert_eq!(error.to_string(), "gave up at attempt 3: retry budget exhausted");
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "Transient");
    }

    #[test]
    fn jitter_spreads_from_zero_to_the_ceiling() {
        // Each source has its own seed.
        let fractions: Vec<f64> = (0..2_000)
            .flat_map(|_| {
                let mut fraction = random_fractions();
                [fraction(), fraction()]
            })
            .collect();
        assert!(fractions.iter().all(|fraction| (0.0..=1.0).contains(fraction)));
        let mut tenths = [0_u32; 10];
        for fraction in &fractions {
            let tenth = (0..9).find(|tenth| *fraction < f64::from(*tenth + 1) / 10.0);
            tenths[usize::try_from(tenth.unwrap_or(9)).unwrap()] += 1;
        }
        // 400 expected in each; ten standard deviations are 190.
        assert!(tenths.iter().all(|count| (210..590).contains(count)), "{tenths:?}");
    }

    proptest! {
        #[test]
        fn delay_stays_within_hint_and_ceiling(
            policy in (any::<u32>(), any::<u64>(), any::<u64>(), any::<u32>(), any::<u64>()).prop_map(
                |(max_attempts, base_delay_ms, max_delay_ms, throttle_factor, retry_after_ms_max)| {
                    RetryPolicy { max_attempts, base_delay_ms, max_delay_ms, throttle_factor, retry_after_ms_max }
                },
            ),
            throttled in any::<bool>(),
            hint_ms in proptest::option::of(any::<u64>()),
            fraction in 0.0..=1.0_f64,
        ) {
            let class = if throttled { RetryClass::Throttled } else { RetryClass::Transient };
            let error = Fault { class, retry_after: hint_ms.map(Duration::from_millis) };
            let hint = error.retry_after.unwrap_or_default();
            let hint = hint.min(MS * 3_600_000).min(Duration::from_millis(policy.retry_after_ms_max));
            for ceiling in policy.ceilings().take(50) {
                let delay = policy.delay(&error, ceiling, fraction);
                prop_assert!(delay >= hint);
                prop_assert!(delay - hint <= policy.delay_max());
            }
        }
    }
}
