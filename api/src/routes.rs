//! Registration: a route is a documented handler behind a [`Gate`].

use crate::{
    gate::{self, Door, Effect, Gate},
    service::Shared,
};
use axum::{
    extract::Request,
    middleware::{Next, from_fn},
};
use serde_json::json;
use utoipa::openapi::{
    HttpMethod, PathItem,
    extensions::Extensions,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn},
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// One served route, as the tests and the generated documents list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: String,
    pub path: String,
    pub gate: Gate,
}

/// Routes under construction. There is no way to add one without a gate.
#[derive(Default)]
pub struct Routes {
    pub(crate) router: OpenApiRouter<Shared>,
    pub(crate) table: Vec<Route>,
}

impl Routes {
    pub fn new() -> Routes {
        Routes::default()
    }

    /// Adds the handlers of one `utoipa_axum::routes!(…)` behind a gate.
    pub fn on(mut self, gate: Gate, (schemas, mut paths, methods): UtoipaMethodRouter<Shared>) -> Routes {
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations(item) {
                document(gate, method, path, operation);
                self.table.push(Route { method: method.to_owned(), path: path.clone(), gate });
            }
        }
        let methods = methods.layer(from_fn(move |request: Request, next: Next| gate::pass(gate, request, next)));
        self.router = self.router.routes((schemas, paths, methods));
        self
    }

    pub fn merge(mut self, other: Routes) -> Routes {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self
    }

    /// Puts everything below a path. Once only, and last: `utoipa-axum` drops documents when two are nested alike.
    pub(crate) fn under(self, prefix: &str) -> Routes {
        let table = self.table.into_iter().map(|route| Route { path: format!("{prefix}{}", route.path), ..route }).collect();
        Routes { router: OpenApiRouter::new().nest(prefix, self.router), table }
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes").field("table", &self.table).finish_non_exhaustive()
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        (HttpMethod::Get, "GET", &mut item.get),
        (HttpMethod::Post, "POST", &mut item.post),
        (HttpMethod::Put, "PUT", &mut item.put),
        (HttpMethod::Patch, "PATCH", &mut item.patch),
        (HttpMethod::Delete, "DELETE", &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(_, name, operation)| Some((name, operation.as_mut()?)))
}

/// Says in the document what the gate demands.
fn document(gate: Gate, method: &str, path: &str, operation: &mut Operation) {
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    operation.operation_id = Some(words.fold(method.to_lowercase(), |id, word| format!("{id}_{word}")));
    let mut demanded = Vec::new();
    if gate.conditional {
        demanded.push(header("If-Match", "The ETag of what is changed, such as `\"v17\"`: 428 without it, 412 when it is stale."));
    }
    if gate.effect == Effect::Once {
        demanded.push(header("Idempotency-Key", "Fresh for each new request, the same when one is repeated. Kept 72 hours."));
    }
    operation.parameters.get_or_insert_default().extend(demanded.into_iter().map(Into::into));
    if let Door::Feature(feature, need) = gate.door {
        let said = json!({ "code": feature.code(), "name": feature.name(), "need": format!("{need:?}").to_lowercase() });
        operation.extensions.get_or_insert_with(Extensions::default).insert("x-feature".into(), said);
    }
    if gate.door == Door::Open {
        operation.security = Some(vec![utoipa::openapi::SecurityRequirement::default()]);
    }
}

fn header(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(utoipa::openapi::Required::True)
        .description(Some(description))
        .schema(Some(utoipa::openapi::schema::Object::with_type(utoipa::openapi::Type::String)))
        .build()
}
