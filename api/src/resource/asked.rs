//! What a list is asked for: filters, sort, limit, cursor. The names are the resource's own; any other is refused.

use super::Resource;
use crate::{
    extract::{commas, cursor, limit},
    problem::Problem,
};
use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::marker::PhantomData;
use utoipa::{
    IntoParams,
    openapi::{
        Required, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::Object,
    },
};
use uuid::Uuid;

/// A column that a list is filtered or sorted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Its type in Postgres.
    pub(crate) kind: &'static str,
    pub(crate) says: &'static str,
}

pub(crate) const fn text(name: &'static str, says: &'static str) -> Column {
    Column { name, kind: "text", says }
}

pub(crate) const fn uuid(name: &'static str, says: &'static str) -> Column {
    Column { name, kind: "uuid", says }
}

pub(crate) const fn time(name: &'static str) -> Column {
    Column { name, kind: "timestamptz", says: "" }
}

pub(crate) const fn flag(name: &'static str, says: &'static str) -> Column {
    Column { name, kind: "boolean", says }
}

impl Column {
    fn reads(&self, value: &str) -> bool {
        match self.kind {
            "uuid" => value.parse::<Uuid>().is_ok(),
            "boolean" => value.parse::<bool>().is_ok(),
            "timestamptz" => value.parse::<DateTime<Utc>>().is_ok(),
            "numeric" => value.parse::<rust_decimal::Decimal>().is_ok(),
            _ => true,
        }
    }
}

/// One page, asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) filters: Vec<(Column, Vec<String>)>,
    pub(crate) sort: Column,
    pub(crate) down: bool,
    pub(crate) limit: u16,
    /// The list and its order, for which a cursor is good.
    pub(crate) name: String,
    /// The last row of the page before: what it says in the sorted column, and its id.
    pub(crate) after: Option<(Value, Uuid)>,
}

impl Asked {
    /// The values of a filter.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        self.filters.iter().find(|(column, _)| column.name == name).map(|(_, values)| values.clone())
    }

    /// The one id of a filter.
    pub(crate) fn uuid(&self, name: &str) -> Option<Uuid> {
        self.texts(name)?.first()?.parse().ok()
    }

    /// The last row of the page before, where the list is sorted by a text.
    pub(crate) fn after_text(&self) -> Option<(String, Uuid)> {
        let (key, id) = self.after.as_ref()?;
        Some((key.as_str()?.to_owned(), *id))
    }

    pub(crate) fn rows_max(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// The query of a list of `R`.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<R> {
    pub(crate) asked: Asked,
    of: PhantomData<fn() -> R>,
}

impl<R: Resource, S: Send + Sync> FromRequestParts<S> for Wanted<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let unread = |error: String| Problem::malformed("bad_query", error);
        let Query(said) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|error| unread(error.body_text()))?;
        let (mut filters, mut sort, mut page, mut after) = (Vec::new(), None, None, None);
        for (name, value) in said {
            match name.as_str() {
                "sort" => sort = Some(value),
                "cursor" => after = Some(value),
                "limit" => page = Some(value.parse::<u16>().map_err(|_| unread(format!("limit is a number, not {value:?}")))?),
                _ => filters.push(filter::<R>(&name, &value)?),
            }
        }
        let sort = sort.unwrap_or_else(|| format!("{}{}", if R::NEWEST_FIRST { "-" } else { "" }, R::SORTS[0].name));
        let (column, down) = sorted::<R>(&sort)?;
        let name = format!("{} {sort}", R::PATH);
        let after = cursor(after.as_deref(), &name)?;
        Ok(Wanted { asked: Asked { filters, sort: column, down, limit: limit(page)?, name, after }, of: PhantomData })
    }
}

fn filter<R: Resource>(name: &str, value: &str) -> Result<(Column, Vec<String>), Problem> {
    let inner = name.strip_prefix("filter[").and_then(|name| name.strip_suffix(']'));
    let column = R::FILTERS.iter().find(|column| Some(column.name) == inner);
    let known = || R::FILTERS.iter().map(|column| format!("filter[{}]", column.name)).collect::<Vec<_>>().join(", ");
    let Some(column) = column else {
        return Err(Problem::malformed("bad_query", format!("{name:?} is none of limit, cursor, sort, {}", known())));
    };
    let values = commas(Some(value)).unwrap_or_default();
    match values.iter().find(|value| !column.reads(value)) {
        Some(wrong) => Err(Problem::malformed("bad_query", format!("{name} is a {}, not {wrong:?}", column.kind))),
        None => Ok((*column, values)),
    }
}

fn sorted<R: Resource>(sort: &str) -> Result<(Column, bool), Problem> {
    let (name, down) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
    let column = R::SORTS.iter().find(|column| column.name == name);
    let known = || R::SORTS.iter().map(|column| column.name).collect::<Vec<_>>().join(" or ");
    let refused = || Problem::malformed("bad_sort", format!("sort is {}, with - for downwards, not {sort:?}", known()));
    Ok((*column.ok_or_else(refused)?, down))
}

impl<R: Resource> IntoParams for Wanted<R> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let said = |name: String, says: String, kind: Type| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False);
            parameter.description(Some(says)).schema(Some(Object::with_type(kind))).build()
        };
        let filters = R::FILTERS.iter().map(|column| {
            let says = if column.says.is_empty() { "Values, comma-separated." } else { column.says };
            said(format!("filter[{}]", column.name), says.to_owned(), Type::String)
        });
        let sorts = R::SORTS.iter().map(|column| format!("`{}`", column.name)).collect::<Vec<_>>().join(" or ");
        let first = format!("{}{}", if R::NEWEST_FIRST { "-" } else { "" }, R::SORTS[0].name);
        let rest = [
            said("sort".into(), format!("{sorts}, or with `-` before it; default: `{first}`."), Type::String),
            said("limit".into(), "Rows of a page: 1 to 1000, 50 unless said.".into(), Type::Integer),
            said("cursor".into(), "`next_cursor` of the page before.".into(), Type::String),
        ];
        filters.chain(rest).collect()
    }
}
