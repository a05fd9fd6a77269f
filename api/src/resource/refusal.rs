//! What a constraint of the database refuses, said of the field that it is about. Constraints keep the names that Postgres gives them.

use crate::problem::Problem;

/// Turns what the database refused into what is wrong with the request.
pub(crate) trait Refusals<T> {
    fn refused(self, table: &str) -> Result<T, Problem>;
}

impl<T> Refusals<T> for Result<T, sqlx::Error> {
    fn refused(self, table: &str) -> Result<T, Problem> {
        self.map_err(|error| refusal(table, error))
    }
}

pub(crate) fn refusal(table: &str, error: sqlx::Error) -> Problem {
    let sqlx::Error::Database(cause) = &error else { return error.into() };
    let name = cause.constraint().unwrap_or_default();
    let about = |suffix: &str| {
        let inner = name.strip_prefix(table)?.strip_suffix(suffix)?.trim_matches('_');
        Some(inner.strip_prefix("tenant_id_").unwrap_or(inner).to_owned())
    };
    match cause.code().as_deref() {
        Some("23503") => match about("_fkey") {
            Some(column) => Problem::field(format!("/{column}"), "unknown", format!("there is no such {}", column.replace('_', " "))),
            None => error.into(),
        },
        Some("23514") => match about("_check") {
            Some(column) if !column.is_empty() => {
                Problem::field(format!("/{column}"), "out_of_range", format!("{} cannot have this value", column.replace('_', " ")))
            }
            _ => error.into(),
        },
        Some("23505") => match name.strip_prefix(table).and_then(|rest| rest.strip_prefix("_by_")) {
            Some(column) => Problem::conflict(&format!("{column}_taken"), format!("there is already one with this {column}")),
            None => error.into(),
        },
        Some("23P01") => Problem::conflict("overlap", format!("another one covers part of this time ({name})")),
        Some("23502") => Problem::field("", "missing", format!("a value is missing ({name})")),
        _ => error.into(),
    }
}
