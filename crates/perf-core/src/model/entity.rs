use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::Word;

/// Level of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntityType {
    /// A portfolio.
    Portfolio,
    /// An account.
    Account,
    /// A single security.
    Security,
}

/// A name: 1 to 128 characters of `A–Z a–z 0–9 . _ : -`.
///
/// ```
/// use perf_core::model::Identifier;
/// assert!("port-12345".parse::<Identifier>().is_ok());
/// assert!("a#b".parse::<Identifier>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier(String);

/// Most characters of an identifier.
pub const MAX_IDENTIFIER_CHARACTERS: usize = 128;

/// A text that cannot be an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 128 characters of A-Z a-z 0-9 . _ : -")]
pub struct InvalidIdentifier;

/// An entity of one tenant: what every stored thing is filed under.
///
/// ```
/// use perf_core::model::{EntityKey, EntityType};
/// let key = EntityKey {
///     client_id: "acme".parse()?,
///     entity_type: EntityType::Portfolio,
///     entity_id: "port-1".parse()?,
/// };
/// assert_eq!(key.to_string(), "portfolio#port-1#acme");
/// # Ok::<(), perf_core::model::InvalidIdentifier>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntityKey {
    /// Tenant.
    pub client_id: Identifier,
    /// Level of the entity.
    pub entity_type: EntityType,
    /// Name of the entity.
    pub entity_id: Identifier,
}

impl fmt::Display for EntityKey {
    /// The partition key of the tables: `{entity_type}#{entity_id}#{client_id}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}#{}", self.entity_type.word(), self.entity_id, self.client_id)
    }
}

impl Identifier {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Identifier {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        let valid = (1..=MAX_IDENTIFIER_CHARACTERS).contains(&text.len()) && text.bytes().all(allowed);
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidIdentifier) }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Identifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
