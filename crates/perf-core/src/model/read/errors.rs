//! What has been found wrong so far, and where.

use crate::model::{FieldError, MAX_LISTED_ERRORS, Problem};

use super::fault::Fault;

/// Most errors kept; further ones are counted only.
const MAX_KEPT_ERRORS: usize = 10_000;
/// Most characters of a client's own key in a pointer.
const MAX_KEY_CHARACTERS: usize = 64;

/// One step of a path into a document.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A member of an object.
    Field(&'static str),
    /// An element of an array.
    Index(usize),
}

/// The path as a JSON pointer. The readers' own field names need no escaping.
pub(super) fn pointer(path: &[Step]) -> String {
    path.iter().fold(String::new(), |text, step| match step {
        Step::Field(name) => text + "/" + name,
        Step::Index(index) => text + "/" + &index.to_string(),
    })
}

/// A key as it stands in a pointer (RFC 6901), cut where it is long.
pub(super) fn escaped(key: &str) -> String {
    let mut characters = key.chars();
    let kept: String = characters.by_ref().take(MAX_KEY_CHARACTERS).collect();
    let rest = if characters.next().is_some() { "…" } else { "" };
    kept.replace('~', "~0").replace('/', "~1") + rest
}

/// Errors in the order of their discovery.
#[derive(Debug, Default)]
pub(super) struct Errors {
    kept: Vec<FieldError>,
    codes: Vec<&'static str>,
    dropped: usize,
}

impl Errors {
    /// Adds an error; pointer and message are only made where it is kept.
    pub(super) fn add_with(&mut self, code: &'static str, text: impl FnOnce() -> (String, String)) {
        let known = self.codes.contains(&code);
        if !known {
            self.codes.push(code);
        }
        // One error of every code is kept, because the problem's code depends on them.
        if known && self.kept.len() >= MAX_KEPT_ERRORS {
            self.dropped += 1;
            return;
        }
        let (pointer, message) = text();
        self.kept.push(FieldError { pointer, code, message });
    }

    /// Adds what is wrong with the value at a pointer.
    pub(super) fn add(&mut self, pointer: impl Into<String>, fault: Fault) {
        self.add_with(fault.code, || (pointer.into(), fault.message));
    }

    /// Whether nothing has been found.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The refusal.
    pub(super) fn problem(self) -> Problem {
        let found = self.kept.len() + self.dropped;
        let mut problem = Problem::invalid(self.kept);
        if self.dropped > 0 {
            problem.errors_omitted = Some(found.saturating_sub(MAX_LISTED_ERRORS));
            problem.detail = format!("{found} places of the request need correction");
        }
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_follow_rfc_6901() {
        assert_eq!(pointer(&[]), "");
        assert_eq!(
            pointer(&[Step::Field("valuations"), Step::Index(3), Step::Field("value")]),
            "/valuations/3/value"
        );
        assert_eq!(escaped("a/b~c"), "a~1b~0c");
        assert_eq!(escaped(&"ü".repeat(65)), "ü".repeat(64) + "…");
    }

    #[test]
    fn counts_what_it_does_not_keep() {
        let mut errors = Errors::default();
        for index in 0..25_000 {
            errors.add(format!("/{index}"), Fault::new("not_a_date", ""));
        }
        errors.add("/last", Fault::new("not_a_decimal", ""));
        let problem = errors.problem();
        assert_eq!(problem.errors.len(), MAX_LISTED_ERRORS);
        assert_eq!(problem.errors_omitted, Some(24_001));
        assert_eq!(problem.code, "invalid_request");
        assert_eq!(problem.detail, "25001 places of the request need correction");
    }
}
