//! Many items at once, within a bound, each item's failure kept apart.

use std::collections::HashMap;
use std::iter::{Enumerate, repeat_with};
use std::num::NonZeroUsize;
use std::vec;

use thiserror::Error;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::{Instrument, Span, info_span, warn};

/// Why one item has no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ItemError<E> {
    /// The item's own error.
    // The alternate form keeps the causes of an `anyhow::Error` in the text:
    // that type is no `std::error::Error`, so it cannot be a source.
    #[error("{0:#}")]
    Failed(E),
    /// Processing the item panicked.
    #[error("processing panicked")]
    Panicked,
    /// The batch or the runtime stopped before the item was finished.
    #[error("stopped before it was finished")]
    Stopped,
}

/// Why a batch has no results.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BatchError<E> {
    /// A concurrency of 0 would never process anything.
    #[error("max_concurrency is 0, expected at least 1")]
    ZeroConcurrency,
    /// An item failed: the first one in input order.
    #[error("item {index}: {error}")]
    Item {
        /// Position in the input, from 0.
        index: usize,
        /// What happened to it.
        error: ItemError<E>,
    },
}

/// Processes all items, at most `max_concurrency` at once, and returns their
/// results in input order, or the failure of the first item that failed.
///
/// After a failure no new item is started; items after the failed one are
/// aborted, items before it are waited for, so that the index in the error is
/// the same on every run. Nothing of the batch is running any more when this
/// function returns. Dropping the future aborts the running items.
///
/// Each item is a Tokio task; one that computes without awaiting holds a worker
/// thread meanwhile. Memory is bounded by `max_concurrency` tasks besides the
/// items and their results. Log events of an item carry
/// `request_id` and `index`, never the item.
///
/// The error type is generic and the closure's future `'static`, where the
/// seed's signature left both open.
///
/// # Errors
///
/// [`BatchError::ZeroConcurrency`], or [`BatchError::Item`] for the first item
/// in input order that returned an error or panicked.
///
/// # Panics
///
/// Outside a Tokio runtime.
///
/// # Examples
///
/// ```
/// use perf_core::parallel::process_batch;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let parse = |text: &'static str| async move { text.parse::<u32>() };
/// let values = process_batch(vec!["1", "2", "3"], 2, parse, "request-1").await?;
/// assert_eq!(values, [1, 2, 3]);
///
/// let error = process_batch(vec!["1", "x"], 2, parse, "request-1").await.unwrap_err();
/// assert_eq!(error.to_string(), "item 1: invalid digit found in string");
/// # Ok(())
/// # }
/// ```
pub async fn process_batch<T, F, Fut, R, E>(
    items: Vec<T>,
    max_concurrency: usize,
    process_fn: F,
    request_id: &str,
) -> Result<Vec<R>, BatchError<E>>
where
    T: Send + 'static,
    F: Fn(T) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<R, E>> + Send + 'static,
    R: Send + 'static,
    E: Send + 'static,
{
    let limit = NonZeroUsize::new(max_concurrency).ok_or(BatchError::ZeroConcurrency)?;
    let span = batch_span(request_id, items.len(), limit);
    let window = Window::new(items, limit, process_fn, span.clone());
    let outcomes = window.run(OnFailure::Stop).instrument(span).await;
    let in_order = outcomes.into_iter().enumerate();
    in_order.map(|(index, outcome)| outcome.map_err(|error| BatchError::Item { index, error })).collect()
}

/// Processes all items like [`process_batch`], but to the last one: returns
/// each item's own outcome, in input order.
///
/// # Panics
///
/// Outside a Tokio runtime.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroUsize;
/// use perf_core::parallel::process_each;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let parse = |text: &'static str| async move { text.parse::<u32>() };
/// let outcomes = process_each(vec!["1", "x", "3"], NonZeroUsize::MIN, parse, "request-1").await;
/// assert_eq!(outcomes[0], Ok(1));
/// assert!(outcomes[1].is_err());
/// assert_eq!(outcomes[2], Ok(3));
/// # }
/// ```
pub async fn process_each<T, F, Fut, R, E>(
    items: Vec<T>,
    max_concurrency: NonZeroUsize,
    process_fn: F,
    request_id: &str,
) -> Vec<Result<R, ItemError<E>>>
where
    T: Send + 'static,
    F: Fn(T) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<R, E>> + Send + 'static,
    R: Send + 'static,
    E: Send + 'static,
{
    let span = batch_span(request_id, items.len(), max_concurrency);
    let window = Window::new(items, max_concurrency, process_fn, span.clone());
    window.run(OnFailure::Continue).instrument(span).await
}

fn batch_span(request_id: &str, item_count: usize, max_concurrency: NonZeroUsize) -> Span {
    info_span!("batch", request_id, item_count, max_concurrency)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OnFailure {
    Stop,
    Continue,
}

/// The items that wait, and the tasks of those that run.
struct Window<T, F, R, E> {
    waiting: Enumerate<vec::IntoIter<T>>,
    running: JoinSet<Result<R, E>>,
    // A panicked task returns nothing but its id.
    running_indices: HashMap<Id, usize>,
    limit: NonZeroUsize,
    process_fn: F,
    span: Span,
}

impl<T, F, Fut, R, E> Window<T, F, R, E>
where
    T: Send + 'static,
    F: Fn(T) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<R, E>> + Send + 'static,
    R: Send + 'static,
    E: Send + 'static,
{
    fn new(items: Vec<T>, limit: NonZeroUsize, process_fn: F, span: Span) -> Self {
        Self {
            waiting: items.into_iter().enumerate(),
            running: JoinSet::new(),
            running_indices: HashMap::new(),
            limit,
            process_fn,
            span,
        }
    }

    async fn run(mut self, on_failure: OnFailure) -> Vec<Result<R, ItemError<E>>> {
        let unfinished = || Err(ItemError::Stopped);
        let mut outcomes: Vec<_> = repeat_with(unfinished).take(self.waiting.len()).collect();
        let mut failed_index = None;
        loop {
            match failed_index {
                None => self.fill(),
                Some(index) if self.runs_item_before(index) => {}
                Some(_) => break,
            }
            let Some((index, outcome)) = self.next_outcome().await else {
                break;
            };
            if outcome.is_err() && on_failure == OnFailure::Stop {
                failed_index = Some(failed_index.map_or(index, |failed: usize| failed.min(index)));
            }
            if let Some(slot) = outcomes.get_mut(index) {
                *slot = outcome;
            }
        }
        self.running.shutdown().await;
        outcomes
    }

    fn fill(&mut self) {
        while self.running.len() < self.limit.get() {
            let Some((index, item)) = self.waiting.next() else {
                return;
            };
            let process_fn = self.process_fn.clone();
            let span = info_span!(parent: &self.span, "item", index);
            // The closure is called inside the task, where its panic is caught.
            let task = async move { process_fn(item).await }.instrument(span);
            let handle = self.running.spawn(task);
            self.running_indices.insert(handle.id(), index);
        }
    }

    fn runs_item_before(&self, index: usize) -> bool {
        self.running_indices.values().any(|running| *running < index)
    }

    async fn next_outcome(&mut self) -> Option<(usize, Result<R, ItemError<E>>)> {
        let joined = self.running.join_next_with_id().await?;
        let (id, outcome) = match joined {
            Ok((id, outcome)) => (id, outcome.map_err(ItemError::Failed)),
            Err(error) => (error.id(), Err(join_failure(&error))),
        };
        let index = self.running_indices.remove(&id)?;
        if outcome.is_err() {
            // No error text: it may quote the item.
            warn!(index, "batch item failed");
        }
        Some((index, outcome))
    }
}

fn join_failure<E>(error: &JoinError) -> ItemError<E> {
    if error.is_panic() { ItemError::Panicked } else { ItemError::Stopped }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::mem::take;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::runtime::Builder;
    use tokio::time::{Instant, sleep};
    use tracing::callsite::rebuild_interest_cache;
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id as SpanId, Record};
    use tracing::subscriber::set_default;
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// An item of the tests: sleeps, then ends as told.
    #[derive(Debug, Clone, Copy)]
    struct Item {
        value: u32,
        delay_ms: u64,
        end: End,
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum End {
        Succeed,
        Fail,
        Panic,
    }

    fn item(value: u32, delay_ms: u64, end: End) -> Item {
        Item { value, delay_ms, end }
    }

    /// What the items did, seen from outside.
    #[derive(Debug, Clone, Default)]
    struct Watch {
        running: Arc<AtomicUsize>,
        running_max: Arc<AtomicUsize>,
        started: Arc<Mutex<Vec<u32>>>,
        finished: Arc<Mutex<Vec<u32>>>,
    }

    /// Counts down when its item ends, is aborted or panics.
    struct Running(Arc<AtomicUsize>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    impl Watch {
        async fn process(self, item: Item) -> Result<u32, String> {
            let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            let _running = Running(self.running.clone());
            self.running_max.fetch_max(now, Ordering::SeqCst);
            self.started.lock().unwrap().push(item.value);
            sleep(Duration::from_millis(item.delay_ms)).await;
            assert_ne!(item.end, End::Panic, "told to");
            self.finished.lock().unwrap().push(item.value);
            match item.end {
                End::Fail => Err(format!("no {}", item.value)),
                _ => Ok(item.value),
            }
        }

        async fn batch(&self, items: Vec<Item>, limit: usize) -> Result<Vec<u32>, BatchError<String>> {
            let watch = self.clone();
            process_batch(items, limit, move |item| watch.clone().process(item), "r").await
        }

        async fn each(&self, items: Vec<Item>, limit: usize) -> Vec<Result<u32, ItemError<String>>> {
            let watch = self.clone();
            let limit = NonZeroUsize::new(limit).unwrap();
            process_each(items, limit, move |item| watch.clone().process(item), "r").await
        }

        fn running(&self) -> usize {
            self.running.load(Ordering::SeqCst)
        }

        fn running_max(&self) -> usize {
            self.running_max.load(Ordering::SeqCst)
        }

        fn started(&self) -> Vec<u32> {
            self.started.lock().unwrap().clone()
        }
    }

    fn failed(index: usize, value: u32) -> BatchError<String> {
        let error = ItemError::Failed(format!("no {value}"));
        BatchError::Item { index, error }
    }

    #[tokio::test]
    async fn no_items_give_no_results() {
        assert_eq!(Watch::default().batch(vec![], 4).await, Ok(vec![]));
        assert_eq!(Watch::default().each(vec![], 4).await, vec![]);
    }

    #[tokio::test]
    async fn concurrency_of_zero_is_an_error() {
        let watch = Watch::default();
        let outcome = watch.batch(vec![item(0, 0, End::Succeed)], 0).await;
        assert_eq!(outcome, Err(BatchError::ZeroConcurrency));
        assert!(watch.started().is_empty());
    }

    #[tokio::test]
    async fn concurrency_above_the_number_of_items_is_fine() {
        let items = vec![item(0, 1, End::Succeed), item(1, 0, End::Succeed)];
        assert_eq!(Watch::default().batch(items, usize::MAX).await, Ok(vec![0, 1]));
    }

    #[tokio::test(start_paused = true)]
    async fn first_failure_by_input_order_is_reported() {
        let watch = Watch::default();
        let items = vec![
            item(0, 50, End::Succeed),
            item(1, 40, End::Fail),
            item(2, 10, End::Fail),
            item(3, 90, End::Succeed),
            item(4, 0, End::Succeed),
        ];
        assert_eq!(watch.batch(items, 4).await, Err(failed(1, 1)));
        assert_eq!(watch.started(), [0, 1, 2, 3], "none after the failure");
        assert_eq!(*watch.finished.lock().unwrap(), [2, 1, 0], "3 was aborted");
        assert_eq!(watch.running(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn only_items_before_the_first_failure_are_waited_for() {
        let items = vec![
            item(0, 30, End::Succeed),
            item(1, 20, End::Fail),
            item(2, 1_000, End::Succeed),
            item(3, 10, End::Fail),
        ];
        let start = Instant::now();
        assert_eq!(Watch::default().batch(items, 4).await, Err(failed(1, 1)));
        assert_eq!(start.elapsed(), Duration::from_millis(30));
    }

    #[tokio::test(start_paused = true)]
    async fn panic_is_the_failure_of_its_item() {
        let items = vec![
            item(0, 5, End::Succeed),
            item(1, 1, End::Panic),
            item(2, 1, End::Fail),
            item(3, 0, End::Succeed),
        ];
        let outcomes = Watch::default().each(items.clone(), 2).await;
        let failed_2 = Err(ItemError::Failed("no 2".to_owned()));
        assert_eq!(outcomes, [Ok(0), Err(ItemError::Panicked), failed_2, Ok(3)]);

        let error = Watch::default().batch(items, 2).await.unwrap_err();
        assert_eq!(error.to_string(), "item 1: processing panicked");
    }

    #[tokio::test]
    async fn panic_of_the_closure_itself_is_caught() {
        let process = |value: u32| {
            assert_ne!(value, 1, "told to");
            async move { Ok::<_, String>(value) }
        };
        let outcomes = process_each(vec![0, 1, 2], NonZeroUsize::MIN, process, "r").await;
        assert_eq!(outcomes, [Ok(0), Err(ItemError::Panicked), Ok(2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_future_aborts_running_items() {
        let watch = Watch::default();
        let items = vec![item(0, 1_000, End::Succeed); 10];
        let batch = watch.batch(items, 3);
        let dropped = tokio::time::timeout(Duration::from_millis(10), batch).await;
        assert!(dropped.is_err());
        sleep(Duration::from_millis(5_000)).await;
        assert_eq!(watch.started(), [0; 3]);
        assert_eq!(watch.running(), 0);
        assert!(watch.finished.lock().unwrap().is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn bound_holds_on_several_threads() {
        let watch = Watch::default();
        let items: Vec<_> = (0..200).map(|value| item(value, 1, End::Succeed)).collect();
        let expected: Vec<_> = (0..200).collect();
        assert_eq!(watch.batch(items, 7).await, Ok(expected));
        assert!(watch.running_max() <= 7);
    }

    #[tokio::test]
    async fn futures_can_be_spawned() {
        let process = |value: u32| async move { Ok::<_, String>(value) };
        let task = tokio::spawn(async move { process_batch(vec![1], 1, process, "r").await });
        assert_eq!(task.await.unwrap(), Ok(vec![1]));
    }

    /// Keeps what spans and events record.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<String>>);

    impl Visit for Log {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            *self.0.lock().unwrap() += &format!("{}={value:?} ", field.name());
        }
    }

    impl Subscriber for Log {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, span: &Attributes<'_>) -> SpanId {
            *self.0.lock().unwrap() += span.metadata().name();
            *self.0.lock().unwrap() += ": ";
            span.record(&mut self.clone());
            SpanId::from_u64(1)
        }

        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }

        fn record(&self, _: &SpanId, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &SpanId, _: &SpanId) {}
        fn enter(&self, _: &SpanId) {}
        fn exit(&self, _: &SpanId) {}
    }

    #[tokio::test]
    async fn log_names_request_and_index_but_no_data() {
        let process = |amount: u32| async move { Err::<u32, _>(format!("bad amount {amount}")) };
        let expected = "batch: request_id=\"request-1\" item_count=1 max_concurrency=1 \
                        item: index=0 message=batch item failed index=0 ";
        let log = Log::default();
        let _guard = set_default(log.clone());
        let mut logged = String::new();
        // A test on another thread, which has no log, switches a span off when
        // it registers it at the same moment. That happens once per span.
        for _ in 0..1_000 {
            rebuild_interest_cache();
            process_each(vec![77_777], NonZeroUsize::MIN, process, "request-1").await;
            logged = take(&mut *log.0.lock().unwrap());
            if logged == expected {
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(logged, expected);
    }

    fn any_items() -> impl Strategy<Value = Vec<Item>> {
        let end = prop_oneof![12 => Just(End::Succeed), 1 => Just(End::Fail), 1 => Just(End::Panic)];
        prop::collection::vec((1..30_u64, end), 0..40).prop_map(|items| {
            let numbered = (0_u32..).zip(items);
            numbered.map(|(value, (delay_ms, end))| item(value, delay_ms, end)).collect()
        })
    }

    fn expected(item: &Item) -> Result<u32, ItemError<String>> {
        match item.end {
            End::Succeed => Ok(item.value),
            End::Fail => Err(ItemError::Failed(format!("no {}", item.value))),
            End::Panic => Err(ItemError::Panicked),
        }
    }

    proptest! {
        #[test]
        fn outcomes_keep_input_order(items in any_items(), limit in 1..10_usize) {
            let watch = Watch::default();
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let outcomes = runtime.block_on(watch.each(items.clone(), limit));
            prop_assert_eq!(outcomes, items.iter().map(expected).collect::<Vec<_>>());
            prop_assert_eq!(watch.running_max(), limit.min(items.len()));
        }

        #[test]
        fn batch_fails_with_the_first_failure(items in any_items(), limit in 1..10_usize) {
            let watch = Watch::default();
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let outcome = runtime.block_on(watch.batch(items.clone(), limit));
            let in_order = items.iter().enumerate();
            let expected: Result<Vec<_>, _> = in_order
                .map(|(index, item)| expected(item).map_err(|error| BatchError::Item { index, error }))
                .collect();
            prop_assert_eq!(outcome, expected);
            prop_assert!(watch.running_max() <= limit);
            prop_assert_eq!(watch.running(), 0);
        }
    }
}
