//! Results.

use perf_core::model::{
    CompletedResult, EntityType, Method, Metric, Metrics, Period, Reason, ResultBasis, TimePeriod, WindowName,
};
use perf_core::ports::{
    CurrentPosition, CurrentResults, Page, PutOutcome, ResultFilter, ResultReader, ResultRow, ResultWriter,
};

use crate::{day, entity, name};

fn row(client: &str, entity_id: &str, end: &str, revision: u64) -> ResultRow {
    let end = day(end);
    let twr = "0.12345678901234567891".parse().expect("a figure");
    ResultRow {
        sort_key: format!("{end}#YTD#daily"),
        current: false,
        withdrawn: false,
        result: CompletedResult {
            request_id: "standing".to_owned(),
            engine_version: "1".to_owned(),
            input_hash: format!("{revision:064}"),
            input_revision: revision,
            basis: ResultBasis::Standing,
            entity_type: EntityType::Portfolio,
            entity_id: name(entity_id),
            client_id: name(client),
            account_id: Some(name("acct")),
            period: Period { start: None, end, days: None },
            time_period: WindowName::Standing(TimePeriod::Ytd),
            calculation_method: Method::Daily,
            metrics: Metrics(vec![
                (Metric::Twr, Ok(twr)),
                (Metric::SharpeRatio, Err(Reason::ZeroVolatility)),
            ]),
            calculated_at: "2024-01-01T00:00:00.000Z".to_owned(),
            details: vec![("drawdown", r#"{"peak_date":null}"#.to_owned())],
        },
        created_at: format!("created at {revision}"),
        updated_at: format!("updated at {revision}"),
    }
}

fn current(client: &str, entity_id: &str, revision: u64) -> ResultRow {
    ResultRow {
        sort_key: "latest#YTD#daily".to_owned(),
        current: true,
        ..row(client, entity_id, "2023-06-30", revision)
    }
}

async fn put(store: &impl ResultWriter, rows: &[ResultRow]) -> Vec<PutOutcome> {
    store.put_results(rows).await.expect("a put")
}

async fn listed(
    store: &impl ResultReader,
    client: &str,
    filter: ResultFilter,
    limit: u32,
    after: Option<String>,
) -> (Vec<String>, Option<String>) {
    let page = Page { limit, after };
    let slice = store.results_of(&entity(client, "p"), &filter, &page).await.expect("a list");
    (slice.rows.into_iter().map(|row| row.result.period.end.to_string()).collect(), slice.next)
}

/// A row is read as it was written, but for the time of its making.
pub async fn a_row_is_read_as_written(store: &(impl ResultReader + ResultWriter)) {
    assert_eq!(put(store, &[row("acme", "p", "2023-06-30", 3)]).await, [PutOutcome::Written]);
    assert_eq!(put(store, &[row("acme", "p", "2023-06-30", 4)]).await, [PutOutcome::Written]);
    let page = Page { limit: 10, after: None };
    let slice =
        store.results_of(&entity("acme", "p"), &ResultFilter::default(), &page).await.expect("a list");
    let expected = ResultRow { created_at: "created at 3".to_owned(), ..row("acme", "p", "2023-06-30", 4) };
    assert_eq!((slice.rows, slice.next), (vec![expected], None));
}

/// Figures that no store's own numbers hold come back to the last digit, and a figure
/// or an account that the next result lacks is gone.
pub async fn every_figure_is_read_as_written(store: &(impl ResultReader + ResultWriter)) {
    let mut large = row("acme", "p", "2023-06-30", 1);
    let texts = ["12345678901234567891e100", "-1e-200", "0", "99999999999999999999", "1e-12"];
    let metrics = [Metric::Twr, Metric::Mwr, Metric::Volatility, Metric::MaxDrawdown, Metric::Skewness];
    let figures = metrics.into_iter().zip(texts.map(|text| Ok(text.parse().expect("a figure"))));
    large.result.metrics = Metrics(figures.collect());
    let mut small = row("acme", "p", "2023-06-30", 2);
    small.created_at.clone_from(&large.created_at);
    small.result.account_id = None;
    small.result.metrics = Metrics(vec![(Metric::Twr, Err(Reason::TotalLoss))]);
    let page = Page { limit: 10, after: None };
    for row in [large, small] {
        assert_eq!(put(store, std::slice::from_ref(&row)).await, [PutOutcome::Written]);
        let slice = store.results_of(&entity("acme", "p"), &ResultFilter::default(), &page).await;
        assert_eq!(slice.expect("a list").rows, [row]);
    }
}

/// A result of an older ledger never replaces one of a newer ledger; one of the
/// same ledger does, which makes repetition harmless.
pub async fn an_older_revision_changes_nothing(store: &(impl ResultReader + ResultWriter)) {
    let rows = [row("acme", "p", "2023-06-30", 5), row("acme", "q", "2023-06-30", 5)];
    assert_eq!(put(store, &rows).await, [PutOutcome::Written; 2]);
    let rows = [row("acme", "p", "2023-06-30", 4), row("acme", "q", "2023-06-30", 5)];
    assert_eq!(put(store, &rows).await, [PutOutcome::Outdated, PutOutcome::Written]);
    let page = Page { limit: 10, after: None };
    let slice =
        store.results_of(&entity("acme", "p"), &ResultFilter::default(), &page).await.expect("a list");
    assert_eq!(slice.rows, [row("acme", "p", "2023-06-30", 5)]);
}

/// A withdrawn row is not listed, and keeps an older one from coming back.
pub async fn a_withdrawn_result_stays_away(store: &(impl ResultReader + ResultWriter + CurrentResults)) {
    put(store, &[row("acme", "p", "2023-06-30", 1), current("acme", "p", 1)]).await;
    let gone = |row: ResultRow| ResultRow { withdrawn: true, ..row };
    put(store, &[gone(row("acme", "p", "2023-06-30", 2)), gone(current("acme", "p", 2))]).await;
    let late = put(store, &[row("acme", "p", "2023-06-30", 1), current("acme", "p", 1)]).await;
    assert_eq!(late, [PutOutcome::Outdated; 2]);
    assert_eq!(listed(store, "acme", ResultFilter::default(), 10, None).await.0, Vec::<String>::new());
    let page = Page { limit: 10, after: None };
    assert!(store.current_of_client(&name("acme"), &page).await.expect("a list").rows.is_empty());
    let known = store.current_of(&entity("acme", "p")).await.expect("rows");
    assert_eq!(known.iter().map(|row| row.withdrawn).collect::<Vec<_>>(), [true]);
}

/// Pages follow each other from the newest to the oldest, whatever is written
/// meanwhile.
pub async fn pages_are_stable_under_writes(store: &(impl ResultReader + ResultWriter)) {
    for month in 1..=5 {
        put(store, &[row("acme", "p", &format!("2023-{month:02}-28"), 1)]).await;
    }
    put(store, &[current("acme", "p", 1)]).await;
    let all = ResultFilter::default();
    let (first, next) = listed(store, "acme", all, 2, None).await;
    assert_eq!(first, ["2023-05-28", "2023-04-28"]);
    put(store, &[row("acme", "p", "2023-06-30", 1), row("acme", "p", "2023-05-01", 1)]).await;
    let (second, next) = listed(store, "acme", all, 2, next).await;
    assert_eq!(second, ["2023-03-28", "2023-02-28"]);
    let (third, next) = listed(store, "acme", all, 2, next).await;
    assert_eq!((third, next), (vec!["2023-01-28".to_owned()], None));
}

/// Both ends of a range of dates count, and so does the window.
pub async fn filters_are_inclusive(store: &(impl ResultReader + ResultWriter)) {
    for month in 1..=4 {
        put(store, &[row("acme", "p", &format!("2023-{month:02}-28"), 1)]).await;
    }
    let (from, to) = (Some(day("2023-02-28")), Some(day("2023-03-28")));
    let filter = ResultFilter { from, to, time_period: None };
    assert_eq!(listed(store, "acme", filter, 10, None).await.0, ["2023-03-28", "2023-02-28"]);
    let ytd = ResultFilter { time_period: Some(WindowName::Standing(TimePeriod::Ytd)), ..filter };
    assert_eq!(listed(store, "acme", ytd, 10, None).await.0, ["2023-03-28", "2023-02-28"]);
    let other = ResultFilter { time_period: Some(WindowName::Custom), ..filter };
    assert_eq!(listed(store, "acme", other, 10, None).await.0, Vec::<String>::new());
}

/// Nobody sees another tenant's results, whatever position a cursor names.
pub async fn tenants_have_their_own_results(store: &(impl ResultReader + ResultWriter + CurrentResults)) {
    put(store, &[row("acme", "p", "2023-06-30", 1), current("acme", "p", 1)]).await;
    let all = ResultFilter::default();
    assert_eq!(listed(store, "other", all, 10, None).await.0, Vec::<String>::new());
    let foreign = Some("2099-01-01#YTD#daily".to_owned());
    assert_eq!(listed(store, "other", all, 10, foreign).await.0, Vec::<String>::new());
    let page = Page { limit: 10, after: None };
    assert!(store.current_of(&entity("other", "p")).await.expect("rows").is_empty());
    assert!(store.current_of_client(&name("other"), &page).await.expect("a list").rows.is_empty());
    let account = store.current_of_account(&name("other"), &name("acct"), &page).await;
    assert!(account.expect("a list").rows.is_empty());
}

/// Current results are listed by client and by account, page by page, each of them
/// once; the order is the store's.
pub async fn current_results_are_listed(store: &(impl ResultWriter + CurrentResults)) {
    let mut elsewhere = current("acme", "c", 1);
    elsewhere.result.account_id = Some(name("acct-2"));
    put(
        store,
        &[current("acme", "b", 1), elsewhere, current("acme", "a", 1), row("acme", "a", "2023-06-30", 1)],
    )
    .await;
    let mut seen = Vec::new();
    let mut after: Option<CurrentPosition> = None;
    for _ in 0..4 {
        let page = Page { limit: 1, after };
        let slice = store.current_of_client(&name("acme"), &page).await.expect("a list");
        seen.extend(slice.rows.into_iter().map(|row| row.result.entity_id.to_string()));
        after = slice.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(after, None);
    seen.sort_unstable();
    assert_eq!(seen, ["a", "b", "c"]);
    let page = Page { limit: 10, after: None };
    let account = store.current_of_account(&name("acme"), &name("acct-2"), &page).await.expect("a list");
    assert_eq!(account.rows.len(), 1);
}
