//! One line of a batch: any kind of request.

use jiter::{Jiter, JiterResult, Peek};

use crate::model::{Problem, Request, Word};

use super::fault::{self, Fault, quoted};
use super::json::{Parsed, Reader, without_mark};
use super::scalar::is_label;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Calculation,
    Irr,
}

impl Word for Kind {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Calculation, "calculation"), (Self::Irr, "irr")];
}

/// Why a line of a batch was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The line's own `id`, where it could be read.
    pub id: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// Reads a line of a batch: what `kind` says, a calculation without it.
///
/// # Errors
///
/// As [`calculation`](super::calculation) and [`irr`](super::irr), with the line's `id`.
///
/// ```
/// use perf_core::model::{Request, read::batch_line};
/// let line = br#"{"cash_flows": [{"date": "2023-01-01", "amount": "-100"}], "kind": "irr", "id": "row 1"}"#;
/// assert!(matches!(batch_line(line), Ok(Request::Irr(_))));
/// let refused = batch_line(br#"{"id": "row 2", "kind": "irr"}"#).expect_err("no flows");
/// assert_eq!((refused.id.as_deref(), refused.problem.code), (Some("row 2"), "missing_field"));
/// ```
pub fn batch_line(text: &[u8]) -> Result<Request, Refused> {
    // Most lines are calculations that name their kind at the beginning or not at
    // all. Such a line is not looked through before it is read: one that is
    // accepted as a calculation has no other kind.
    if Head::first_scalars(text).kind == Ok(Kind::Calculation)
        && let Ok(request) = super::calculation(text)
    {
        return Ok(Request::Calculation(Box::new(request)));
    }
    let head = Head::of(text);
    let request = match head.kind {
        Ok(Kind::Calculation) => {
            super::calculation(text).map(|request| Request::Calculation(Box::new(request)))
        }
        Ok(Kind::Irr) => super::irr(text).map(Request::Irr),
        Err(fault) => Err(unknown_kind(text, fault)),
    };
    request.map_err(|problem| Refused { id: head.id, problem })
}

fn unknown_kind(text: &[u8], fault: Fault) -> Problem {
    match Reader::document(text, Reader::skip) {
        Ok(((), mut errors)) => {
            errors.add("/kind", fault);
            errors.problem()
        }
        Err(malformed) => malformed,
    }
}

/// Reads the `kind` of a request whose kind is settled.
pub(super) fn expect_kind(reader: &mut Reader<'_>, kind: Kind) -> Parsed<()> {
    let expected = kind.word();
    reader.string(|text| match text == expected {
        true => Ok(()),
        false => Err(Fault::new("unknown_value", format!("expected {expected}, not {}", quoted(text)))),
    })?;
    Ok(())
}

/// What must be known before a line can be read, and after it failed.
struct Head {
    id: Option<String>,
    kind: Result<Kind, Fault>,
}

impl Head {
    /// Looks through the top level until both are known. Whatever is wrong
    /// there is left to the reading proper, which follows.
    fn of(text: &[u8]) -> Self {
        Self::before(text, |_| false)
    }

    /// Looks through the members before the first array or object.
    fn first_scalars(text: &[u8]) -> Self {
        Self::before(text, |peek| matches!(peek, Ok(Peek::Array | Peek::Object)))
    }

    fn before(text: &[u8], stop: impl Fn(JiterResult<Peek>) -> bool) -> Self {
        let (mut id, mut kind) = (None, None);
        let mut json = Jiter::new(without_mark(text));
        let mut next = top_level_key(json.next_object());
        while let Some(key) = next {
            let peek = json.peek();
            let string = peek == Ok(Peek::String);
            if stop(peek) {
                break;
            }
            let read = match key {
                Key::Id if string && id.is_none() => json.known_str().map(|text| id = Some(text.to_owned())),
                Key::Kind if string && kind.is_none() => {
                    json.known_str().map(|text| kind = Some(fault::word(text)))
                }
                _ => json.next_skip(),
            };
            if read.is_err() || (id.is_some() && kind.is_some()) {
                break;
            }
            next = top_level_key(json.next_key());
        }
        Self { id: id.filter(|id: &String| is_label(id)), kind: kind.unwrap_or(Ok(Kind::Calculation)) }
    }
}

enum Key {
    Id,
    Kind,
    Other,
}

fn top_level_key(key: JiterResult<Option<&str>>) -> Option<Key> {
    match key.ok().flatten()? {
        "id" => Some(Key::Id),
        "kind" => Some(Key::Kind),
        _ => Some(Key::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::found;
    use super::*;

    const FLOWS: &str = r#""cash_flows": [{"date": "2023-01-01", "amount": 1}]"#;

    fn refused(line: &str) -> (Option<String>, u16, Vec<(String, &'static str)>) {
        let refused = batch_line(line.as_bytes()).expect_err(line);
        (refused.id, refused.problem.status, found(&refused.problem))
    }

    #[test]
    fn kind_and_id_may_stand_anywhere() {
        for line in [
            format!(r#"{{"kind": "irr", "id": "a", {FLOWS}}}"#),
            format!(r#"{{{FLOWS}, "id": "a", "kind": "irr"}}"#),
            format!("\u{feff}{{\"id\": \"a\", \"kind\": \"irr\", {FLOWS}}}\r"),
            format!(r#"{{"\u006bind": "irr", {FLOWS}, "id": "\u0061"}}"#),
        ] {
            assert!(
                matches!(batch_line(line.as_bytes()), Ok(Request::Irr(request)) if request.id.as_deref() == Some("a"))
            );
        }
        for kind in ["", r#", "kind": null"#, r#", "kind": "calculation""#] {
            let line = format!(r#"{{"entity_type": "account", "entity_id": "p", "id": "b"{kind}}}"#);
            let Ok(Request::Calculation(request)) = batch_line(line.as_bytes()) else { panic!("{line}") };
            assert_eq!(request.id.as_deref(), Some("b"));
        }
    }

    #[test]
    fn unknown_kinds_name_the_known_ones() {
        let line = br#"{"kind": "attribution", "id": "c", "model": "brinson_fachler"}"#;
        let refused = batch_line(line).expect_err("not there yet");
        assert_eq!(refused.id.as_deref(), Some("c"));
        assert_eq!(refused.problem.code, "unknown_value");
        assert_eq!(refused.problem.detail, "/kind: expected one of calculation, irr, not \"attribution\"");
    }

    #[test]
    fn the_id_comes_with_the_problem() {
        let id = || Some("d".to_owned());
        assert_eq!(
            refused(r#"{"id": "d", "kind": "irr"}"#),
            (id(), 422, vec![("/cash_flows".into(), "missing_field")])
        );
        assert_eq!(refused(r#"{"id": "d", "kind": "irr", "#), (id(), 400, vec![]));
        assert_eq!(refused(r#"{"id": "d", "kind": "attribution", "#), (id(), 400, vec![]));
        assert_eq!(refused(r#"{"id": 5, "kind": "irr"}"#).0, None);
        assert_eq!(refused(&format!(r#"{{"id": "{}", "kind": "irr"}}"#, "x".repeat(129))).0, None);
        assert_eq!(refused("").0, None);
        assert_eq!(refused("[1]").2, [(String::new(), "wrong_type")]);
    }

    #[test]
    fn the_first_kind_counts_and_the_second_is_an_error() {
        let line = format!(r#"{{"kind": "irr", {FLOWS}, "kind": "calculation"}}"#);
        assert_eq!(refused(&line).2, [("/kind".to_owned(), "duplicate_field")]);
        assert_eq!(
            refused(r#"{"kind": 1, "entity_type": "account", "entity_id": "p"}"#).2,
            [("/kind".to_owned(), "wrong_type")]
        );
    }
}
