//! Records in the metadata store: in batches, bounded in number, the newest first.
//!
//! A batch's key begins with its time, counted backwards, so that lists begin with the newest; it
//! says how many records the batch holds, so that counting needs no reading.

use super::record::{Class, Record};
use crate::{
    control::Control,
    ids,
    store::{Change, Stopped},
    wire::fault::Fault,
};
use kit::metrics::Metrics;
use model::units::{Seconds, Timestamp};
use parking_lot::Mutex;
use ports::metastore::{Commit, Entry, Write};
use prometheus_client::metrics::counter::Counter;
use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
};

/// Prefix of batches in the store.
pub const PREFIX: &str = "audit/";
/// Most records that wait; those beyond are in the file only.
const MOST_WAITING: usize = 10_000;
/// Most records of one batch.
const MOST_AT_ONCE: usize = 500;
/// How long reads may wait for company: each batch is a commit, which every edge hears.
const PATIENCE: Seconds = Seconds(10);
/// How many records are written before it is counted again whether some must go.
const COUNT_EVERY: u64 = 1000;
/// Entries on one page when they are counted.
const PAGE: usize = 500;
/// Times are counted backwards from here, in milliseconds: twelve hexadecimal digits.
const END_OF_TIME: u64 = (1 << 48) - 1;

/// Records on their way to the store.
pub struct Queue {
    waiting: Mutex<Waiting>,
    /// One flush at a time.
    busy: tokio::sync::Mutex<()>,
    most: u64,
    since_counted: AtomicU64,
    dropped: Counter,
}

#[derive(Default)]
struct Waiting {
    known: VecDeque<Record>,
    strangers: VecDeque<Record>,
    /// Something waits that should not wait for long.
    urgent: bool,
    /// When the eldest came.
    since: Option<Timestamp>,
}

impl Waiting {
    fn len(&self) -> usize {
        self.known.len().saturating_add(self.strangers.len())
    }

    fn of(&mut self, class: Class) -> &mut VecDeque<Record> {
        match class {
            Class::Known => &mut self.known,
            Class::Stranger => &mut self.strangers,
        }
    }

    /// Makes room for one more, if all is taken: strangers' records go first, or anybody could push
    /// out the record of what those who are known have done. Says whether one went.
    fn make_room(&mut self) -> bool {
        self.len() >= MOST_WAITING
            && self.strangers.pop_front().or_else(|| self.known.pop_front()).is_some()
    }

    /// One more, the newest of its class; whether one was lost for it.
    fn push(&mut self, record: Record) -> bool {
        let class = record.class();
        if class == Class::Stranger && self.known.len() >= MOST_WAITING {
            return true;
        }
        let lost = self.make_room();
        self.of(class).push_back(record);
        lost
    }

    /// The eldest of all that are known, then of strangers.
    fn take(&mut self) -> Vec<Record> {
        let known = self.known.len().min(MOST_AT_ONCE);
        let strangers = self.strangers.len().min(MOST_AT_ONCE.saturating_sub(known));
        let batch = self.known.drain(..known).chain(self.strangers.drain(..strangers)).collect();
        if self.len() == 0 {
            self.urgent = false;
            self.since = None;
        }
        batch
    }

    /// What could not be written, before all that came since; how many were lost. Newer ones of the
    /// same class stay.
    fn put_back(&mut self, batch: Vec<Record>) -> u64 {
        let mut lost = 0;
        for record in batch.into_iter().rev() {
            let class = record.class();
            if self.len() >= MOST_WAITING {
                lost += 1;
                if class == Class::Stranger || self.strangers.pop_front().is_none() {
                    continue;
                }
            }
            self.of(class).push_front(record);
        }
        lost
    }
}

impl Queue {
    /// Keeps at most so many records of those who are known in the store, and as many of others.
    pub fn of(most: u64, metrics: &Metrics) -> Self {
        let dropped = Counter::default();
        metrics.register(|registry| {
            let help = "Records of management calls that did not reach the metadata store";
            registry.register("control_audit_dropped", help, dropped.clone());
        });
        Self {
            waiting: Mutex::default(),
            busy: tokio::sync::Mutex::default(),
            most,
            since_counted: AtomicU64::new(COUNT_EVERY),
            dropped,
        }
    }

    /// One more record.
    pub fn push(&self, record: &Record, now: Timestamp) {
        let mut waiting = self.waiting.lock();
        if waiting.push(record.clone()) {
            self.dropped.inc();
        }
        waiting.urgent |= record.write || !record.error.is_empty();
        waiting.since.get_or_insert(now);
    }

    /// Whether it is time to write what waits.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let waiting = self.waiting.lock();
        let old = waiting.since.is_some_and(|since| now.since(since) >= PATIENCE);
        waiting.urgent || old || waiting.len() >= MOST_AT_ONCE
    }

    /// Writes all that waits.
    ///
    /// # Errors
    /// Those of the store; what was not written waits again.
    pub async fn flush(&self, control: &Control) -> Result<(), Fault> {
        let _one_at_a_time = self.busy.lock().await;
        loop {
            let batch = self.waiting.lock().take();
            if batch.is_empty() {
                break;
            }
            if let Err(fault) = write(control, &batch).await {
                self.put_back(batch, control.now());
                return Err(fault);
            }
            let count = u64::try_from(batch.len()).unwrap_or_default();
            self.since_counted.fetch_add(count, Ordering::Relaxed);
        }
        if self.since_counted.load(Ordering::Relaxed) >= COUNT_EVERY {
            self.since_counted.store(0, Ordering::Relaxed);
            self.prune(control).await?;
        }
        Ok(())
    }

    fn put_back(&self, batch: Vec<Record>, now: Timestamp) {
        let mut waiting = self.waiting.lock();
        self.dropped.inc_by(waiting.put_back(batch));
        waiting.urgent = true;
        waiting.since.get_or_insert(now);
    }

    /// Takes the eldest batches away, beyond the bound of their class.
    async fn prune(&self, control: &Control) -> Result<(), Fault> {
        let (mut known, mut strangers) = (0_u64, 0_u64);
        let mut after: Option<String> = None;
        loop {
            let page = control.store().list(PREFIX, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.clone());
            let mut old = Vec::new();
            for Entry { key, .. } in page {
                let (class, count) = parts(&key).unwrap_or((Class::Stranger, u64::MAX));
                let sum = if class == Class::Known { &mut known } else { &mut strangers };
                *sum = sum.saturating_add(count);
                if *sum > self.most {
                    old.push(Write::Delete(key));
                }
            }
            if !old.is_empty() {
                let commit = Commit { checks: Vec::new(), writes: old };
                control.store().commit(commit).await.map_err(Fault::internal)?;
            }
        }
    }
}

async fn write(control: &Control, batch: &[Record]) -> Result<(), Fault> {
    let mut change = Change::default();
    for class in [Class::Known, Class::Stranger] {
        let records: Vec<&Record> =
            batch.iter().rev().filter(|record| record.class() == class).collect();
        if !records.is_empty() {
            change.put(key(control.now(), class, records.len()), &records)?;
        }
    }
    match change.commit(control.store()).await {
        Ok(_) => Ok(()),
        Err(Stopped::Refused(fault)) => Err(fault),
        Err(Stopped::Again) => Err(Fault::internal("a batch without conditions met one")),
    }
}

/// `audit/TIME-CLASS-COUNT-CHANCE`.
fn key(now: Timestamp, class: Class, count: usize) -> String {
    let class = if class == Class::Known { "k" } else { "s" };
    format!("{}-{class}-{count}-{}", up_to(now), ids::entity())
}

/// Where batches of this time and earlier ones begin.
pub fn up_to(at: Timestamp) -> String {
    format!("{PREFIX}{:012x}", END_OF_TIME.saturating_sub(at.0))
}

fn parts(key: &str) -> Option<(Class, u64)> {
    let mut parts = key.strip_prefix(PREFIX)?.split('-').skip(1);
    let class = match parts.next()? {
        "k" => Class::Known,
        "s" => Class::Stranger,
        _ => return None,
    };
    Some((class, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number stands for a time; without a principal it is a stranger's.
    fn record(number: usize, principal: &str) -> Record {
        serde_json::from_value(serde_json::json!({
            "time": "", "request": number.to_string(), "principal": principal, "user": "",
            "key": "", "from": "", "agent": "", "service": "", "region": "", "operation": "",
            "write": true, "resources": [], "status": 200, "error": "",
        }))
        .unwrap()
    }

    fn filled(known: usize, strangers: usize) -> Waiting {
        let mut waiting = Waiting::default();
        for number in 0..known {
            waiting.push(record(number, "ann"));
        }
        for number in 0..strangers {
            waiting.push(record(number, ""));
        }
        waiting
    }

    #[test]
    fn strangers_who_knock_ten_thousand_times_push_out_nobody_who_is_known() {
        let mut waiting = filled(3, 2 * MOST_WAITING);
        assert_eq!((waiting.known.len(), waiting.len()), (3, MOST_WAITING));
        assert_eq!(waiting.strangers.back().unwrap().request, (2 * MOST_WAITING - 1).to_string());
        assert!(waiting.push(record(3, "ann")), "a stranger's record has made way");
        assert_eq!((waiting.known.len(), waiting.len()), (4, MOST_WAITING));
        let mut full = filled(MOST_WAITING, 1);
        assert_eq!((full.known.len(), full.strangers.len()), (MOST_WAITING, 0));
        assert!(full.push(record(MOST_WAITING, "ann")));
        assert_eq!(full.known.front().unwrap().request, "1", "the eldest has gone");
    }

    #[test]
    fn what_could_not_be_written_comes_back_before_strangers_who_came_meanwhile() {
        let mut waiting = filled(2, 1);
        let batch = waiting.take();
        assert_eq!(batch.len(), 3);
        for number in 0..MOST_WAITING {
            waiting.push(record(number, ""));
        }
        assert_eq!(waiting.put_back(batch), 3, "two strangers that came since, and the one before");
        assert_eq!((waiting.known.len(), waiting.len()), (2, MOST_WAITING));
        assert_eq!(waiting.known.front().unwrap().request, "0");
    }

    #[test]
    fn later_batches_come_first_and_say_what_they_hold() {
        let keys = [1, 2, 1_777_836_800_000, 1_777_836_800_001]
            .map(|at| key(Timestamp(at), Class::Known, 7));
        let mut sorted = keys.to_vec();
        sorted.sort_by(|a, b| b.cmp(a));
        assert_eq!(keys.to_vec(), sorted);
        assert_eq!(parts(&keys[0]), Some((Class::Known, 7)));
        assert!(up_to(Timestamp(2)) < keys[1] && keys[1] < up_to(Timestamp(1)));
        assert_eq!(parts("audit/x"), None);
    }
}
