//! Checks that many inputs share; each collects what is wrong rather than stopping at the first.

use crate::problem::{FieldError, Problem};

/// Everything that is wrong with an input so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    errors: Vec<FieldError>,
    prefix: String,
}

impl Faults {
    pub(crate) fn new() -> Faults {
        Faults::default()
    }

    /// Puts what follows below this pointer: `/points/3`.
    pub(crate) fn below(&mut self, prefix: impl Into<String>) {
        self.prefix = prefix.into();
    }

    pub(crate) fn add(&mut self, pointer: &str, code: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(format!("{}{pointer}", self.prefix), code, message));
    }

    /// Refuses when `wrong`.
    pub(crate) fn when(&mut self, wrong: bool, pointer: &str, code: &str, message: impl Into<String>) {
        if wrong {
            self.add(pointer, code, message);
        }
    }

    pub(crate) fn name(&mut self, pointer: &str, name: &str) {
        let length = name.chars().count();
        self.when(name.trim().is_empty() || length > 200, pointer, "length", format!("it has 1 to 200 characters, not {length}"));
    }

    /// Short codes; `also` are the letters allowed beside ASCII letters and digits.
    pub(crate) fn code(&mut self, pointer: &str, code: &str, also: &str, length_max: usize) {
        let fine = code.chars().all(|letter| letter.is_ascii_alphanumeric() || also.contains(letter));
        let wrong = code.is_empty() || code.len() > length_max || !fine;
        self.when(wrong, pointer, "bad_code", format!("it is 1 to {length_max} ASCII letters, digits or one of {also:?}, not {code:?}"));
    }

    pub(crate) fn result(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}
