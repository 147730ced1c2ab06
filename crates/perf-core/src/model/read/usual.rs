//! Rows as they are usually written, read straight from the text.
//!
//! Whatever else the text holds is left to the general reader, which goes on at
//! the first row that looks different: nothing is judged here.

use chrono::NaiveDate;

use crate::number::Exact;

use super::series::Row;

/// More digits may not fit 64 bits.
const MAX_DIGITS: u32 = 18;
/// Most rows that room is made for before they are seen.
const MAX_ROWS_AHEAD: usize = 2_048;

/// Reads up to `room` rows `{"date":"2023-01-01","value":"123.45"}` from the
/// start of a text, with any white space and the number as a string or not.
/// Answers where the last of them ends: 0 where there is none.
pub(super) fn rows(text: &[u8], value: &str, room: usize, rows: &mut Vec<Row>) -> usize {
    // Names that the compiler knows are compared in one step.
    match value {
        "value" => rows_of(text, b"\"value\"", room, rows),
        "amount" => rows_of(text, b"\"amount\"", room, rows),
        _ => 0,
    }
}

#[inline(always)]
fn rows_of(text: &[u8], value: &[u8], room: usize, rows: &mut Vec<Row>) -> usize {
    let (mut rest, mut end) = (text, 0);
    for _ in 0..room {
        let Some((row, after)) = row(rest, value) else { break };
        if rows.capacity() == 0 {
            let length = text.len() - after.len();
            rows.reserve((text.len() / length.max(1)).min(room).min(MAX_ROWS_AHEAD));
        }
        rows.push(row);
        end = text.len() - after.len();
        let Some(next) = after_token(after, b",") else { break };
        rest = next;
    }
    end
}

#[inline(always)]
fn row<'t>(text: &'t [u8], value: &[u8]) -> Option<(Row, &'t [u8])> {
    let text = after_token(text, b"{")?;
    let text = after_token(text, b"\"date\"")?;
    let text = after_token(text, b":")?;
    let (date, text) = day(after_space(text))?;
    let text = after_token(text, b",")?;
    let text = after_token(text, value)?;
    let text = after_token(text, b":")?;
    let (value, text) = number(after_space(text))?;
    let text = after_token(text, b"}")?;
    Some((Row { date: Some(date), value: Some(value), timing: None }, text))
}

#[inline(always)]
fn after_space(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

#[inline(always)]
fn after_token<'t>(text: &'t [u8], token: &[u8]) -> Option<&'t [u8]> {
    after_space(text).strip_prefix(token)
}

/// A string that is an existing day.
#[inline(always)]
fn day(text: &[u8]) -> Option<(NaiveDate, &[u8])> {
    let [b'"', y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'"', rest @ ..] = text else {
        return None;
    };
    let digits = [*y1, *y2, *y3, *y4, *m1, *m2, *d1, *d2].map(|byte| byte.wrapping_sub(b'0'));
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let [y1, y2, y3, y4, m1, m2, d1, d2] = digits.map(u32::from);
    let year = i32::try_from(y1 * 1_000 + y2 * 100 + y3 * 10 + y4).ok().filter(|year| *year > 0)?;
    Some((NaiveDate::from_ymd_opt(year, m1 * 10 + m2, d1 * 10 + d2)?, rest))
}

/// A short number without an exponent, as a string or as JSON writes numbers.
#[inline(always)]
fn number(text: &[u8]) -> Option<(Exact, &[u8])> {
    match text {
        [b'"', rest @ ..] => {
            let (value, rest) = decimal(rest)?;
            Some((value, rest.strip_prefix(b"\"")?))
        }
        _ => {
            let digits = text.strip_prefix(b"-").unwrap_or(text);
            let (value, rest) = decimal(text)?;
            let written = text.get(..text.len() - rest.len())?;
            let no_json = match digits {
                [b'0', b'0'..=b'9', ..] | [b'.', ..] => true,
                _ => written.ends_with(b"."),
            };
            (!no_json).then_some((value, rest))
        }
    }
}

/// Digits with at most one point.
#[inline(always)]
fn decimal(text: &[u8]) -> Option<(Exact, &[u8])> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (whole, count, mut rest) = digits(text, 0, 0)?;
    let (mut value, mut places) = (whole, 0);
    if let [b'.', fraction @ ..] = rest {
        let (all, total, after) = digits(fraction, whole, count)?;
        (value, places, rest) = (all, total - count, after);
    }
    if count + places == 0 {
        return None;
    }
    Some((Exact::new(if negative { -value } else { value }, places), rest))
}

/// Appends digits to a number; answers it, how many digits it has, and what follows.
#[inline(always)]
fn digits(mut text: &[u8], mut value: i64, mut count: u32) -> Option<(i64, u32, &[u8])> {
    while let [byte @ b'0'..=b'9', rest @ ..] = text {
        value = value.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
        count += 1;
        text = rest;
    }
    (count <= MAX_DIGITS).then_some((value, count, text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::request;
    use super::super::{calculation, fault};
    use super::*;

    fn read(text: &str) -> (Vec<Row>, usize) {
        let mut found = Vec::new();
        let end = rows(text.as_bytes(), "value", 100, &mut found);
        (found, end)
    }

    #[test]
    fn reads_up_to_what_looks_different() {
        for (text, count, end) in [
            (r#"{"date":"2023-01-01","value":"1.50"}]"#, 1, 36),
            (r#"{"date":"2023-01-01","value":-1.5} , {"date":"2023-01-02","value":"-1"},5]"#, 2, 71),
            ("\n{ \"date\" :\t\"2023-01-01\" , \"value\"\r: 0 }", 1, 40),
            (r#"{"value":1,"date":"2023-01-01"}"#, 0, 0),
            (r#"{"date":"2023-01-01","value":"1","more":2}"#, 0, 0),
            (r#"{"date":"2023-02-29","value":"1"}"#, 0, 0),
            (r#"{"date":"0000-01-01","value":"1"}"#, 0, 0),
            (r#"{"date":"2023-01-01","amount":"1"}"#, 0, 0),
            ("", 0, 0),
        ] {
            let (found, at) = read(text);
            assert_eq!((found.len(), at), (count, end), "{text}");
        }
        let mut found = Vec::new();
        let row = r#"{"date":"2023-01-01","amount":"1"}"#;
        assert_eq!(rows(format!("{row},{row}").as_bytes(), "amount", 1, &mut found), row.len());
        assert_eq!(rows(row.as_bytes(), "amount", 0, &mut found), 0);
    }

    #[test]
    fn leaves_every_other_number_to_the_general_reader() {
        for number in ["01", "-01", ".5", "-.5", "1.", "1e3", "+1", "-", "1234567890123456789", "NaN", "1_0"]
        {
            assert_eq!(read(&format!(r#"{{"date":"2023-01-01","value":{number}}}"#)).1, 0, "{number}");
        }
        for text in ["", "-", ".", "1e3", "+1", "1.2.3", "0.1234567890123456789", " 1", "1 ", "1\\u0030"] {
            assert_eq!(read(&format!(r#"{{"date":"2023-01-01","value":"{text}"}}"#)).1, 0, "{text}");
        }
    }

    proptest! {
        #[test]
        fn values_are_those_of_the_general_reader(text in "-?[0-9]{0,12}(\\.[0-9]{0,8})?", quoted in any::<bool>()) {
            let value = if quoted { format!("\"{text}\"") } else { text.clone() };
            let (found, _) = read(&format!(r#"{{"date":"2023-01-01","value":{value}}}"#));
            if let [row] = found.as_slice() {
                let general = fault::decimal(&text).map_err(|fault| TestCaseError::fail(fault.message))?;
                let found = row.value.as_ref().expect("a value");
                prop_assert_eq!((found.mantissa(), found.scale()), (general.mantissa(), general.scale()));
            }
        }

        /// A member that comes first turns every row into one for the general reader.
        #[test]
        fn requests_read_either_way_are_equal(
            rows in prop::collection::vec(("20[0-9]{2}-[0-1][0-9]-[0-3][0-9]", "-?[0-9]{0,20}(\\.[0-9]{0,8})?", any::<bool>()), 1..6),
            space in "[ \n\t]{0,2}",
        ) {
            let value = |text: &str, quoted: bool| if quoted { format!("\"{text}\"") } else { text.to_owned() };
            let text = |row: &dyn Fn(&str, &str) -> String| {
                let rows: Vec<_> = rows.iter().map(|(date, number, quoted)| row(date, &value(number, *quoted))).collect();
                request(&format!("\"valuations\": [{}]", rows.join(",")))
            };
            let usual = text(&|date, value| format!("{space}{{\"date\":{space}\"{date}\",\"value\":{value}{space}}}{space}"));
            let other = text(&|date, value| format!("{{\"value\":{value},\"date\":\"{date}\"}}"));
            let [usual, other] = [usual, other].map(|text| calculation(text.as_bytes()));
            match (usual, other) {
                (Err(usual), Err(other)) => {
                    let sorted = |mut errors: Vec<crate::model::FieldError>| {
                        errors.sort_by(|a, b| (&a.pointer, a.code).cmp(&(&b.pointer, b.code)));
                        errors
                    };
                    prop_assert_eq!((usual.status, usual.code), (other.status, other.code));
                    prop_assert_eq!(sorted(usual.errors), sorted(other.errors));
                }
                (usual, other) => prop_assert_eq!(usual, other),
            }
        }
    }
}
