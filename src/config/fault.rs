//! What is wrong with the settings: where, and what is expected there. Never what was found there.

use std::fmt;

use super::raw::variable;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    subject: String,
    problem: String,
}

impl Fault {
    /// A fault of a setting, named by its path in the file and by its variable.
    pub fn of_setting(path: &str, problem: impl Into<String>) -> Self {
        Self { subject: format!("{path} ({})", variable(path)), problem: problem.into() }
    }

    /// Whether it is one of this setting.
    pub fn is_of(&self, path: &str) -> bool {
        self.subject.split(' ').next() == Some(path)
    }

    /// A fault of something that is no setting: the file itself, an unknown variable.
    pub fn of(subject: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { subject: subject.into(), problem: problem.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.subject, self.problem)
    }
}

/// Every fault of the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the settings are at fault:")?;
        self.0.iter().try_for_each(|fault| write!(formatter, "\n  {fault}"))
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}
