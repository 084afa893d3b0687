//! What is wrong with a document, all of it at once.

use std::fmt;

/// Most faults that one text names; the rest are counted.
const MOST_NAMED: usize = 20;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: `Statement[1].Condition.IpAddress.aws:SourceIp`; empty for the document itself.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Everything that is wrong, in the order of the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault { path: path.into(), message: message.into() });
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().take(MOST_NAMED).enumerate() {
            let colon = if fault.path.is_empty() { "" } else { ": " };
            let before = if index > 0 { "; " } else { "" };
            write!(out, "{before}{}{colon}{}", fault.path, fault.message)?;
        }
        match self.0.len().saturating_sub(MOST_NAMED) {
            0 => Ok(()),
            more => write!(out, "; and {more} more"),
        }
    }
}

impl std::error::Error for Faults {}
