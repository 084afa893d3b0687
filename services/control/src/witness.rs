//! What one call changes: seen as it happens, and told in the headers of the answer.
//!
//! For: history, dry runs and lints of every service alike: a [`Witness`] gives the call a store that
//! remembers, and adds to the answer what came of it.
//! Not for: deciding anything; handlers do not know that they are watched.

use crate::{
    control::Control,
    history::{self, Cause, Recorder, SharedLedger, Touched},
    lints,
    rehearsal::{self, DRY_RUN, Rehearsal},
    wire::{
        asked::{Asked, Written},
        fault::Fault,
    },
};
use planning::difference;
use serde_json::Value;
use std::sync::Arc;

/// Most lines of one kind in one answer.
const MOST_LINES: usize = 20;
/// Longest line, in bytes.
const LONGEST_LINE: usize = 300;

/// Watches one call.
pub struct Witness {
    control: Control,
    ledger: SharedLedger,
    rehearsal: Option<Arc<Rehearsal>>,
}

impl Witness {
    /// Of a call of this operation, as it was asked by who holds the key `by`. `id` is the request's.
    ///
    /// # Errors
    /// `InvalidArgument` when it is not clear whether a dry run is asked for.
    pub fn of(
        control: &Control,
        asked: &Asked,
        by: &str,
        operation: &str,
        id: &str,
    ) -> Result<Self, Fault> {
        let ledger = SharedLedger::default();
        if rehearsal::asked(&asked.headers)? {
            let rehearsal = Arc::new(Rehearsal::of(control.shared_store(), Arc::clone(&ledger)));
            let control = control.through(Arc::clone(&rehearsal) as _);
            return Ok(Self { control, ledger, rehearsal: Some(rehearsal) });
        }
        let cause = Cause {
            by: by.to_owned(),
            operation: operation.to_owned(),
            request: id.to_owned(),
            at: control.now(),
        };
        let most = u64::from(control.settings.control.versions);
        let recorder = Recorder::new(control.shared_store(), cause, most, Arc::clone(&ledger));
        let control = control.through(Arc::new(recorder));
        Ok(Self { control, ledger, rehearsal: None })
    }

    /// What the call's handler works with.
    pub const fn control(&self) -> &Control {
        &self.control
    }

    /// Whether nothing is written.
    pub const fn is_dry(&self) -> bool {
        self.rehearsal.is_some()
    }

    /// ARNs of what it has made.
    pub fn made(&self) -> Vec<String> {
        let touched = self.ledger.all();
        let made = touched.iter().filter(|one| one.before.is_none() && one.after.is_some());
        let made = made.filter(|one| one.resource.has_arn());
        made.map(|one| history::arn(&self.control, &one.resource)).collect()
    }

    /// Adds what came of it to the answer.
    pub async fn tell(&self, mut written: Written) -> Written {
        let touched = self.ledger.all();
        if let Some(rehearsal) = &self.rehearsal {
            written.headers.push((DRY_RUN, "true".into()));
            written.headers.push(("x-nearfront-would-change", counts(&touched, rehearsal)));
            let lines = differences(&touched);
            lined(&mut written, ("x-nearfront-difference", "x-nearfront-differences"), &lines);
        }
        if !touched.is_empty() {
            let found = lints::of(&self.control, &touched).await;
            let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
            lined(&mut written, ("x-nearfront-lint", "x-nearfront-lints"), &lines);
        }
        written
    }
}

fn counts(touched: &[Touched], rehearsal: &Rehearsal) -> String {
    let count = |wanted: fn(&Touched) -> bool| touched.iter().filter(|one| wanted(one)).count();
    let created = count(|one| one.before.is_none() && one.after.is_some());
    let deleted = count(|one| one.after.is_none());
    let changed = touched.len() - created - deleted;
    let (put, gone) = rehearsal.counts();
    format!(
        "created={created}, changed={changed}, deleted={deleted}, entries-put={put}, \
         entries-deleted={gone}"
    )
}

/// The first lines, and how many there are in all.
fn lined(written: &mut Written, (each, all): (&'static str, &'static str), lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    written.headers.push((all, lines.len().to_string()));
    let shown = lines.iter().take(MOST_LINES).map(|line| (each, for_header(line)));
    written.headers.extend(shown);
}

/// What a header can hold, of bounded length.
fn for_header(line: &str) -> String {
    let fine = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    line.chars().map(fine).take(LONGEST_LINE).collect()
}

fn differences(touched: &[Touched]) -> Vec<String> {
    touched.iter().flat_map(of_one).collect()
}

fn of_one(touched: &Touched) -> Vec<String> {
    let Touched { resource, before, after } = touched;
    match (before, after) {
        (Some(before), Some(after)) => between(before, after)
            .iter()
            .map(|difference| format!("{resource} {difference}"))
            .collect(),
        (None, _) => vec![format!("{resource} created")],
        (_, None) => vec![format!("{resource} deleted")],
    }
}

/// How two states differ; paths begin with the configuration's own members.
pub fn between(before: &Value, after: &Value) -> Vec<difference::Difference> {
    let mut found = difference::between(before, after);
    for one in &mut found {
        if let Some(path) = one.path.strip_prefix("config.") {
            one.path = path.to_owned();
        }
    }
    found
}
