//! One CSV file of rows, as a series.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::csv::CsvFile;
use super::errors::Errors;
use super::fault::{self, Fault, quoted};
use super::json::check_utf8;
use super::series::{Layout, Row, Series, Shape};

/// Cells are trimmed where they are read: trimming whole records would copy each.
fn records(text: &[u8]) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().flexible(true).trim(Trim::Headers).from_reader(text)
}

/// Whether the file has a column of this name.
pub(super) fn has_column(file: CsvFile<'_>, name: &str) -> bool {
    records(file.text).headers().is_ok_and(|header| header.iter().any(|column| column == name))
}

/// Reads a file of rows; `value` is the name of its column of numbers.
pub(super) fn table(
    file: CsvFile<'_>,
    shape: &'static Shape,
    value: &'static str,
    errors: &mut Errors,
) -> Series {
    let layout = Layout::File { name: file.name.to_owned(), lines: Vec::new() };
    let mut table = Table {
        series: Series { layout, ..Series::unreadable(shape) },
        columns: Vec::new(),
        names: if shape.row.optional.is_empty() {
            vec!["date", value]
        } else {
            vec!["date", value, "timing"]
        },
        errors,
    };
    match check_utf8(file.text) {
        Ok(()) if has_open_quote(file.text) => {
            table.fail("malformed_csv", "expected every quote to be closed".to_owned());
        }
        Ok(()) => table.read(file.text),
        Err(problem) => table.fail("malformed_csv", problem.detail),
    }
    table.series
}

/// Whether the file ends inside a quoted cell, as one cut short does.
fn has_open_quote(text: &[u8]) -> bool {
    text.iter().filter(|byte| **byte == b'"').count() % 2 == 1
}

/// A file being read.
struct Table<'e> {
    series: Series,
    /// The name of each column.
    columns: Vec<&'static str>,
    /// The names that a column may have; all but `timing` are required.
    names: Vec<&'static str>,
    errors: &'e mut Errors,
}

impl Table<'_> {
    fn read(&mut self, text: &[u8]) {
        let mut records = records(text);
        let header = records.headers().cloned().unwrap_or_default();
        self.series.complete = true;
        if !self.header(&header) {
            return;
        }
        let mut record = StringRecord::new();
        loop {
            match records.read_record(&mut record) {
                Ok(false) => return,
                Ok(true) if is_blank(&record) => {}
                Ok(true) if self.series.rows.len() >= self.series.shape.limit => return self.too_many(),
                Ok(true) => self.row(&record, line(text, &record)),
                Err(_) => return self.fail("malformed_csv", "expected comma-separated values".to_owned()),
            }
        }
    }

    /// Notes what is wrong with the file as a whole; its rows then say nothing.
    fn fail(&mut self, code: &'static str, message: String) {
        self.series.complete = false;
        let message = message + &self.series.source();
        self.errors.add(self.series.shape.pointer, Fault::new(code, message));
    }

    fn too_many(&mut self) {
        let limit = self.series.shape.limit;
        self.fail("too_many_items", format!("expected at most {limit} rows: split the file"));
    }

    /// Takes the columns' names; answers whether they are as they must be.
    fn header(&mut self, record: &StringRecord) -> bool {
        let names = self.names.join(",");
        for text in record {
            match self.names.iter().find(|name| **name == text) {
                Some(name) if self.columns.contains(name) => {
                    self.fail("duplicate_field", format!("expected the column {name} only once"));
                }
                Some(name) => self.columns.push(name),
                None => {
                    self.fail("unknown_field", format!("expected the columns {names}, not {}", quoted(text)));
                }
            }
        }
        for name in self.names.clone() {
            if name != "timing" && !self.columns.contains(&name) {
                self.fail("missing_field", format!("expected the columns {names}: {name} is missing"));
            }
        }
        self.series.complete
    }

    fn row(&mut self, record: &StringRecord, line: usize) {
        if let Layout::File { lines, .. } = &mut self.series.layout {
            lines.push(line);
        }
        let index = self.series.rows.len();
        let mut row = Row::default();
        if record.len() == self.columns.len() {
            for (position, cell) in record.iter().enumerate() {
                self.cell(&mut row, index, position, cell.trim());
            }
        } else {
            let message = format!("expected {} columns, not {}", self.columns.len(), record.len());
            let pointer = format!("{}/{index}", self.series.shape.pointer);
            self.fault(pointer, index, Fault::new("length_mismatch", message));
        }
        self.series.rows.push(row);
    }

    fn cell(&mut self, row: &mut Row, index: usize, position: usize, cell: &str) {
        let column = self.columns.get(position).copied().unwrap_or_default();
        let result = match column {
            "date" => fault::date(cell).map(|date| row.date = Some(date)),
            "timing" if cell.is_empty() => Ok(()),
            "timing" => fault::word(cell).map(|timing| row.timing = Some(timing)),
            _ => fault::decimal(cell).map(|value| row.value = Some(value)),
        };
        if let Err(fault) = result {
            let shape = self.series.shape;
            let field = if ["date", "timing"].contains(&column) { column } else { shape.value };
            self.fault(format!("{}/{index}/{field}", shape.pointer), index, fault);
        }
    }

    fn fault(&mut self, pointer: String, index: usize, fault: Fault) {
        let message = fault.message + &self.series.origin(index);
        self.errors.add(pointer, Fault::new(fault.code, message));
    }
}

fn is_blank(record: &StringRecord) -> bool {
    record.len() == 1 && record.iter().all(|cell| cell.trim().is_empty())
}

/// The line that a record begins on. The position that comes with it may lie
/// on line ends and blank lines before it.
fn line(text: &[u8], record: &StringRecord) -> usize {
    let Some(position) = record.position() else {
        return 0;
    };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let before = text.get(start..).unwrap_or_default().iter().take_while(|byte| b"\r\n".contains(byte));
    let skipped = before.filter(|byte| **byte == b'\n').count();
    usize::try_from(position.line()).unwrap_or(usize::MAX).saturating_add(skipped)
}
