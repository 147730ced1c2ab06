use super::*;
use crate::model::{Data, EntityType, LedgerMonth};

const JANUARY: u32 = 1_704_067_200;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn valuations(put_at_seconds: u32, rows: &[(&str, i64)]) -> LedgerFile {
    let dated: Vec<Dated> =
        rows.iter().map(|(date, value)| Dated { date: day(date), value: (*value).into() }).collect();
    LedgerFile::new(
        "valuations.csv",
        format!("{rows:?}").as_bytes(),
        put_at_seconds,
        FileRows::Valuations(dated),
    )
}

fn flows(name: &str, put_at_seconds: u32, rows: &[(&str, i64)]) -> LedgerFile {
    let flows: Vec<CashFlow> = rows.iter().map(|(date, amount)| CashFlow::new(day(date), *amount)).collect();
    LedgerFile::new(name, format!("{rows:?}").as_bytes(), put_at_seconds, FileRows::Flows(flows))
}

fn take(ledger: &mut Ledger, file: &LedgerFile) -> usize {
    let statements = ledger.statements(file).expect("no conflict");
    let count = statements.len();
    for statement in statements {
        ledger.merge(statement).expect("no conflict");
    }
    count
}

fn content(ledger: &Ledger) -> (Vec<String>, Vec<String>) {
    let Data::Valuations { valuations, cash_flows } = ledger.data(EntityType::Portfolio) else {
        panic!("valuations")
    };
    let values = valuations.view().iter().map(|row| format!("{} {}", row.date, row.value)).collect();
    (values, cash_flows.iter().map(|flow| format!("{} {}", flow.date, flow.amount)).collect())
}

#[test]
fn the_same_file_again_changes_nothing() {
    let mut ledger = Ledger::default();
    let file = flows("flows.csv", JANUARY, &[("2023-02-15", 5), ("2023-02-15", 5), ("2023-03-01", -2)]);
    assert_eq!(take(&mut ledger, &file), 4);
    let before = content(&ledger);
    assert_eq!(before.1, ["2023-02-15 5", "2023-02-15 5", "2023-03-01 -2"]);
    assert_eq!(take(&mut ledger, &file), 0);
    // Put again later: only its mark is new.
    let later = flows("flows.csv", JANUARY + 9, &[("2023-02-15", 5), ("2023-02-15", 5), ("2023-03-01", -2)]);
    assert_eq!(take(&mut ledger, &later), 1);
    assert_eq!(content(&ledger), before);
}

#[test]
fn a_corrected_file_corrects() {
    let mut ledger = Ledger::default();
    take(&mut ledger, &valuations(JANUARY, &[("2023-01-31", 100), ("2023-02-28", 110)]));
    take(&mut ledger, &valuations(JANUARY + 1, &[("2023-02-28", 111), ("2023-03-31", 120)]));
    assert_eq!(content(&ledger).0, ["2023-01-31 100", "2023-02-28 111", "2023-03-31 120"]);
    let mut put = |name: &str, seconds, rows: &[(&str, i64)]| {
        take(&mut ledger, &flows(name, JANUARY + seconds, rows));
        content(&ledger).1
    };
    put("flows.csv", 0, &[("2023-01-05", 1), ("2023-02-05", 2), ("2023-02-05", 3), ("2023-03-05", 4)]);
    put("flows-2.csv", 0, &[("2023-02-05", 7)]);
    // One of two flows of a day is gone, the other one is another; what lies
    // outside of the file's dates, and other files, are left alone.
    let corrected = put("flows.csv", 1, &[("2023-02-05", 9), ("2023-02-20", -1)]);
    assert_eq!(corrected, ["2023-01-05 1", "2023-02-05 7", "2023-02-05 9", "2023-02-20 -1", "2023-03-05 4"]);
    // And back to the first content, put a third time.
    let back =
        put("flows.csv", 2, &[("2023-01-05", 1), ("2023-02-05", 2), ("2023-02-05", 3), ("2023-03-05", 4)]);
    assert_eq!(back, ["2023-01-05 1", "2023-02-05 7", "2023-02-05 2", "2023-02-05 3", "2023-03-05 4"]);
}

#[test]
fn an_older_upload_that_comes_later_changes_nothing() {
    let mut ledger = Ledger::default();
    let first = valuations(JANUARY, &[("2023-01-31", 100)]);
    let second = valuations(JANUARY + 1, &[("2023-01-31", 101)]);
    take(&mut ledger, &second);
    assert_eq!(take(&mut ledger, &first), 0);
    assert_eq!(content(&ledger).0, ["2023-01-31 101"]);
}

#[test]
fn a_redelivered_file_does_not_undo_a_correction_by_event() {
    let mut ledger = Ledger::default();
    let file = valuations(JANUARY, &[("2023-01-31", 100)]);
    take(&mut ledger, &file);
    let valuation = Some(Valuation { value: 105.into(), currency: Some("EUR".parse().expect("a currency")) });
    let correction = ValuationEntry { date: day("2023-01-31"), revision: 1, valuation };
    ledger.merge_valuation(correction).expect("no conflict");
    take(&mut ledger, &file);
    assert_eq!(content(&ledger).0, ["2023-01-31 105"]);
    // A later upload is a statement of its own, in the currency that is known.
    take(&mut ledger, &valuations(JANUARY + 1, &[("2023-01-31", 107)]));
    let month = ledger.changed_months().into_iter().find(|month| month.month == "2023-01");
    let entry = month.expect("the month").valuations[0].clone();
    assert_eq!((entry.revision, entry.valuation.expect("a value").currency.is_some()), (2, true));
}

#[test]
fn marks_are_stored_by_the_year_of_their_upload() {
    let mut ledger = Ledger::default();
    take(&mut ledger, &valuations(JANUARY, &[("2023-01-31", 100)]));
    let months = ledger.changed_months();
    let names: Vec<&str> = months.iter().map(|month| month.month.as_str()).collect();
    assert_eq!(names, ["2023-01", "files-2024"]);
    let text = serde_json::to_string(&months[1]).expect("JSON");
    let read: LedgerMonth = crate::model::read::ledger_month(text.as_bytes()).expect("a month");
    let mut ledger = Ledger::new(vec![months[0].clone(), read]);
    assert_eq!(take(&mut ledger, &valuations(JANUARY, &[("2023-01-31", 100)])), 0);
    // The same content a year later: the mark moves.
    take(&mut ledger, &valuations(JANUARY + 400 * 86_400, &[("2023-01-31", 100)]));
    let months: Vec<(String, usize)> =
        ledger.changed_months().into_iter().map(|month| (month.month, month.transactions.len())).collect();
    assert_eq!(months, [("files-2024".to_owned(), 0), ("files-2025".to_owned(), 1)]);
}
