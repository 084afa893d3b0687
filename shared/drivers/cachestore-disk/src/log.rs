//! The log: what is held where, for those who find, put and remove.
//!
//! For: all that many threads do at once, and the promise that what was removed or replaced does not
//! come back: before `remove` or `put` return, the journal has it. Not for: writing records
//! (`writer`), loading what an earlier process left (`loader`), nor for when to begin anew (`store`).
//!
//! Order: every record and every removal has a place, and of one key the last place counts. The
//! writer alone moves the head, under the lock of the key whose record it writes.

use crate::{
    Kept,
    counters::Counters,
    files,
    journal::Journal,
    place::{Place, Print, SHARDS, Spot},
    record,
    shard::{Seen, Shard, Taken, Waiting},
    sizes::Sizes,
};
use parking_lot::{Mutex, MutexGuard, RwLock};
use ports::cachestore::{CacheKey, Fill};
use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
};

/// Reads that may fail before the disk counts as failing.
const MOST_READ_ERRORS: u64 = 3;

/// What is said to the writer.
#[derive(Debug)]
pub enum Message {
    /// Something waits to be written.
    Put(Print, u64),
    /// Write all that waits, then say so.
    Flush(Sender<()>),
    /// End: seal what was written, or take all files away.
    End(End),
}

/// How a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It will be read by a later process.
    Sealed,
    /// It does not count any more.
    Discarded,
}

/// One segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its records.
    pub file: Arc<File>,
    /// All its files together.
    pub bytes: u64,
}

/// Who is told when the disk fails.
pub type OnFailure = Box<dyn Fn(String) + Send + Sync>;

/// The log.
pub struct Log<P> {
    /// Where its files are.
    pub folder: PathBuf,
    /// How large things may be.
    pub sizes: Sizes,
    /// Its secret number.
    pub epoch: u64,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// All segments by number.
    pub segments: RwLock<BTreeMap<u32, Segment>>,
    /// The journal of the segment that is written.
    pub journal: Mutex<Journal>,
    /// Number of the segment that is written; while it is locked, no other is begun.
    pub turn: Mutex<u32>,
    /// Number of the first segment of this process.
    first: u32,
    shards: Vec<Mutex<Shard<P>>>,
    last_shard: Mutex<Shard<P>>,
    head: AtomicU64,
    puts: AtomicU64,
    queued: AtomicU64,
    entries: AtomicU64,
    bytes: AtomicU64,
    loading: AtomicBool,
    ended: AtomicBool,
    read_errors: AtomicU64,
    failed: AtomicBool,
    on_failure: OnFailure,
    messages: Sender<Message>,
}

/// What a log is made of.
pub struct Parts {
    /// See [`Log`].
    pub folder: PathBuf,
    /// See [`Log`].
    pub sizes: Sizes,
    /// See [`Log`].
    pub epoch: u64,
    /// See [`Log`].
    pub counters: Arc<Counters>,
    /// Segments that an earlier process left.
    pub segments: BTreeMap<u32, Segment>,
    /// Number of the first segment that is written.
    pub number: u32,
    /// Told once, when the disk fails.
    pub on_failure: OnFailure,
}

impl<P: Kept> Log<P> {
    /// A log that writes to a new segment, and where its writer hears what to do.
    ///
    /// # Errors
    /// The system's.
    pub fn new(parts: Parts) -> io::Result<(Arc<Self>, Receiver<Message>)> {
        let (messages, hears) = channel();
        let loading = !parts.segments.is_empty();
        let journal = Journal::create(&parts.folder, parts.number, parts.epoch)?;
        let log = Self {
            journal: Mutex::new(journal),
            segments: RwLock::new(parts.segments),
            turn: Mutex::new(parts.number),
            last_shard: Mutex::new(Shard::new(loading)),
            shards: (1..SHARDS).map(|_| Mutex::new(Shard::new(loading))).collect(),
            first: parts.number,
            head: AtomicU64::new(Place::at(parts.number, 0).0),
            puts: AtomicU64::new(0),
            queued: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            loading: AtomicBool::new(loading),
            ended: AtomicBool::new(false),
            read_errors: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            on_failure: parts.on_failure,
            messages,
            folder: parts.folder,
            sizes: parts.sizes,
            epoch: parts.epoch,
            counters: parts.counters,
        };
        Ok((Arc::new(log), hears))
    }

    /// The part of the index that a key belongs to.
    pub fn shard(&self, print: Print) -> MutexGuard<'_, Shard<P>> {
        self.shards.get(print.shard()).unwrap_or(&self.last_shard).lock()
    }

    /// All parts, one after the other.
    pub fn each_shard(&self, mut work: impl FnMut(&mut Shard<P>)) {
        let all = self.shards.iter().chain([&self.last_shard]);
        all.for_each(|shard| work(&mut shard.lock()));
    }

    /// What is known of a key.
    pub fn find(&self, key: &CacheKey) -> Seen<P> {
        let print = Print::of(key);
        self.shard(print).find(print, key)
    }

    /// Keeps it in place of what was held. What does not fit the queue is not kept, and what was held
    /// is gone all the same.
    pub fn put(&self, key: CacheKey, kept: P) {
        let (print, bytes) = (Print::of(&key), record::total(kept.length()) as u64);
        if self.is_over() {
            return;
        }
        let fits = bytes <= self.sizes.longest_record() && self.has_room(bytes);
        let id = self.puts.fetch_add(1, Ordering::Relaxed);
        let mut shard = self.shard(print);
        let head = self.head();
        let taken = shard.take(print, head);
        if fits {
            self.count(bytes);
            self.queued.fetch_add(bytes, Ordering::Relaxed);
            shard.wait(print, Waiting { id, key, kept, bytes, on_disk: false });
        }
        drop(shard);
        self.has_taken(print, head, taken);
        if fits {
            self.say(Message::Put(print, id));
        } else {
            self.counters.dropped.add(1);
        }
    }

    /// Forgets it, for good.
    pub fn remove(&self, key: &CacheKey) {
        if self.is_over() {
            return;
        }
        let print = Print::of(key);
        let mut shard = self.shard(print);
        let head = self.head();
        let taken = shard.take(print, head);
        drop(shard);
        self.has_taken(print, head, taken);
    }

    fn has_taken(&self, print: Print, head: Place, taken: Taken) {
        if let Some(bytes) = taken.held {
            self.uncount(1, bytes);
        }
        self.queued.fetch_sub(taken.queued, Ordering::Relaxed);
        if taken.bury {
            self.bury(print, head);
        }
    }

    fn bury(&self, print: Print, before: Place) {
        let buried = self.journal.lock().bury(print, before);
        match buried {
            Ok(()) => self.counters.removals.add(1),
            Err(why) => self.fail("a removal cannot be written", &why),
        }
    }

    /// Reads a record. None when it is not there any more, damaged, or another key's; a damaged one
    /// is forgotten. Waits for the disk.
    pub fn read(&self, key: &CacheKey, spot: Spot) -> Option<P> {
        let print = Print::of(key);
        let file = self.segments.read().get(&spot.segment).map(|segment| segment.file.clone())?;
        let mut bytes = vec![0; spot.length() as usize];
        if let Err(why) = file.read_exact_at(&mut bytes, u64::from(spot.offset)) {
            self.unreadable(print, spot, &why);
            return None;
        }
        let opened = record::open(&bytes, self.epoch, spot.place());
        let Some((whose, kept)) = opened.and_then(|(key, payload)| Some((key, P::read(payload)?)))
        else {
            self.damaged(print, spot);
            return None;
        };
        (whose == *key).then_some(kept)
    }

    fn unreadable(&self, print: Print, spot: Spot, why: &io::Error) {
        self.damaged(print, spot);
        let ends_early = why.kind() == io::ErrorKind::UnexpectedEof;
        if !ends_early && self.read_errors.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_READ_ERRORS {
            self.fail("records cannot be read", why);
        }
    }

    fn damaged(&self, print: Print, spot: Spot) {
        self.counters.damaged.add(1);
        if self.shard(print).forget(print, spot) {
            self.uncount(1, u64::from(spot.length()));
        }
    }

    /// The disk fails. The first to notice tells, and nothing is found or put from then on.
    pub fn fail(&self, what: &str, why: &io::Error) {
        if !self.failed.swap(true, Ordering::AcqRel) && !self.ended.load(Ordering::Acquire) {
            (self.on_failure)(format!("{what}: {why}"));
        }
    }

    /// Whether it has failed or ended.
    pub fn is_over(&self) -> bool {
        self.failed.load(Ordering::Acquire) || self.ended.load(Ordering::Acquire)
    }

    /// Whether it was told to end.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Nothing is put or removed from now on; the writer ends once it has heard of it. Returns a
    /// number for the first segment of a log that comes after.
    pub fn end(&self, how: End) -> u32 {
        let turn = self.turn.lock();
        self.ended.store(true, Ordering::Release);
        self.say(Message::End(how));
        turn.saturating_add(1)
    }

    /// Says something to the writer; one that has ended does not hear it.
    pub fn say(&self, message: Message) {
        let _ = self.messages.send(message);
    }

    /// Where the next record begins.
    pub fn head(&self) -> Place {
        Place(self.head.load(Ordering::Acquire))
    }

    /// The writer has come so far.
    pub fn move_head(&self, to: Place) {
        self.head.store(to.0, Ordering::Release);
    }

    fn has_room(&self, bytes: u64) -> bool {
        self.queued.load(Ordering::Relaxed) + bytes <= self.sizes.queue
    }

    /// A put is a record now, or given up: it does not wait any more.
    pub fn waits_no_more(&self, bytes: u64) {
        self.queued.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// What is written anew waits again, room or not.
    pub fn waits_again(&self, bytes: u64) {
        self.queued.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A number for a put.
    pub fn next_put(&self) -> u64 {
        self.puts.fetch_add(1, Ordering::Relaxed)
    }

    /// One more entry is held.
    pub fn count(&self, bytes: u64) {
        self.entries.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many fewer are held.
    pub fn uncount(&self, entries: u64, bytes: u64) {
        self.entries.fetch_sub(entries, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// How full it is: what can be found, not what files take.
    pub fn fill(&self) -> Fill {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Fill { entries: load(&self.entries), bytes: load(&self.bytes) }
    }

    /// Bytes of all files.
    pub fn on_disk(&self) -> u64 {
        let segments: u64 = self.segments.read().values().map(|segment| segment.bytes).sum();
        segments + self.journal.lock().bytes
    }

    /// Whether what an earlier process left is still being loaded.
    pub fn is_loading(&self) -> bool {
        self.loading.load(Ordering::Acquire)
    }

    /// All is loaded.
    pub fn has_loaded(&self) {
        self.each_shard(Shard::loaded);
        self.loading.store(false, Ordering::Release);
    }

    /// Whether this segment is written by this process.
    pub fn is_written(&self, number: u32) -> bool {
        number >= self.first
    }

    /// Takes the files of a segment away and forgets what was in it.
    pub fn drop_segment(&self, number: u32) {
        self.segments.write().remove(&number);
        files::delete(&self.folder, number);
    }
}
