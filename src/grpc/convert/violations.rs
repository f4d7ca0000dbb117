//! Collects what is wrong with a message, so that its sender learns of everything at once.

use std::fmt::Display;

use crate::service::error::{FieldViolation, ServiceError, ServiceResult};

/// The faults found so far.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldViolation>);

impl Violations {
    /// Keeps the fault of a field that could not be parsed; its description must not hold the input.
    pub fn check<T, E: Display>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|fault| self.add(field, &fault.to_string())).ok()
    }

    pub fn add(&mut self, field: &str, description: &str) {
        self.0.push(FieldViolation { field: field.to_owned(), description: description.to_owned() });
    }

    /// What was parsed, if nothing is wrong. A value is missing only where a fault was kept.
    pub fn finish<T>(self, parsed: Option<T>) -> ServiceResult<T> {
        parsed.filter(|_| self.0.is_empty()).ok_or(ServiceError::InvalidFields(self.0))
    }
}
