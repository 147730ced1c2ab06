//! A series from JSON: an array of rows or an object of columns.

use chrono::NaiveDate;
use jiter::Peek;

use crate::model::Timing;
use crate::number::Exact;

use super::fault::Fault;
use super::json::{Parsed, Reader};
use super::series::{Layout, Row, Series, Shape};
use super::usual;

/// Reads a series in either layout.
pub(super) fn series(reader: &mut Reader<'_>, shape: &'static Shape) -> Parsed<Series> {
    match reader.peek()? {
        Peek::Array => rows(reader, shape),
        Peek::Object => columns(reader, shape),
        _ => {
            reader.wrong_type("an array of rows or an object of columns")?;
            Ok(Series::unreadable(shape))
        }
    }
}

fn rows(reader: &mut Reader<'_>, shape: &'static Shape) -> Parsed<Series> {
    let mut rows = Vec::new();
    let count = reader.runs(shape.limit, |reader, room| {
        let before = rows.len();
        reader.ahead(|text| usual::rows(text, shape.value, room, &mut rows));
        if rows.len() == before {
            rows.push(row(reader, shape)?);
        }
        Ok(rows.len() - before)
    })?;
    let complete = count == Some(rows.len());
    Ok(Series { shape, layout: Layout::Rows, rows, complete })
}

fn row(reader: &mut Reader<'_>, shape: &Shape) -> Parsed<Row> {
    let mut row = Row::default();
    reader.object(&shape.row, |reader, field| {
        match field {
            "date" => row.date = reader.date()?,
            "timing" => row.timing = reader.choice()?,
            _ => row.value = reader.decimal()?,
        }
        Ok(())
    })?;
    Ok(row)
}

/// One array of the column layout.
struct Column<T> {
    name: &'static str,
    /// The elements within the limit, as far as they could be read.
    items: Vec<Option<T>>,
    /// How many were given; `None` where the column is not an array.
    count: Option<usize>,
}

impl<T> Column<T> {
    fn read<'j>(
        reader: &mut Reader<'j>,
        name: &'static str,
        limit: usize,
        mut item: impl FnMut(&mut Reader<'j>) -> Parsed<Option<T>>,
    ) -> Parsed<Self> {
        let mut items = Vec::new();
        let count = reader.array(limit, |reader| {
            items.push(item(reader)?);
            Ok(())
        })?;
        Ok(Self { name, items, count })
    }
}

#[derive(Default)]
struct Columns {
    dates: Option<Column<NaiveDate>>,
    values: Option<Column<Exact>>,
    timings: Option<Column<Timing>>,
}

fn columns(reader: &mut Reader<'_>, shape: &'static Shape) -> Parsed<Series> {
    let mut columns = Columns::default();
    reader.object(&shape.columns, |reader, field| columns.read(reader, field, shape.limit))?;
    if columns.values.is_none() {
        reader.missing(&format!("{}s", shape.value));
    }
    let complete = columns.same_lengths(reader);
    Ok(Series { shape, layout: Layout::Columns, rows: columns.into_rows(), complete })
}

impl Columns {
    fn read(&mut self, reader: &mut Reader<'_>, field: &'static str, limit: usize) -> Parsed<()> {
        match (field, &self.values) {
            ("dates", _) => self.dates = Some(Column::read(reader, field, limit, Reader::date)?),
            ("timings", _) => {
                let timing = |reader: &mut Reader<'_>| reader.optional(Reader::choice);
                self.timings = Some(Column::read(reader, field, limit, timing)?);
            }
            (_, None) => self.values = Some(Column::read(reader, field, limit, Reader::decimal)?),
            (_, Some(other)) => {
                let message = format!("expected either {} or {field}: remove one of them", other.name);
                reader.skip()?;
                reader.fail(Fault::new("conflicting_fields", message));
            }
        }
        Ok(())
    }

    /// Whether every column is there, whole and as long as the dates.
    fn same_lengths(&self, reader: &mut Reader<'_>) -> bool {
        let (Some(dates), Some(values)) = (&self.dates, &self.values) else {
            return false;
        };
        let Some(rows) = dates.count else {
            return false;
        };
        let timings = self.timings.as_ref().map(|column| (column.name, column.count));
        let mut same = rows == dates.items.len();
        for (name, count) in [(values.name, values.count)].into_iter().chain(timings) {
            same &= count == Some(rows);
            if let Some(count) = count.filter(|count| *count != rows) {
                reader.fail_at(name, "length_mismatch", || {
                    format!("expected one item for each of the {rows} dates, not {count}")
                });
            }
        }
        same
    }

    fn into_rows(self) -> Vec<Row> {
        let dates = self.dates.map(|column| column.items).unwrap_or_default();
        let values = self.values.map(|column| column.items).unwrap_or_default();
        let mut timings = self.timings.map(|column| column.items).unwrap_or_default().into_iter();
        let rows = dates.into_iter().zip(values);
        rows.map(|(date, value)| Row { date, value, timing: timings.next().flatten() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{accepted, refuses};

    #[test]
    fn columns_are_the_same_as_rows() {
        let rows = accepted(
            r#""valuations": [{"date": "2023-01-01", "value": 1}, {"date": "2023-02-01", "value": 2}],
            "cash_flows": [{"date": "2023-01-01", "amount": 3, "timing": "mid_day"}, {"date": "2023-01-05", "amount": 4}],
            "benchmark": {"returns": [{"date": "2023-02-01", "value": "0.5"}]}"#,
        );
        for name in ["amounts", "values"] {
            let columns = accepted(&format!(
                r#""valuations": {{"values": [2, 1], "dates": ["2023-02-01", "2023-01-01"]}},
                "cash_flows": {{"dates": ["2023-01-05", "2023-01-01"], "timings": [null, "mid_day"], "{name}": [4, "3"]}},
                "benchmark": {{"returns": {{"dates": ["2023-02-01"], "values": [0.5]}}}}"#
            ));
            assert_eq!(columns, rows);
        }
        let returns = r#""returns": {"dates": ["2023-02-01"], "values": [0.5]}"#;
        assert_eq!(accepted(returns), accepted(r#""returns": [{"date": "2023-02-01", "value": 0.5}]"#));
    }

    #[test]
    fn flows_of_one_day_keep_their_order() {
        let text = r#""valuations": {"dates": ["2023-01-01", "2023-02-01"], "values": [1, 2]},
            "cash_flows": {"dates": ["2023-01-05", "2023-01-02", "2023-01-05"], "amounts": [3, 1, 2]}"#;
        let crate::model::Data::Valuations { cash_flows, .. } = accepted(text).data else {
            panic!("valuations")
        };
        let amounts: Vec<_> = cash_flows.iter().map(|flow| flow.amount.to_string()).collect();
        assert_eq!(amounts, ["1", "3", "2"]);
    }

    #[test]
    fn columns_point_into_themselves() {
        refuses(
            r#""valuations": {"dates": ["2023-01-01", "2023-01-01", "x", null], "values": [1, null, "y", 2]}"#,
            &[
                ("/valuations/dates/2", "not_a_date"),
                ("/valuations/dates/3", "not_a_date"),
                ("/valuations/values/1", "not_a_decimal"),
                ("/valuations/values/2", "not_a_decimal"),
                ("/valuations/dates/1", "duplicate_date"),
            ],
        );
    }

    #[test]
    fn columns_of_different_length_or_none() {
        refuses(
            r#""valuations": {"dates": ["2023-01-01", "2023-01-02"], "values": [1]}"#,
            &[("/valuations/values", "length_mismatch")],
        );
        refuses(
            r#""valuations": {"dates": ["2023-01-01", "2023-01-02"], "values": [1, 2]},
            "cash_flows": {"amounts": [1, 2], "timings": [null], "dates": ["2023-01-01"]}"#,
            &[("/cash_flows/amounts", "length_mismatch")],
        );
        refuses(
            r#""valuations": {"dates": ["2023-01-01"]}, "cash_flows": {"timings": [], "values": null}"#,
            &[
                ("/valuations/values", "missing_field"),
                ("/cash_flows/dates", "missing_field"),
                ("/cash_flows/amounts", "missing_field"),
            ],
        );
        refuses(
            r#""valuations": {"dates": 1, "values": {}}, "cash_flows": {"dates": [], "values": [], "amounts": []}"#,
            &[
                ("/valuations/dates", "wrong_type"),
                ("/valuations/values", "wrong_type"),
                ("/cash_flows/amounts", "conflicting_fields"),
            ],
        );
    }

    #[test]
    fn long_columns_stop_at_the_bound() {
        let zeros = vec!["0"; crate::model::MAX_VALUATIONS + 1].join(",");
        refuses(
            &format!(r#""valuations": {{"values": [{zeros}]}}"#),
            &[("/valuations/values", "too_many_items"), ("/valuations/dates", "missing_field")],
        );
    }
}
