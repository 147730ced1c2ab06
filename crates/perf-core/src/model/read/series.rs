//! Rows of dates and numbers, as given: some of them may be unreadable.

use chrono::NaiveDate;

use crate::model::{CashFlow, Dated, MAX_CASH_FLOWS, MAX_IRR_FLOWS, MAX_VALUATIONS, TimeSeries, Timing};
use crate::number::Exact;

use super::json::Fields;

/// Where a series stands in a request, and what its rows and columns are called.
#[derive(Debug)]
pub(super) struct Shape {
    /// JSON pointer to the series.
    pub(super) pointer: &'static str,
    /// Fields of one row; the second required one is the number.
    pub(super) row: Fields,
    /// Fields of the column layout, without the dates; the numbers under any
    /// of the names.
    pub(super) columns: Fields,
    /// Name of the number in a row.
    pub(super) value: &'static str,
    /// Most rows.
    pub(super) limit: usize,
}

const ROW: Fields = Fields { required: &["date", "value"], optional: &[] };
const COLUMNS: Fields = Fields { required: &["dates"], optional: &["values"] };

const fn series_at(pointer: &'static str) -> Shape {
    Shape { pointer, row: ROW, columns: COLUMNS, value: "value", limit: MAX_VALUATIONS }
}

pub(super) static VALUATIONS: Shape = series_at("/valuations");
pub(super) static RETURNS: Shape = series_at("/returns");
pub(super) static BENCHMARK_VALUES: Shape = series_at("/benchmark/values");
pub(super) static BENCHMARK_RETURNS: Shape = series_at("/benchmark/returns");
pub(super) static CASH_FLOWS: Shape = Shape {
    pointer: "/cash_flows",
    row: Fields { required: &["date", "amount"], optional: &["timing"] },
    columns: Fields { required: &["dates"], optional: &["amounts", "values", "timings"] },
    value: "amount",
    limit: MAX_CASH_FLOWS,
};
pub(super) static IRR_FLOWS: Shape = Shape {
    pointer: "/cash_flows",
    row: Fields { required: &["date", "amount"], optional: &[] },
    columns: Fields { required: &["dates"], optional: &["amounts", "values"] },
    value: "amount",
    limit: MAX_IRR_FLOWS,
};

/// One row, as far as it could be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) date: Option<NaiveDate>,
    pub(super) value: Option<Exact>,
    pub(super) timing: Option<Timing>,
}

/// How a series was written.
#[derive(Debug)]
pub(super) enum Layout {
    /// An array of objects.
    Rows,
    /// An object of arrays.
    Columns,
    /// A CSV file.
    File {
        /// Its name.
        name: String,
        /// The line of each row.
        lines: Vec<usize>,
    },
}

/// A series in document order.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) shape: &'static Shape,
    pub(super) layout: Layout,
    pub(super) rows: Vec<Row>,
    /// Whether `rows` holds every row that was given.
    pub(super) complete: bool,
}

impl Series {
    /// A series that was given but holds nothing readable.
    pub(super) fn unreadable(shape: &'static Shape) -> Self {
        Self { shape, layout: Layout::Rows, rows: Vec::new(), complete: false }
    }

    /// JSON pointer to a row's date.
    pub(super) fn date_pointer(&self, index: usize) -> String {
        match self.layout {
            Layout::Columns => format!("{}/dates/{index}", self.shape.pointer),
            Layout::Rows | Layout::File { .. } => format!("{}/{index}/date", self.shape.pointer),
        }
    }

    /// JSON pointer to a row's number.
    pub(super) fn value_pointer(&self, index: usize) -> String {
        match self.layout {
            Layout::Columns => format!("{}/{}s/{index}", self.shape.pointer, self.shape.value),
            Layout::Rows | Layout::File { .. } => {
                format!("{}/{index}/{}", self.shape.pointer, self.shape.value)
            }
        }
    }

    /// The file in brackets, where there is one.
    pub(super) fn source(&self) -> String {
        match &self.layout {
            Layout::File { name, .. } => format!(" ({name})"),
            Layout::Rows | Layout::Columns => String::new(),
        }
    }

    /// A row's file and line in brackets, where there is a file.
    pub(super) fn origin(&self, index: usize) -> String {
        match &self.layout {
            Layout::File { name, lines } => {
                let line = lines.get(index).copied().unwrap_or_default();
                format!(" ({name} line {line})")
            }
            Layout::Rows | Layout::Columns => String::new(),
        }
    }

    /// The first and the last date, where every date could be read.
    pub(super) fn span(&self) -> Option<(NaiveDate, NaiveDate)> {
        if !self.complete {
            return None;
        }
        let mut span = None;
        for row in &self.rows {
            let date = row.date?;
            let (first, last) = span.unwrap_or((date, date));
            span = Some((date.min(first), date.max(last)));
        }
        span
    }

    /// The readable rows, in date order.
    pub(super) fn into_dated(self) -> Vec<Dated> {
        self.sorted().filter_map(dated).collect()
    }

    /// The same, as columns.
    pub(super) fn into_time_series(self) -> TimeSeries {
        let room = self.rows.len();
        TimeSeries::with_room(room, self.sorted().filter_map(dated))
    }

    /// Rows in date order; those of one day keep their order.
    fn sorted(mut self) -> impl Iterator<Item = Row> {
        if !self.rows.is_sorted_by_key(|row| row.date) {
            self.rows.sort_by_key(|row| row.date);
        }
        self.rows.into_iter()
    }

    /// The readable rows as flows in date order; those of one day keep their order.
    pub(super) fn into_flows(self) -> Vec<CashFlow> {
        let flow = |row: Row| Some(CashFlow { date: row.date?, amount: row.value?, timing: row.timing });
        self.sorted().filter_map(flow).collect()
    }
}

fn dated(row: Row) -> Option<Dated> {
    Some(Dated { date: row.date?, value: row.value? })
}
