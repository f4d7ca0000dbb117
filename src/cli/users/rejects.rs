//! Where rows at fault are told: a file, one JSON object a line, or standard error.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::app::start_error::StartError;
use crate::service::error::{FieldViolation, ServiceError};

/// Takes rows at fault down. What is told of a row is its number and fixed words, never the row.
pub enum Rejects {
    File(BufWriter<File>),
    StandardError,
}

impl Rejects {
    pub fn open(file: Option<&Path>) -> Result<Self, StartError> {
        let Some(file) = file else { return Ok(Self::StandardError) };
        let file = File::create(file);
        let file = file.map_err(|error| StartError::Settings(format!("--rejects cannot be written: {error}")))?;
        Ok(Self::File(BufWriter::new(file)))
    }

    pub fn tell(&mut self, number: u64, error: &ServiceError) -> Result<(), StartError> {
        let written = match self {
            Self::File(file) => writeln!(file, "{}", object(number, error)),
            Self::StandardError => writeln!(io::stderr(), "row {number}: {}", words(error)),
        };
        written.map_err(unwritable)
    }

    pub fn close(self) -> Result<(), StartError> {
        match self {
            Self::File(mut file) => file.flush().map_err(unwritable),
            Self::StandardError => Ok(()),
        }
    }
}

fn unwritable(error: impl std::fmt::Display) -> StartError {
    StartError::Failed(format!("the rows at fault cannot be told: {error}"))
}

fn violations(error: &ServiceError) -> &[FieldViolation] {
    if let ServiceError::InvalidFields(violations) = error { violations } else { &[] }
}

fn words(error: &ServiceError) -> String {
    match violations(error) {
        [] => error.to_string(),
        faults => {
            let told = faults.iter().map(|fault| format!("{} {}", fault.field, fault.description).trim().to_owned());
            told.collect::<Vec<_>>().join("; ")
        }
    }
}

fn object(number: u64, error: &ServiceError) -> Value {
    let fault = |fault: &FieldViolation| json!({ "field": fault.field, "description": fault.description });
    let faults: Vec<_> = violations(error).iter().map(fault).collect();
    json!({ "row": number, "reason": error.to_string(), "faults": faults })
}
