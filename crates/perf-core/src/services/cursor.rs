//! Cursors: a position in a list and nothing else. Tenant and partition come from
//! the token and the path, so a cursor of another list leads nowhere it should not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::{EntityType, Problem, Word};
use crate::ports::{CurrentPosition, Position};

/// Most characters of a cursor.
const CURSOR_CHARACTERS_MAX: usize = 1_024;

/// A position that can travel.
pub(super) trait Cursor: Sized {
    fn parts(&self) -> Vec<&str>;
    fn from_parts(parts: &[&str]) -> Option<Self>;

    /// The position as an opaque text.
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.parts().join("\n"))
    }

    /// The position of a text.
    fn decode(text: &str) -> Result<Self, Problem> {
        let known = || {
            let bytes =
                (text.len() <= CURSOR_CHARACTERS_MAX).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
            let joined = String::from_utf8(bytes).ok()?;
            Self::from_parts(&joined.split('\n').collect::<Vec<_>>())
        };
        known().ok_or_else(|| {
            Problem::field("/cursor", "invalid_cursor", "expected the cursor of an earlier answer")
        })
    }
}

impl Cursor for Position {
    fn parts(&self) -> Vec<&str> {
        vec![self]
    }

    fn from_parts(parts: &[&str]) -> Option<Self> {
        match parts {
            [sort_key] if !sort_key.is_empty() => Some((*sort_key).to_owned()),
            _ => None,
        }
    }
}

impl Cursor for CurrentPosition {
    fn parts(&self) -> Vec<&str> {
        vec![self.entity_type.word(), self.entity_id.as_str(), &self.sort_key]
    }

    fn from_parts(parts: &[&str]) -> Option<Self> {
        let [entity_type, entity_id, sort_key] = parts else { return None };
        Some(Self {
            entity_type: EntityType::from_word(entity_type)?,
            entity_id: entity_id.parse().ok()?,
            sort_key: (*sort_key).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_position() {
        let position: Position = "2023-06-30#YTD#daily".to_owned();
        assert_eq!(Position::decode(&position.encode()), Ok(position));
        let current = CurrentPosition {
            entity_type: EntityType::Account,
            entity_id: "a-1".parse().expect("a name"),
            sort_key: "latest#YTD#daily".to_owned(),
        };
        assert_eq!(CurrentPosition::decode(&current.encode()), Ok(current));
        for text in ["", "%", "YQ==", "YQ", &"a".repeat(2_000)] {
            assert_eq!(CurrentPosition::decode(text).expect_err(text).code, "invalid_cursor");
        }
    }
}
