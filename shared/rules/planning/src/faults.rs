//! What is wrong with a configuration, all of it at once.

use crate::distribution::honoured::listed;
use model::api::ErrorCode;
use serde_json::Value;
use std::fmt;

/// How many faults one message tells; the others are counted.
const MOST_TOLD: usize = 100;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, in the API's own names: `CacheBehaviors[2].TargetOriginId`.
    pub path: String,
    /// The error that the API answers with.
    pub code: ErrorCode,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Everything that is wrong, in the order in which it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// One more fault.
    pub fn add(&mut self, path: impl Into<String>, code: ErrorCode, message: impl Into<String>) {
        self.0.push(Fault { path: path.into(), code, message: message.into() });
    }

    /// The code that the API answers with: the first fault's.
    pub fn code(&self) -> ErrorCode {
        self.0.first().map_or(ErrorCode::InvalidArgument, |fault| fault.code)
    }

    /// `Ok` when nothing is wrong.
    ///
    /// # Errors
    /// These faults, if there are any.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// A fault unless `fine`.
    pub(crate) fn require(
        &mut self,
        fine: bool,
        path: impl Into<String>,
        code: ErrorCode,
        message: impl Into<String>,
    ) {
        if !fine {
            self.add(path, code, message);
        }
    }

    /// `Quantity` must say how many items there are.
    pub(crate) fn counted(&mut self, path: &str, quantity: i32, items: usize) {
        let fine = usize::try_from(quantity) == Ok(items);
        self.require(
            fine,
            format!("{path}.Quantity"),
            ErrorCode::InconsistentQuantities,
            format!("Quantity is {quantity}, but Items holds {items}"),
        );
    }

    /// Every `Quantity` in the tree must say how many `Items` stand beside it.
    pub(crate) fn quantities(&mut self, tree: &Value) {
        self.quantities_below("", tree);
    }

    fn quantities_below(&mut self, path: &str, tree: &Value) {
        match tree {
            Value::Object(members) => {
                if let Some(quantity) = members.get("Quantity").and_then(Value::as_i64) {
                    let items = members.get("Items").map(listed).unwrap_or_default().len();
                    self.counted(path, i32::try_from(quantity).unwrap_or(-1), items);
                }
                for (name, value) in members {
                    let dot = if path.is_empty() { "" } else { "." };
                    self.quantities_below(&format!("{path}{dot}{name}"), value);
                }
            }
            Value::Array(items) => {
                // The list's own name is its element's: the path says `Items[3]`.
                let path = path.rsplit_once('.').map_or(path, |(path, _)| path);
                for (index, item) in items.iter().enumerate() {
                    self.quantities_below(&format!("{path}[{index}]"), item);
                }
            }
            _ => {}
        }
    }

    /// `value` must lie within `range`.
    pub(crate) fn within<T: PartialOrd + fmt::Display>(
        &mut self,
        path: impl Into<String>,
        value: &T,
        range: std::ops::RangeInclusive<T>,
        code: ErrorCode,
    ) {
        let message = format!("{value} is not within {} to {}", range.start(), range.end());
        self.require(range.contains(value), path, code, message);
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().take(MOST_TOLD).enumerate() {
            if index > 0 {
                out.write_str("; ")?;
            }
            write!(out, "{}: {}", fault.path, fault.message)?;
        }
        match self.0.len().saturating_sub(MOST_TOLD) {
            0 => Ok(()),
            more => write!(out, "; and {more} more"),
        }
    }
}

impl std::error::Error for Faults {}

/// A list of the API without its wrapper: nothing when `Items` is left out.
macro_rules! items {
    ($wrapper:expr) => {
        $wrapper.items.as_ref().map(|list| &list[..]).unwrap_or_default()
    };
}
pub(crate) use items;
