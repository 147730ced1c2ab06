//! Which transactions are external flows, and in which direction.

use crate::model::{EntityType, TransactionKind};
use crate::number::Exact;

/// The direction of money across an entity's border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
}

impl Direction {
    /// The amount with its sign: positive into the entity.
    pub(super) fn signed(self, amount: &Exact) -> Exact {
        match self {
            Self::In => amount.clone(),
            Self::Out => &Exact::ZERO - amount,
        }
    }
}

impl TransactionKind {
    /// The direction of an external flow; `None` for what happens within the entity.
    pub(super) fn flow(self, level: EntityType) -> Option<Direction> {
        let is_security = level == EntityType::Security;
        match self {
            Self::Deposit | Self::TransferIn => Some(Direction::In),
            Self::Withdrawal | Self::TransferOut => Some(Direction::Out),
            Self::Buy => is_security.then_some(Direction::In),
            Self::Sell | Self::Dividend | Self::Interest => is_security.then_some(Direction::Out),
            Self::Fee | Self::Tax => None,
        }
    }
}
