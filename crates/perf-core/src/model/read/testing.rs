//! What the tests of the readers share.

use crate::model::{CalculationRequest, Problem};

use super::calculation;

/// Pointers and codes, in order.
pub(super) type Found = Vec<(String, &'static str)>;

/// What a refusal lists.
pub(super) fn found(problem: &Problem) -> Found {
    problem.errors.iter().map(|error| (error.pointer.clone(), error.code)).collect()
}

/// A calculation request with an entity and these members.
pub(super) fn request(members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{"entity_type": "portfolio", "entity_id": "p"{comma} {members}}}"#)
}

/// The request that these members make.
pub(super) fn accepted(members: &str) -> CalculationRequest {
    calculation(request(members).as_bytes()).expect(members)
}

/// The refusal of these members.
pub(super) fn refused(members: &str) -> Problem {
    calculation(request(members).as_bytes()).expect_err(members)
}

/// Asserts what the refusal of these members lists.
pub(super) fn refuses(members: &str, expected: &[(&str, &str)]) {
    let problem = refused(members);
    assert_eq!(problem.status, 422, "{members}");
    let listed = found(&problem);
    let listed: Vec<_> = listed.iter().map(|(pointer, code)| (pointer.as_str(), *code)).collect();
    assert_eq!(listed, expected, "{members}");
    for error in &problem.errors {
        assert!(error.message.chars().next().is_some_and(char::is_lowercase), "{}", error.message);
        assert!(!error.message.ends_with('.'), "{}", error.message);
    }
}
