//! Measures: what a service counts and times while it works.

/// Target of events whose numbers are measures.
///
/// Such an event has no message. Each of its numeric fields is a measure, counted
/// where its name does not end in `_ms`; text fields tell few kinds apart and never
/// name a tenant, an entity or a figure. They are events of the level `trace`, so
/// that a log is without them; whoever collects metrics takes them by this target.
///
/// ```
/// use perf_core::MEASURES;
/// tracing::trace!(target: MEASURES, calculations = 1_u64, cache_hits = 0_u64);
/// ```
pub const MEASURES: &str = "measures";
