//! A JSON reader that notes what is wrong with a value, steps over it and
//! goes on. No value is built, and no digit passes through a float.

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, LinePosition, Peek};

use crate::model::{FieldError, Problem};

use super::errors::{Errors, Step, escaped, pointer};
use super::fault::Fault;

/// A step of reading; fails only where the text is not JSON.
pub(super) type Parsed<T> = Result<T, JiterError>;

/// The fields of an object, at most 64.
#[derive(Debug)]
pub(super) struct Fields {
    /// Fields that must be given, `null` not being a value.
    pub(super) required: &'static [&'static str],
    /// Fields that may be absent or `null`.
    pub(super) optional: &'static [&'static str],
}

impl Fields {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }

    fn key(&self, text: &str) -> Key {
        match self.names().enumerate().find(|(_, name)| *name == text) {
            Some((index, name)) => Key::Known(index, name),
            None => Key::Unknown(escaped(text)),
        }
    }
}

enum Key {
    Known(usize, &'static str),
    Unknown(String),
}

/// Why a text is not JSON; nothing of the text itself.
fn reason(stop: &JiterError) -> String {
    use JsonErrorType::{
        EofWhileParsingList, EofWhileParsingObject, EofWhileParsingString, EofWhileParsingValue,
        RecursionLimitExceeded,
    };
    match &stop.error_type {
        JiterErrorType::JsonError(RecursionLimitExceeded) => "nested too deeply".to_owned(),
        JiterErrorType::JsonError(
            EofWhileParsingList | EofWhileParsingObject | EofWhileParsingString | EofWhileParsingValue,
        ) => "the text ends inside a value".to_owned(),
        other => other.to_string(),
    }
}

/// Reads one document.
pub(super) struct Reader<'j> {
    text: &'j [u8],
    /// Where `json` begins in the text.
    start: usize,
    json: Jiter<'j>,
    path: Vec<Step>,
    errors: Errors,
}

/// Refuses what is not UTF-8: the JSON reader does not look into strings that it steps over.
pub(super) fn check_utf8(text: &[u8]) -> Result<(), Problem> {
    std::str::from_utf8(text).map(drop).map_err(|error| {
        let position = LinePosition::find(text, error.valid_up_to());
        Problem::malformed(format!("expected UTF-8 text at {position}"))
    })
}

/// The text without the byte order mark that some editors put in front.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

impl<'j> Reader<'j> {
    /// Reads a whole document: one value and nothing after it.
    pub(super) fn document<T>(
        text: &'j [u8],
        read: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Result<(T, Errors), Problem> {
        check_utf8(text)?;
        let text = without_mark(text);
        let json = Jiter::new(text);
        let mut reader = Self { text, start: 0, json, path: Vec::new(), errors: Errors::default() };
        match read(&mut reader).and_then(|value| reader.json.finish().map(|()| value)) {
            Ok(value) => Ok((value, reader.errors)),
            Err(stop) => Err(reader.stopped(&stop)),
        }
    }

    fn stopped(mut self, stop: &JiterError) -> Problem {
        // Well-formed, but longer than the JSON reader follows: 4,300 integer digits.
        if stop.error_type == JiterErrorType::JsonError(JsonErrorType::NumberOutOfRange) {
            self.fail(Fault::new(
                "number_out_of_range",
                "expected a number of at most 28 significant digits",
            ));
            return self.errors.problem();
        }
        let position = LinePosition::find(self.text, self.start + stop.index);
        Problem::malformed(format!("{} at {position}", reason(stop)))
    }

    /// Hands what is still to be read to `read`, which answers how many bytes
    /// of it are done with: whole values, and the separators between them.
    pub(super) fn ahead(&mut self, read: impl FnOnce(&'j [u8]) -> usize) {
        let at = self.start + self.json.current_index();
        let done = read(self.text.get(at..).unwrap_or_default());
        if done > 0 {
            // The JSON reader keeps nothing but its place.
            self.start = at + done;
            self.json = Jiter::new(self.text.get(self.start..).unwrap_or_default());
        }
    }

    /// The kind of the next value.
    pub(super) fn peek(&mut self) -> Parsed<Peek> {
        self.json.peek()
    }

    /// The JSON text under the reader's hand.
    pub(super) fn json(&mut self) -> &mut Jiter<'j> {
        &mut self.json
    }

    /// Notes what is wrong at the present place.
    pub(super) fn fail(&mut self, fault: Fault) {
        let path = &self.path;
        self.errors.add_with(fault.code, || (pointer(path), fault.message));
    }

    /// Notes what is wrong at a field of the present place.
    pub(super) fn fail_at(&mut self, field: &str, code: &'static str, message: impl FnOnce() -> String) {
        let path = &self.path;
        self.errors.add_with(code, || (format!("{}/{field}", pointer(path)), message()));
    }

    /// Notes what is wrong with a document inside this one, at the present place.
    pub(super) fn fail_within(&mut self, error: FieldError) {
        let path = &self.path;
        self.errors.add_with(error.code, || (pointer(path) + &error.pointer, error.message));
    }

    /// Notes that the object at the present place lacks a field.
    pub(super) fn missing(&mut self, field: &str) {
        self.fail_at(field, "missing_field", || format!("expected the field {field}: add it"));
    }

    /// Steps over the next value.
    pub(super) fn skip(&mut self) -> Parsed<()> {
        self.json.next_skip()
    }

    /// Notes that something else was expected, and steps over the value.
    pub(super) fn wrong_type(&mut self, expected: &str) -> Parsed<()> {
        self.skip()?;
        self.fail(Fault::new("wrong_type", format!("expected {expected}")));
        Ok(())
    }

    /// Reads an object; `each` must read exactly the value of the field it is
    /// given. Answers whether the value is an object.
    pub(super) fn object(
        &mut self,
        fields: &Fields,
        mut each: impl FnMut(&mut Self, &'static str) -> Parsed<()>,
    ) -> Parsed<bool> {
        if self.peek()? != Peek::Object {
            self.wrong_type("an object")?;
            return Ok(false);
        }
        let mut seen = 0_u64;
        let mut next = self.json.known_object()?.map(|key| fields.key(key));
        while let Some(key) = next {
            self.member(fields, key, &mut seen, &mut each)?;
            next = self.json.next_key()?.map(|key| fields.key(key));
        }
        self.check_required(fields, seen);
        Ok(true)
    }

    fn member(
        &mut self,
        fields: &Fields,
        key: Key,
        seen: &mut u64,
        each: &mut impl FnMut(&mut Self, &'static str) -> Parsed<()>,
    ) -> Parsed<()> {
        let (index, name) = match key {
            Key::Known(index, name) => (index, name),
            Key::Unknown(name) => return self.unknown(fields, &name),
        };
        let bit = 1_u64 << index;
        let optional = index >= fields.required.len();
        self.path.push(Step::Field(name));
        if *seen & bit != 0 {
            self.skip()?;
            self.fail(Fault::new(
                "duplicate_field",
                format!("expected {name} only once: remove one of them"),
            ));
        } else if optional && self.peek()? == Peek::Null {
            self.json.known_null()?;
        } else {
            each(self, name)?;
        }
        *seen |= bit;
        self.path.pop();
        Ok(())
    }

    fn unknown(&mut self, fields: &Fields, name: &str) -> Parsed<()> {
        self.skip()?;
        self.fail_at(name, "unknown_field", || {
            let names: Vec<_> = fields.names().collect();
            format!("expected one of the fields {}: remove or rename this one", names.join(", "))
        });
        Ok(())
    }

    fn check_required(&mut self, fields: &Fields, seen: u64) {
        for (index, name) in fields.required.iter().enumerate() {
            if seen & (1_u64 << index) == 0 {
                self.missing(name);
            }
        }
    }

    /// Reads an array; `each` must read exactly one value. Elements beyond the
    /// limit are stepped over. Answers how many there are, beyond the limit
    /// too; `None` where the value is not an array.
    pub(super) fn array(
        &mut self,
        limit: usize,
        mut each: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<Option<usize>> {
        self.runs(limit, |reader, _| each(reader).map(|()| 1))
    }

    /// As [`array`](Self::array), but `some` may read several values at once,
    /// up to the number it is given; it answers how many it has read.
    pub(super) fn runs(
        &mut self,
        limit: usize,
        mut some: impl FnMut(&mut Self, usize) -> Parsed<usize>,
    ) -> Parsed<Option<usize>> {
        if self.peek()? != Peek::Array {
            self.wrong_type("an array")?;
            return Ok(None);
        }
        let mut count = 0;
        let mut next = self.json.known_array()?;
        while next.is_some() {
            if count < limit {
                self.path.push(Step::Index(count));
                count += some(self, limit - count)?;
                self.path.pop();
            } else {
                self.skip()?;
                count += 1;
            }
            next = self.json.array_step()?;
        }
        if count > limit {
            self.fail(Fault::new(
                "too_many_items",
                format!("expected at most {limit} items: split the request"),
            ));
        }
        Ok(Some(count))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::request;
    use super::super::{calculation, irr};

    fn malformed(text: &[u8]) -> String {
        let problem = calculation(text).expect_err("not JSON");
        assert_eq!((problem.status, problem.code), (400, "malformed_json"), "{problem:?}");
        assert!(problem.errors.is_empty());
        problem.detail
    }

    #[test]
    fn what_is_not_json() {
        for text in [
            "",
            " ",
            "{",
            "{]",
            "nul",
            "{}x",
            "{} {}",
            "{'a': 1}",
            r#"{"a": 1,}"#,
            r#"{"a": [1,]}"#,
            r#"{"a" 1}"#,
            r#"{"a": 01}"#,
            r#"{"a": .5}"#,
            r#"{"a": +1}"#,
            r#"{"a": 1.}"#,
            r#"{"a": tru}"#,
            r#"{"a": "\x"}"#,
            r#"{"a": "\ud800"}"#,
            "{\"a\": \"\n\"}",
            r#"{"a": "#,
            "/* */ {}",
            r#"{"a": -}"#,
            r#"{"a": undefined}"#,
        ] {
            malformed(text.as_bytes());
        }
    }

    #[test]
    fn what_is_not_a_json_number() {
        for literal in ["NaN", "Infinity", "-Infinity", "-NaN", "inf", "0x10"] {
            for place in ["risk_free_rate", "elsewhere"] {
                malformed(request(&format!(r#""{place}": {literal}"#)).as_bytes());
            }
            malformed(
                request(&format!(r#""valuations": [{{"date": "2023-01-01", "value": {literal}}}]"#))
                    .as_bytes(),
            );
        }
    }

    #[test]
    fn malformed_text_is_located_and_not_repeated() {
        assert_eq!(
            malformed(b"{\n  \"entity_type\": \"portfolio\"\n  secret"),
            "expected `,` or `}` at line 3 column 3"
        );
        assert_eq!(malformed(b"{\"x\": \"\xff\"}"), "expected UTF-8 text at line 1 column 8");
    }

    #[test]
    fn texts_that_end_too_early() {
        for text in ["", "{\n", "{\"a\": [1,\n", "{\"a\": \"\n", "{\"a\":\n"] {
            let detail = malformed(text.trim_end().as_bytes());
            assert!(detail.starts_with("the text ends inside a value at line 1 column "), "{detail}");
        }
    }

    #[test]
    fn malformed_text_wins_over_what_was_wrong_before() {
        malformed(request(r#""extra": 1, "store": "yes", "valuations": [}"#).as_bytes());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| request(&format!(r#""x": {}{}"#, "[".repeat(depth), "]".repeat(depth)));
        assert_eq!(calculation(nested(150).as_bytes()).expect_err("unknown").status, 422);
        for depth in [300, 100_000] {
            assert!(malformed(nested(depth).as_bytes()).starts_with("nested too deeply at line 1"));
            malformed(request(&format!(r#""x": {}"#, r#"{"a":"#.repeat(depth))).as_bytes());
        }
        assert_eq!(irr("[".repeat(100_000).as_bytes()).expect_err("not JSON").status, 400);
    }

    #[test]
    fn long_keys_are_cut() {
        let problem = calculation(request(&format!(r#""{}": 1"#, "k".repeat(100_000))).as_bytes())
            .expect_err("unknown");
        assert_eq!(problem.errors[0].pointer, format!("/{}…", "k".repeat(64)));
        assert!(problem.detail.len() < 500);
    }
}
