//! Loading what an earlier process left, newest first, while everything else goes on.
//!
//! A segment with a list costs reading the list. One without, which was being written when the
//! process ended, is read from end to end; what was torn in it is left out. A segment whose journal
//! is missing or damaged is not believed, nor is any older one: something may have been removed from
//! them that nobody knows of.

use crate::{
    Kept,
    files::{self, Kind, Line},
    journal,
    log::{Log, Segment},
};
use std::{collections::BTreeSet, fs, sync::Arc, time::Instant};

/// Loads everything. `journals` are the numbers of all that are there.
pub fn load<P: Kept>(log: &Arc<Log<P>>, journals: &BTreeSet<u32>) {
    let started = Instant::now();
    let numbers: Vec<u32> = log.segments.read().keys().copied().collect();
    let left: Vec<u32> = numbers.into_iter().filter(|number| !log.is_written(*number)).collect();
    let good = believed(log, &left, journals);
    let mut entries = 0;
    for number in good.into_iter().rev() {
        if log.is_over() {
            return;
        }
        entries += load_segment(log, number);
    }
    log.has_loaded();
    let seconds = started.elapsed().as_secs_f64();
    tracing::info!(entries, segments = left.len(), seconds, "the index of the disk cache is whole");
}

/// The segments that can be believed, in order; removals from them are known from here on. Others
/// are taken away.
fn believed<P: Kept>(log: &Log<P>, left: &[u32], journals: &BTreeSet<u32>) -> Vec<u32> {
    let mut good: BTreeSet<u32> = left.iter().copied().collect();
    let all: BTreeSet<u32> = journals.iter().chain(left).copied().collect();
    for number in all.into_iter().filter(|number| !log.is_written(*number)) {
        if let Some(removals) = journal::read(&log.folder, number, log.epoch) {
            for (print, before) in removals {
                log.shard(print).bury(print, before);
            }
            continue;
        }
        for bad in std::mem::take(&mut good) {
            if bad > number {
                good.insert(bad);
                continue;
            }
            tracing::warn!(
                segment = bad,
                "what was removed from a segment of the disk cache cannot be read: it is dropped"
            );
            log.counters.damaged.add(1);
            log.drop_segment(bad);
        }
        let _ = fs::remove_file(files::path(&log.folder, number, Kind::Removals));
    }
    let oldest = good.first().copied().unwrap_or(u32::MAX);
    for useless in journals.iter().filter(|number| **number < oldest && !log.is_written(**number)) {
        let _ = fs::remove_file(files::path(&log.folder, *useless, Kind::Removals));
    }
    good.into_iter().collect()
}

fn load_segment<P: Kept>(log: &Log<P>, number: u32) -> u64 {
    let segment = log.segments.read().get(&number).cloned();
    let Some(segment) = segment else { return 0 };
    let size = segment.file.metadata().map_or(0, |metadata| metadata.len());
    let listed = files::read_list(&log.folder, number, log.epoch, size);
    let lines = listed.unwrap_or_else(|| read_whole(log, number, &segment));
    let mut entries = 0;
    for line in lines.iter().rev() {
        // Counted first, so that whoever takes it away at once finds it counted.
        log.count(u64::from(line.spot.length()));
        if log.shard(line.print).load(line.print, line.spot) {
            entries += 1;
        } else {
            log.uncount(1, u64::from(line.spot.length()));
        }
    }
    entries
}

fn read_whole<P: Kept>(log: &Log<P>, number: u32, segment: &Segment) -> Vec<Line> {
    match files::scan(&segment.file, number, log.epoch) {
        Ok(scanned) => {
            log.counters.damaged.add(scanned.damaged);
            let (records, damaged) = (scanned.lines.len(), scanned.damaged);
            tracing::info!(
                segment = number,
                records,
                damaged,
                "a segment of the disk cache was read whole"
            );
            // The next start need not read it again.
            let list = files::list(number, log.epoch, &scanned.lines);
            let _ = fs::write(files::path(&log.folder, number, Kind::List), &list);
            scanned.lines
        }
        Err(why) => {
            log.fail("a segment cannot be read", &why);
            Vec::new()
        }
    }
}
