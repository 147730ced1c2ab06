//! Pieces of work from one source, done by several threads, delivered in order.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Finished pieces that may wait for an earlier one, for each job.
const PARKED_PER_JOB: usize = 16;

/// Takes pieces from `next` until there are no more, works on up to `jobs` at once,
/// and hands the results to `deliver` in the order of their pieces. At most
/// sixteen results a job are kept besides the pieces in work.
///
/// The first error of `next` or `deliver` ends everything.
pub(crate) fn in_order<T, R: Send>(
    jobs: usize,
    next: impl FnMut() -> io::Result<Option<T>> + Send,
    work: impl Fn(T) -> R + Sync,
    deliver: impl FnMut(R) -> io::Result<()> + Send,
) -> io::Result<()> {
    let source = Mutex::new(Source { next, number: 0 });
    let sink = Sink {
        state: Mutex::new(State { deliver, expected: 0, parked: BTreeMap::new(), failure: None }),
        changed: Condvar::new(),
        most_parked: jobs * PARKED_PER_JOB,
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let _guard = PanicGuard(&sink);
                while let Some((number, piece)) = take(&source, &sink) {
                    if !sink.deliver(number, work(piece)) {
                        return;
                    }
                }
            });
        }
    });
    let state = sink.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.failure.map_or(Ok(()), Err)
}

struct Source<N> {
    next: N,
    number: u64,
}

fn take<T, R, N, D>(source: &Mutex<Source<N>>, sink: &Sink<R, D>) -> Option<(u64, T)>
where
    N: FnMut() -> io::Result<Option<T>>,
{
    let mut source = lock(source);
    if lock(&sink.state).failure.is_some() {
        return None;
    }
    match (source.next)() {
        Ok(piece) => {
            let number = source.number;
            source.number += 1;
            piece.map(|piece| (number, piece))
        }
        Err(error) => {
            sink.fail(error);
            None
        }
    }
}

/// Where results wait for their turn.
struct Sink<R, D> {
    state: Mutex<State<R, D>>,
    changed: Condvar,
    most_parked: usize,
}

struct State<R, D> {
    deliver: D,
    expected: u64,
    parked: BTreeMap<u64, R>,
    failure: Option<io::Error>,
}

impl<R, D> Sink<R, D> {
    fn fail(&self, error: io::Error) {
        lock(&self.state).failure.get_or_insert(error);
        self.changed.notify_all();
    }
}

impl<R, D: FnMut(R) -> io::Result<()>> Sink<R, D> {
    /// Delivers a result and all that waited for it; answers whether to go on.
    fn deliver(&self, number: u64, result: R) -> bool {
        let crowded = |state: &mut State<R, D>| {
            state.failure.is_none() && number != state.expected && state.parked.len() >= self.most_parked
        };
        let waited = self.changed.wait_while(lock(&self.state), crowded);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.parked.insert(number, result);
        while state.failure.is_none() {
            let expected = state.expected;
            let Some(result) = state.parked.remove(&expected) else { break };
            state.expected += 1;
            if let Err(error) = (state.deliver)(result) {
                state.failure = Some(error);
            }
        }
        let go_on = state.failure.is_none();
        drop(state);
        self.changed.notify_all();
        go_on
    }
}

/// Lets nobody wait for a result that a panic has made impossible.
struct PanicGuard<'a, R, D>(&'a Sink<R, D>);

impl<R, D> Drop for PanicGuard<'_, R, D> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(io::Error::other("a worker thread stopped"));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn results_come_in_order_whatever_takes_long() {
        for jobs in [1, 3, 8] {
            let mut pieces = 0..300_u64;
            let mut found = Vec::new();
            let work = |piece: u64| {
                thread::sleep(Duration::from_micros(piece * 7919 % 500));
                piece
            };
            let deliver = |piece| {
                found.push(piece);
                Ok(())
            };
            in_order(jobs, || Ok(pieces.next()), work, deliver).expect("no error");
            assert_eq!(found, (0..300).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_error_ends_everything() {
        let fails = |reads: u64, writes: u64| {
            let mut pieces = 0..;
            let next = || {
                let piece = pieces.next().unwrap_or_default();
                if piece < reads { Ok(Some(piece)) } else { Err(io::Error::other("read")) }
            };
            let deliver = |piece: u64| if piece < writes { Ok(()) } else { Err(io::Error::other("write")) };
            in_order(4, next, |piece| piece, deliver).expect_err("an error").to_string()
        };
        assert_eq!(fails(100, u64::MAX), "read");
        assert_eq!(fails(u64::MAX, 100), "write");
    }

    #[test]
    fn a_panic_is_not_waited_for() {
        let mut pieces = 0..10_000_u64;
        let work = |piece: u64| assert!(piece != 50, "a broken piece");
        let run = std::panic::AssertUnwindSafe(|| in_order(3, || Ok(pieces.next()), work, |()| Ok(())));
        assert!(std::panic::catch_unwind(run).is_err());
    }
}
