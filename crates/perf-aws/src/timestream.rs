//! Time series.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_timestreamwrite::Client;
use aws_sdk_timestreamwrite::endpoint_discovery::ReloadEndpoint;
use aws_sdk_timestreamwrite::operation::write_records::WriteRecordsError;
use aws_sdk_timestreamwrite::types::{Dimension, MeasureValueType, Record, RejectedRecord, TimeUnit};
use chrono::NaiveTime;
use perf_core::MEASURES;
use perf_core::model::Word;
use perf_core::ports::{PortError, SeriesRecord, TimeSeriesWriter};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

use crate::clients::Clients;
use crate::error::port_error;

/// Most records of one call.
const RECORDS_MAX: usize = 100;
/// How long an endpoint that was asked for is used. A function that sleeps between
/// two calls runs no task that would renew it.
const ENDPOINT_AGE_MAX: Duration = Duration::from_secs(600);

/// A table of time series.
pub struct TimestreamTable {
    clients: Clients,
    database: String,
    table: String,
    /// Made at the first write: it may have to ask for its endpoint.
    connection: OnceCell<Connection>,
}

struct Connection {
    client: Client,
    endpoint: Option<Mutex<(ReloadEndpoint, Instant)>>,
}

impl Connection {
    async fn open(clients: &Clients) -> Result<Self, PortError> {
        let (client, has_endpoint) = clients.timestream();
        if has_endpoint {
            return Ok(Self { client, endpoint: None });
        }
        let discovered = client.with_endpoint_discovery_enabled().await;
        let (client, reload) =
            discovered.map_err(|error| PortError::transient(format!("describe endpoints: {error}")))?;
        Ok(Self { client, endpoint: Some(Mutex::new((reload, Instant::now()))) })
    }

    async fn client(&self) -> &Client {
        if let Some(endpoint) = &self.endpoint {
            let mut endpoint = endpoint.lock().await;
            if endpoint.1.elapsed() >= ENDPOINT_AGE_MAX {
                endpoint.0.reload_once().await;
                endpoint.1 = Instant::now();
            }
        }
        &self.client
    }
}

impl TimestreamTable {
    /// The table of these names; nothing is connected yet.
    #[must_use]
    pub fn new(clients: Clients, database: String, table: String) -> Self {
        Self { clients, database, table, connection: OnceCell::new() }
    }

    /// Writes records of one series of attributes.
    async fn write(&self, client: &Client, common: &Record, records: &[Record]) -> Result<(), PortError> {
        let call = client
            .write_records()
            .database_name(&self.database)
            .table_name(&self.table)
            .common_attributes(common.clone())
            .set_records(Some(records.to_vec()));
        let Err(error) = call.send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(WriteRecordsError::RejectedRecordsException(rejected)) => {
                refusal(rejected.rejected_records(), records)
            }
            _ => Err(port_error("write records", &error)),
        }
    }
}

/// What rejected records mean: nothing where a record of their version, or a newer
/// one, is there. The others of the call have been written.
fn refusal(rejected: &[RejectedRecord], records: &[Record]) -> Result<(), PortError> {
    let is_known = |rejected: &&RejectedRecord| {
        let place = usize::try_from(rejected.record_index()).ok();
        let own = place.and_then(|place| records.get(place)).and_then(|record| record.version);
        own.zip(rejected.existing_version()).is_some_and(|(own, existing)| existing >= own)
    };
    let (known, wrong): (Vec<_>, Vec<_>) = rejected.iter().partition(is_known);
    if !known.is_empty() {
        tracing::info!(records = known.len(), "newer time series are there");
    }
    tracing::trace!(target: MEASURES, series_records_rejected = wrong.len());
    match wrong.first() {
        None if rejected.is_empty() => Err(PortError::permanent("write records: rejected without a reason")),
        None => Ok(()),
        Some(first) => {
            let reason = first.reason().unwrap_or("no reason");
            Err(PortError::permanent(format!("write records: {} rejected: {reason}", wrong.len())))
        }
    }
}

fn dimension(name: &str, value: &str) -> Result<Dimension, PortError> {
    Dimension::builder()
        .name(name)
        .value(value)
        .build()
        .map_err(|error| PortError::permanent(error.to_string()))
}

/// What all records of one entity's results share.
fn common(record: &SeriesRecord) -> Result<Record, PortError> {
    let common = Record::builder()
        .dimensions(dimension("entity_type", record.entity.entity_type.word())?)
        .dimensions(dimension("entity_id", record.entity.entity_id.as_str())?)
        .dimensions(dimension("client_id", record.entity.client_id.as_str())?)
        .dimensions(dimension("calculation_method", record.calculation_method.word())?)
        .dimensions(dimension("request_id", &record.request_id)?)
        .measure_value_type(MeasureValueType::Double)
        .time_unit(TimeUnit::Seconds);
    Ok(common.build())
}

/// One record for each figure.
fn figures(record: &SeriesRecord) -> Result<Vec<Record>, PortError> {
    let time = record.date.and_time(NaiveTime::MIN).and_utc().timestamp().to_string();
    let version = i64::try_from(record.version).unwrap_or(i64::MAX);
    let window = dimension("time_period", record.time_period.word())?;
    let figure = |(metric, figure): &(perf_core::model::Metric, perf_core::number::Rounded)| {
        Record::builder()
            .dimensions(window.clone())
            .measure_name(metric.word())
            .measure_value(figure.to_string())
            .time(&time)
            .version(version)
            .build()
    };
    Ok(record.figures.iter().map(figure).collect())
}

#[async_trait]
impl TimeSeriesWriter for TimestreamTable {
    async fn write_series(&self, records: &[SeriesRecord]) -> Result<(), PortError> {
        if records.is_empty() {
            return Ok(());
        }
        let connection = self.connection.get_or_try_init(|| Connection::open(&self.clients)).await?;
        let client = connection.client().await;
        let is_alike = |one: &SeriesRecord, other: &SeriesRecord| {
            one.entity == other.entity
                && one.calculation_method == other.calculation_method
                && one.request_id == other.request_id
        };
        // What one call rejects does not keep the others from being made.
        let mut outcome = Ok(());
        for alike in records.chunk_by(is_alike) {
            let Some(first) = alike.first() else { continue };
            let common = common(first)?;
            let figures = alike.iter().map(figures).collect::<Result<Vec<_>, _>>()?.concat();
            for part in figures.chunks(RECORDS_MAX) {
                outcome = self.write(client, &common, part).await.and(outcome);
            }
        }
        outcome
    }
}
