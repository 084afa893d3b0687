//! What an import has done, or would do.

use crate::cli;
use serde::Serialize;
use std::fmt::Write as _;

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Report {
    from: String,
    plan: bool,
    /// Whether everything could be imported.
    pub(super) ok: bool,
    steps: Vec<Step>,
}

/// What became of one resource.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Step {
    /// `distribution`, `cache-policy`.
    pub(super) kind: &'static str,
    /// Its id there.
    pub(super) from: String,
    /// Its id here, once it has one.
    pub(super) to: Option<String>,
    /// Its name or caller reference.
    pub(super) name: String,
    pub(super) action: Action,
    /// What is to be known of it.
    pub(super) notes: Vec<Note>,
}

/// Something that is not as it was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Note {
    /// Where in its configuration; empty for the whole.
    pub(super) path: String,
    pub(super) reason: String,
}

impl Note {
    pub(super) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Action {
    /// It was made.
    Created,
    /// It was changed to what it is there.
    Updated,
    /// It stands here as it does there.
    Unchanged,
    /// It would be made.
    WouldCreate,
    /// It would be changed.
    WouldUpdate,
    /// It stands here, but otherwise, and was left alone.
    Differs,
    /// It cannot be had here.
    Refused,
}

impl Report {
    pub(super) fn new(asked: &cli::Import) -> Self {
        Self { from: asked.from.clone(), plan: asked.plan, ok: true, steps: Vec::new() }
    }

    pub(super) fn add(&mut self, step: Step) {
        if matches!(step.action, Action::Differs | Action::Refused) {
            self.ok = false;
        }
        self.steps.push(step);
    }

    pub(super) fn for_people(&self) -> String {
        let mut text = if self.plan {
            format!("from {} (nothing is changed):\n", self.from)
        } else {
            format!("from {}:\n", self.from)
        };
        for step in &self.steps {
            let to = step.to.as_deref().unwrap_or("-");
            let action = format!("{:?}", step.action);
            let (kind, from, name) = (step.kind, &step.from, &step.name);
            let _ = writeln!(text, "  {action:<11} {kind:<24} {from} -> {to}  {name}");
            for Note { path, reason } in &step.notes {
                let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
                let _ = writeln!(text, "              {place}{reason}");
            }
        }
        if self.steps.is_empty() {
            text.push_str("  no distributions\n");
        }
        let end = if self.ok { "good" } else { "not everything could be imported: see above" };
        text + end
    }
}
