//! The record of every management call: who asked what, from where, and what came of it.
//!
//! For: a line in a file under the data folder, which a write's answer waits for; and the same in
//! the metadata store a moment later, for whoever asks about the whole fleet (`history`).
//! Not for: bodies and secrets, which are in no record; nor for what a resource looked like before.
//!
//! Calls whose signature did not verify have a file and a share of the store of their own, so that
//! strangers cannot push out the record of what those who are known have done.

mod file;
mod fleet;
mod history;
mod record;

pub use history::serve as serve_history;
pub use record::{Record, Trail};

use crate::{control::Control, wire::fault::Fault};
use kit::{drain::Drain, health::Health, metrics::Metrics, settings};
use model::units::Timestamp;
use std::{io, path::Path, time::Duration};

/// How often it is looked whether something shall go to the store.
const EVERY: Duration = Duration::from_secs(1);

/// Where records go; safe to share.
pub struct Audit {
    file: file::Writer,
    fleet: fleet::Queue,
}

impl Audit {
    /// With files under this data folder.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn open(
        data: &Path,
        settings: &settings::Audit,
        health: Health,
        metrics: &Metrics,
    ) -> io::Result<Self> {
        let bounds = file::Bounds { bytes: settings.file_bytes(), files: settings.files };
        let file = file::Writer::open(&data.join("audit"), bounds, health)?;
        Ok(Self { file, fleet: fleet::Queue::of(settings.events, metrics) })
    }

    /// Keeps a record. A write's is in the file once this returns.
    ///
    /// Dropping the call half-way may leave the record out of the file, not out of the store.
    pub async fn keep(&self, record: Record, now: Timestamp) {
        self.fleet.push(&record, now);
        let line = record.line();
        self.file.append(record.class(), line, record.write).await;
    }

    /// Brings everything that waits to the store.
    ///
    /// # Errors
    /// `ServiceUnavailable`; what waits goes on waiting.
    pub async fn flush(&self, control: &Control) -> Result<(), Fault> {
        self.fleet.flush(control).await
    }
}

/// Brings records to the store in batches for as long as the service runs.
pub async fn run(control: &Control, drain: &Drain) {
    loop {
        tokio::select! {
            () = drain.signalled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if !control.audit.fleet.is_due(control.now()) {
            continue;
        }
        if let Err(fault) = control.audit.flush(control).await {
            tracing::debug!(%fault, "records of calls wait for the metadata store");
        }
    }
}
