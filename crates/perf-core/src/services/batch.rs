//! The members of a batch, and the parts that a large one is split into.

use super::report;
use crate::model::{
    BatchMembers, CalculationRequest, Data, Identifier, MAX_MEMBERS_PER_MESSAGE, RefusedMember,
};
use crate::ports::Itemized;

/// The calculations of a batch and their positions.
pub(super) fn requests(members: BatchMembers) -> Vec<(u32, CalculationRequest)> {
    match members {
        BatchMembers::Requests { accepted, .. } => accepted,
        BatchMembers::Entities { entity_type, entity_ids, window } => {
            let request = |entity_id| CalculationRequest {
                window,
                ..CalculationRequest::new(entity_type, entity_id, Data::Ledger)
            };
            (0..).zip(entity_ids.into_iter().map(request)).collect()
        }
    }
}

/// Parts of at most fifty members, with the position of each one's first.
pub(super) fn parts(members: &BatchMembers) -> Vec<(u32, BatchMembers)> {
    match members {
        BatchMembers::Entities { entity_type, entity_ids, window } => {
            let part = |ids: &[Identifier]| BatchMembers::Entities {
                entity_type: *entity_type,
                entity_ids: ids.to_vec(),
                window: *window,
            };
            let starts = (0..).step_by(MAX_MEMBERS_PER_MESSAGE);
            starts.zip(entity_ids.chunks(MAX_MEMBERS_PER_MESSAGE).map(part)).collect()
        }
        BatchMembers::Requests { accepted, .. } => {
            let beside = accepted.chunk_by(|(before, _), (after, _)| before + 1 == *after);
            let part = |run: &[(u32, CalculationRequest)]| {
                let first = run.first().map_or(0, |(position, _)| *position);
                let renumbered = (0..).zip(run.iter().map(|(_, request)| request.clone())).collect();
                (first, BatchMembers::Requests { accepted: renumbered, refused: Vec::new() })
            };
            beside.flat_map(|run| run.chunks(MAX_MEMBERS_PER_MESSAGE)).map(part).collect()
        }
    }
}

/// The items of the members that could not be read.
pub(super) fn refused(members: &BatchMembers, first: u32) -> Vec<Itemized> {
    let BatchMembers::Requests { refused, .. } = members else { return Vec::new() };
    let item = |member: &RefusedMember| Itemized {
        item: first.saturating_add(member.index),
        outcome: report::failed(&member.problem),
    };
    refused.iter().map(item).collect()
}
