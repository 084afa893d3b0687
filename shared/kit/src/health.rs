//! What is wrong at the moment, for `/readyz`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How bad a condition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Serving goes on, with less than all: `/readyz` stays 200 and says so.
    Degraded,
    /// Not able to serve: `/readyz` is 503.
    Unready,
}

/// The conditions of this process; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Health {
    conditions: Arc<Mutex<BTreeMap<&'static str, (Severity, String)>>>,
}

impl Health {
    /// Something is wrong with `part`; `why` tells an operator what to do next.
    pub fn ail(&self, part: &'static str, severity: Severity, why: impl Into<String>) {
        let why = why.into();
        self.lock().insert(part, (severity, why));
    }

    /// `part` is well again.
    pub fn heal(&self, part: &'static str) {
        self.lock().remove(part);
    }

    /// All that is wrong, by part.
    pub fn conditions(&self) -> Vec<(&'static str, Severity, String)> {
        self.lock().iter().map(|(part, (severity, why))| (*part, *severity, why.clone())).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, (Severity, String)>> {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
