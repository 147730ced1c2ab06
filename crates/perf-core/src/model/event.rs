use super::{
    CalculationRequest, CompletedResult, EntityType, Identifier, Problem, TransactionEntry, ValuationEntry,
    Window,
};

/// Most members of one batch.
pub const MAX_BATCH_MEMBERS: usize = 1_000;
/// Most members of a batch that are computed under one message.
pub const MAX_MEMBERS_PER_MESSAGE: usize = 50;

/// The type of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// A calculation is wanted.
    PortfolioPerformance,
    /// Several calculations are wanted.
    BatchCalculation,
    /// The ledger gains, changes or loses a transaction.
    Transaction,
    /// The ledger gains, changes or loses a valuation.
    Valuation,
    /// A result is to be stored.
    CalculationCompleted,
}

/// A message of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Under which its status is kept.
    pub request_id: Option<Identifier>,
    /// Tenant. The processor refuses an event without one.
    pub client_id: Option<Identifier>,
    /// Position of the event, or of a batch's first member, within its request.
    pub item: u32,
    /// What happened, or is wanted.
    pub body: EventBody,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventBody {
    /// A calculation is wanted.
    PortfolioPerformance(Box<CalculationRequest>),
    /// Several calculations are wanted.
    BatchCalculation(BatchMembers),
    /// A transaction of an entity.
    Transaction {
        /// Level of the entity.
        entity_type: EntityType,
        /// Name of the entity.
        entity_id: Identifier,
        /// The transaction.
        entry: TransactionEntry,
    },
    /// A valuation of an entity.
    Valuation {
        /// Level of the entity.
        entity_type: EntityType,
        /// Name of the entity.
        entity_id: Identifier,
        /// The valuation.
        entry: ValuationEntry,
    },
    /// A result of one of our own functions.
    CalculationCompleted(Box<CompletedResult>),
}

/// The calculations of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchMembers {
    /// Written out.
    Requests {
        /// Those that can be read, with their position in the event.
        accepted: Vec<(u32, CalculationRequest)>,
        /// The others: a caller that can be told refuses the whole, the queue does not.
        refused: Vec<RefusedMember>,
    },
    /// The ledgers of several entities.
    Entities {
        /// Level of all of them.
        entity_type: EntityType,
        /// Their names.
        entity_ids: Vec<Identifier>,
        /// The period wanted.
        window: Window,
    },
}

/// A member of a batch that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedMember {
    /// Position in the event.
    pub index: u32,
    /// What is wrong; its pointers start at the member.
    pub problem: Problem,
}

impl BatchMembers {
    /// How many calculations are wanted.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Requests { accepted, refused } => accepted.len() + refused.len(),
            Self::Entities { entity_ids, .. } => entity_ids.len(),
        }
    }

    /// Whether none is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything that is wrong with the members, as one refusal.
    #[must_use]
    pub fn refusal(&self) -> Option<Problem> {
        let Self::Requests { refused, .. } = self else { return None };
        let errors = refused.iter().flat_map(|member| {
            member.problem.errors.iter().cloned().map(|mut error| {
                error.pointer = format!("/requests/{}{}", member.index, error.pointer);
                error
            })
        });
        (!refused.is_empty()).then(|| Problem::invalid(errors.collect()))
    }
}

impl Event {
    /// The event's type.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match &self.body {
            EventBody::PortfolioPerformance(_) => EventType::PortfolioPerformance,
            EventBody::BatchCalculation(_) => EventType::BatchCalculation,
            EventBody::Transaction { .. } => EventType::Transaction,
            EventBody::Valuation { .. } => EventType::Valuation,
            EventBody::CalculationCompleted(_) => EventType::CalculationCompleted,
        }
    }

    /// The event in a caller's name: whatever tenant it names, it becomes the caller's.
    #[must_use]
    pub fn for_tenant(mut self, client_id: &Identifier) -> Self {
        self.client_id = Some(client_id.clone());
        match &mut self.body {
            EventBody::PortfolioPerformance(request) => request.client_id = Some(client_id.clone()),
            EventBody::BatchCalculation(BatchMembers::Requests { accepted, .. }) => {
                for (_, request) in accepted {
                    request.client_id = Some(client_id.clone());
                }
            }
            EventBody::CalculationCompleted(result) => result.client_id = client_id.clone(),
            EventBody::BatchCalculation(BatchMembers::Entities { .. })
            | EventBody::Transaction { .. }
            | EventBody::Valuation { .. } => {}
        }
        self
    }
}
