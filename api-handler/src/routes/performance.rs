//! The routes that read stored results.

use axum::Extension;
use axum::extract::Path;
use perf_core::model::{EntityKey, EntityType, Identifier, Metric, Problem, WindowName, Word};
use perf_core::services::{Queries, Scope, Series, SeriesQuery};

use super::{name, tenant};
use crate::answer::Answer;
use crate::extract::Authorized;
use crate::openapi::ListingBody;
use crate::parameters::Parameters;
use crate::refusal::{Refusal, Require};

const NO_ENTITY: &str = "there is no stored result of this entity";

/// Stored results of an entity, newest first
///
/// Needs the scope `performance:read`.
#[utoipa::path(
    get, path = "/performance/{entity_type}/{entity_id}", tag = "results",
    params(
        ("entity_type" = EntityType, Path, description = "Level of the entity"),
        ("entity_id" = Identifier, Path, description = "Name of the entity"),
        ("from" = Option<chrono::NaiveDate>, Query, description = "Period's end on or after this day"),
        ("to" = Option<chrono::NaiveDate>, Query, description = "Period's end on or before this day"),
        ("time_period" = Option<WindowName>, Query, description = "This window only"),
        ("limit" = Option<u32>, Query, description = "Most results", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of an earlier answer"),
        ("client_id" = Option<Identifier>, Query, description = "Tenant, for administrators"),
    ),
    responses((status = 200, description = "The results", body = ListingBody)),
)]
pub(crate) async fn of_entity(
    Extension(queries): Extension<Queries>,
    Authorized(caller): Authorized,
    Path(path): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Answer, Refusal> {
    caller.scopes.require(Scope::Read)?;
    let (query, tenant) = (parameters.results(), tenant(&caller, &mut parameters)?);
    parameters.finish()?;
    let entity = entity(tenant, &path)?;
    Ok(Answer::ok(&queries.performance(&entity, &query).await?)?)
}

/// One metric of an entity over time, newest first
///
/// Needs the scope `performance:read`. Each point is the metric at a period's end, of the window
/// `time_period` (inception to date where absent); results of data that came with a request are left out.
#[utoipa::path(
    get, path = "/performance/{entity_type}/{entity_id}/series", tag = "results",
    params(
        ("entity_type" = EntityType, Path, description = "Level of the entity"),
        ("entity_id" = Identifier, Path, description = "Name of the entity"),
        ("metric" = Metric, Query, description = "The figure"),
        ("from" = Option<chrono::NaiveDate>, Query, description = "On or after this day"),
        ("to" = Option<chrono::NaiveDate>, Query, description = "On or before this day"),
        ("time_period" = Option<WindowName>, Query, description = "The window of every point"),
        ("limit" = Option<u32>, Query, description = "Most points", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of an earlier answer"),
        ("client_id" = Option<Identifier>, Query, description = "Tenant, for administrators"),
    ),
    responses((status = 200, description = "The series", body = Series)),
)]
pub(crate) async fn series(
    Extension(queries): Extension<Queries>,
    Authorized(caller): Authorized,
    Path(path): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Answer, Refusal> {
    caller.scopes.require(Scope::Read)?;
    let (metric, query) = (parameters.metric(), parameters.results());
    let tenant = tenant(&caller, &mut parameters)?;
    parameters.finish()?;
    let missing = || Problem::field("/metric", "missing_field", "expected the parameter metric: add it");
    let wanted = SeriesQuery { metric: metric.ok_or_else(missing)?, query };
    let entity = entity(tenant, &path)?;
    Ok(Answer::ok(&queries.series(&entity, &wanted).await?)?)
}

/// Current results of all of a client's entities
///
/// Needs the scope `performance:read`; another client's only with `performance:admin`.
#[utoipa::path(
    get, path = "/clients/{client_id}/performance", tag = "results",
    params(
        ("client_id" = Identifier, Path, description = "Tenant"),
        ("limit" = Option<u32>, Query, description = "Most results", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of an earlier answer"),
    ),
    responses((status = 200, description = "The results", body = ListingBody)),
)]
pub(crate) async fn of_client(
    Extension(queries): Extension<Queries>,
    Authorized(caller): Authorized,
    Path(client_id): Path<String>,
    mut parameters: Parameters,
) -> Result<Answer, Refusal> {
    caller.scopes.require(Scope::Read)?;
    let query = parameters.page();
    parameters.finish()?;
    let tenant = caller.tenant(Some(&name(&client_id, "there is no such client")?))?;
    Ok(Answer::ok(&queries.client(&tenant, &query).await?)?)
}

/// Current results of the entities of a client's account
///
/// Needs the scope `performance:read`.
#[utoipa::path(
    get, path = "/accounts/{account_id}/performance", tag = "results",
    params(
        ("account_id" = Identifier, Path, description = "Account"),
        ("limit" = Option<u32>, Query, description = "Most results", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of an earlier answer"),
        ("client_id" = Option<Identifier>, Query, description = "Tenant, for administrators"),
    ),
    responses((status = 200, description = "The results", body = ListingBody)),
)]
pub(crate) async fn of_account(
    Extension(queries): Extension<Queries>,
    Authorized(caller): Authorized,
    Path(account_id): Path<String>,
    mut parameters: Parameters,
) -> Result<Answer, Refusal> {
    caller.scopes.require(Scope::Read)?;
    let (query, tenant) = (parameters.page(), tenant(&caller, &mut parameters)?);
    parameters.finish()?;
    let account_id = name(&account_id, "there is no such account")?;
    Ok(Answer::ok(&queries.account(&tenant, &account_id, &query).await?)?)
}

/// The entity of a path; what cannot be one is not there.
fn entity(client_id: Identifier, path: &(String, String)) -> Result<EntityKey, Problem> {
    let (entity_type, entity_id) = path;
    let entity_type = EntityType::from_word(entity_type).ok_or_else(|| Problem::not_found(NO_ENTITY))?;
    Ok(EntityKey { client_id, entity_type, entity_id: name(entity_id, NO_ENTITY)? })
}
