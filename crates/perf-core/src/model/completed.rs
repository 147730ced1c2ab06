use super::{
    CalculationResult, EntityKey, EntityType, Identifier, Method, Metrics, Period, TimePeriod, WindowName,
};

/// What a result was computed from, which decides where it is filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultBasis {
    /// The ledger up to its last valuation, every convention at its default: the
    /// current figures of a standing window.
    Standing,
    /// The ledger, every convention at its default.
    Ledger,
    /// Data or conventions of a request.
    Request,
}

/// A calculation's result as far as it is stored: everything but the working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedResult {
    /// Name of the request.
    pub request_id: String,
    /// Version of the formulas.
    pub engine_version: String,
    /// SHA-256 of the resolved inputs.
    pub input_hash: String,
    /// Revision of the ledger that was read; 0 where none was.
    pub input_revision: u64,
    /// What it was computed from.
    pub basis: ResultBasis,
    /// Level of the entity.
    pub entity_type: EntityType,
    /// Name of the entity.
    pub entity_id: Identifier,
    /// Tenant.
    pub client_id: Identifier,
    /// Account of the entity.
    pub account_id: Option<Identifier>,
    /// The time between the first and the last valuation used.
    pub period: Period,
    /// The window.
    pub time_period: WindowName,
    /// How sub-periods were cut.
    pub calculation_method: Method,
    /// The figures and the reasons for those that are missing.
    pub metrics: Metrics,
    /// When it was computed, RFC 3339.
    pub calculated_at: String,
    /// The members of the result that explain the figures (conventions, drawdown,
    /// irr, reconciliation, benchmark, warnings), as JSON text.
    pub details: Vec<(&'static str, String)>,
}

/// The members of a result that are kept as they are.
const DETAILS: [&str; 6] = ["conventions", "drawdown", "irr", "reconciliation", "benchmark", "warnings"];

impl CompletedResult {
    /// What is to be stored of a result.
    ///
    /// # Errors
    ///
    /// A part of the result that cannot be written as JSON.
    pub fn new(result: &CalculationResult, basis: ResultBasis) -> Result<Self, serde_json::Error> {
        let texts = [
            Some(serde_json::to_string(&result.conventions)?),
            Some(serde_json::to_string(&result.drawdown)?),
            result.irr.as_ref().map(serde_json::to_string).transpose()?,
            result.reconciliation.as_ref().map(serde_json::to_string).transpose()?,
            result.benchmark.as_ref().map(serde_json::to_string).transpose()?,
            Some(serde_json::to_string(&result.warnings)?),
        ];
        let details = DETAILS.into_iter().zip(texts).filter_map(|(name, text)| Some((name, text?)));
        Ok(Self {
            request_id: result.request_id.clone(),
            engine_version: result.engine_version.to_owned(),
            input_hash: result.input_hash.clone(),
            input_revision: result.input_revision.unwrap_or_default(),
            basis,
            entity_type: result.entity_type,
            entity_id: result.entity_id.clone(),
            client_id: result.client_id.clone(),
            account_id: result.account_id.clone(),
            period: result.period,
            time_period: result.time_period,
            calculation_method: result.calculation_method,
            metrics: result.metrics.clone(),
            calculated_at: result.calculated_at.clone(),
            details: details.collect(),
        })
    }

    /// The entity that it is about.
    #[must_use]
    pub fn entity(&self) -> EntityKey {
        EntityKey {
            client_id: self.client_id.clone(),
            entity_type: self.entity_type,
            entity_id: self.entity_id.clone(),
        }
    }

    /// The standing window, where it is one.
    #[must_use]
    pub fn standing_window(&self) -> Option<TimePeriod> {
        match self.time_period {
            WindowName::Standing(window) => Some(window),
            WindowName::Custom => None,
        }
    }
}
