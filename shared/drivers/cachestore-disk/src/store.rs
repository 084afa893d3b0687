//! The store: a log while the disk is well, nothing while it is not.
//!
//! For: opening, beginning anew, turning off when the disk fails, and trying again. Whatever comes
//! back on begins empty: what was removed meanwhile could not be written down.
//! Not for: what is in the log (`log`).

use crate::{
    Fill, Kept,
    counters::Counters,
    files::{self, Kind},
    loader,
    log::{End, Log, Message, Parts, Segment},
    pool::Pool,
    shard::Seen,
    sizes::Sizes,
    stamp::{self, ClaimError, Point, Stamp},
    writer::Writer,
};
use arc_swap::ArcSwapOption;
use futures::{FutureExt as _, channel::oneshot, future::BoxFuture};
use parking_lot::Mutex;
use ports::cachestore::CacheKey;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};

/// How long a disk that failed is left alone.
pub const AGAIN_AFTER: Duration = Duration::from_mins(1);

/// What the store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It keeps and finds.
    On,
    /// It does neither, for this reason.
    Off(String),
}

/// Who is told when that changes.
pub type Tell = Box<dyn Fn(&State) + Send + Sync>;

/// What a store is made of.
pub struct Options {
    /// Where its files are; made if need be.
    pub folder: PathBuf,
    /// Bytes of all files together.
    pub budget: u64,
    /// How long a disk that failed is left alone: [`AGAIN_AFTER`].
    pub again_after: Duration,
    /// Told of every change, once at the start too.
    pub tell: Tell,
}

/// What is found.
pub enum Found<P> {
    /// Here it is.
    Now(P),
    /// The disk is asked.
    Later(BoxFuture<'static, Option<P>>),
    /// Nothing.
    Absent,
}

/// A store of whatever can be written.
pub struct Store<P: Kept> {
    shared: Arc<Shared<P>>,
    trouble: Sender<Trouble>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    recalled: Option<Point>,
}

struct Shared<P> {
    folder: PathBuf,
    sizes: Sizes,
    again_after: Duration,
    tell: Tell,
    counters: Arc<Counters>,
    log: ArcSwapOption<Log<P>>,
    released: AtomicBool,
    pool: Pool,
    held: Mutex<Held>,
    trouble: Sender<Trouble>,
}

/// What changes when the store begins anew.
#[derive(Default)]
struct Held {
    point: Point,
    /// What the file says; none while the store is off.
    stamp: Option<Stamp>,
    writer: Option<JoinHandle<()>>,
    claim: Option<File>,
}

enum Trouble {
    Failed(String),
    Closed,
}

/// Why a store cannot begin.
#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error(transparent)]
    Disk(#[from] io::Error),
}

impl<P: Kept> Store<P> {
    /// Opens what an earlier process left, or begins. A folder that cannot be used is no error: the
    /// store is off then, and tries again.
    ///
    /// # Errors
    /// When the system has no threads left.
    pub fn open(options: Options) -> io::Result<Self> {
        let (trouble, hears) = channel();
        let shared = Arc::new(Shared {
            sizes: Sizes::of(options.budget),
            folder: options.folder,
            again_after: options.again_after,
            tell: options.tell,
            counters: Arc::default(),
            log: ArcSwapOption::empty(),
            released: AtomicBool::new(false),
            pool: Pool::new()?,
            held: Mutex::default(),
            trouble: trouble.clone(),
        });
        let begun = shared.begin(true);
        let recalled = match &begun {
            Ok(recalled) => {
                (shared.tell)(&State::On);
                *recalled
            }
            Err(_) => None,
        };
        let off = begun.err().map(|why| why.to_string());
        let keeper = shared.clone();
        let keeper =
            Builder::new().name("disk-keeper".into()).spawn(move || keeper.keep(&hears, off))?;
        Ok(Self { shared, trouble, keeper: Mutex::new(Some(keeper)), recalled })
    }

    /// How far the earlier process had come whose entries are held; none when there are none.
    pub fn recalled(&self) -> Option<Point> {
        self.recalled
    }

    /// From now on what is held is found, and what is put is kept.
    pub fn release(&self) {
        self.shared.released.store(true, Ordering::Release);
    }

    /// The user has come so far; on disk before this returns. To be called before anything is put
    /// that was asked for later than this.
    pub fn note(&self, point: Point) {
        let mut held = self.shared.held.lock();
        held.point = point;
        let Some(mut stamp) = held.stamp else { return };
        stamp.point = point;
        held.stamp = Some(stamp);
        if let Err(why) = stamp.write(&self.shared.folder) {
            self.shared.fail(&mut held, format!("the stamp cannot be written: {why}"));
        }
    }

    /// What is held for a key.
    pub fn find(&self, key: &CacheKey) -> Found<P> {
        let Some(log) = self.log() else { return Found::Absent };
        match log.find(key) {
            Seen::Waiting(kept) => Found::Now(kept),
            Seen::Nothing => Found::Absent,
            Seen::There(spot) => {
                let (tell, told) = oneshot::channel();
                let (key, busy) = (*key, self.shared.counters.clone());
                let spawned = self.shared.pool.spawn(move || {
                    if !tell.is_canceled() {
                        let kept = log.read(&key, spot);
                        log.counters.read.add(u64::from(kept.is_some()));
                        let _ = tell.send(kept);
                    }
                });
                if spawned {
                    return Found::Later(told.map(|told| told.ok().flatten()).boxed());
                }
                busy.busy.add(1);
                Found::Absent
            }
        }
    }

    /// Keeps it in place of what was held.
    pub fn put(&self, key: CacheKey, kept: P) {
        if let Some(log) = self.log() {
            log.put(key, kept);
        }
    }

    /// Forgets it, for good.
    pub fn remove(&self, key: &CacheKey) {
        if let Some(log) = self.shared.log.load_full() {
            log.remove(key);
        }
    }

    /// Forgets everything, for good.
    pub fn clear(&self) {
        let mut held = self.shared.held.lock();
        if held.stamp.is_none() {
            return;
        }
        if let Err(why) = self.shared.begin_anew(&mut held) {
            self.shared.fail(&mut held, why.to_string());
        }
    }

    fn log(&self) -> Option<Arc<Log<P>>> {
        let released = self.shared.released.load(Ordering::Acquire);
        if released { self.shared.log.load_full() } else { None }
    }

    /// How full it is: what can be found, not what files take.
    pub fn fill(&self) -> Fill {
        self.shared.log.load().as_ref().map(|log| log.fill()).unwrap_or_default()
    }

    /// Bytes that files take.
    pub fn on_disk(&self) -> u64 {
        self.shared.log.load().as_ref().map(|log| log.on_disk()).unwrap_or_default()
    }

    /// The longest body that fits with its head.
    pub fn longest(&self) -> u64 {
        self.shared.sizes.longest()
    }

    /// What is counted.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Whether what an earlier process left is still being loaded.
    pub fn is_loading(&self) -> bool {
        self.shared.log.load().as_ref().is_some_and(|log| log.is_loading())
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.shared.log.load().is_some()
    }

    /// Returns once all that was put before is written. Waits for the disk.
    pub fn flush(&self) {
        let (done, written) = channel();
        if let Some(log) = self.shared.log.load_full() {
            log.say(Message::Flush(done));
            // An answer never comes: the writer drops its end when it is done.
            let _ = written.recv();
        }
    }

    /// Writes what waits and closes the log in order. Nothing is found or kept from then on. Waits
    /// for the disk.
    pub fn close(&self) {
        let _ = self.trouble.send(Trouble::Closed);
        let keeper = self.keeper.lock().take();
        if let Some(keeper) = keeper {
            let _ = keeper.join();
        }
    }
}

impl<P: Kept> Drop for Store<P> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<P: Kept> Shared<P> {
    /// Opens the folder. With `recall` what an earlier process left is taken over, if it can be; its
    /// point is returned then.
    fn begin(self: &Arc<Self>, recall: bool) -> Result<Option<Point>, BeginError> {
        let mut held = self.held.lock();
        let claim = stamp::claim(&self.folder)?;
        let found = files::look(&self.folder)?;
        if found.foreign > 0 {
            let (files, folder) = (found.foreign, self.folder.display().to_string());
            tracing::warn!(
                files,
                folder,
                "the folder of the disk cache holds files of somebody else: they are left alone"
            );
        }
        let known = Stamp::read(&self.folder).filter(|stamp| recall && stamp.is_good());
        let stamp = known.map_or_else(
            || Stamp::new(held.point),
            |known| Stamp { closed: false, boot: Stamp::new(known.point).boot, ..known },
        );
        if known.is_none() {
            Stamp::forget(&self.folder);
            delete(&self.folder, &found);
        }
        stamp.write(&self.folder)?;
        let next = found.ours.keys().map(|(number, _)| number + 1).max().unwrap_or(1);
        let left = if known.is_some() { Left::of(&self.folder, &found)? } else { Left::default() };
        let (log, writer) = self.start(stamp.epoch, next, left, None)?;
        *held = Held {
            point: stamp.point,
            stamp: Some(stamp),
            writer: Some(writer),
            claim: Some(claim),
        };
        self.log.store(Some(log));
        Ok(known.map(|known| known.point))
    }

    /// Puts an empty log in the place of the one that is there.
    fn begin_anew(self: &Arc<Self>, held: &mut Held) -> Result<(), BeginError> {
        let stamp = Stamp::new(held.point);
        stamp.write(&self.folder)?;
        held.stamp = Some(stamp);
        let old = self.log.swap(None);
        let next = old.map_or(1, |old| old.end(End::Discarded));
        let (log, writer) = self.start(stamp.epoch, next, Left::default(), held.writer.take())?;
        held.writer = Some(writer);
        self.log.store(Some(log));
        Ok(())
    }

    fn start(
        self: &Arc<Self>,
        epoch: u64,
        number: u32,
        left: Left,
        before: Option<JoinHandle<()>>,
    ) -> io::Result<(Arc<Log<P>>, JoinHandle<()>)> {
        let shared: Weak<Self> = Arc::downgrade(self);
        let on_failure = move |why| {
            if let Some(shared) = shared.upgrade() {
                shared.fail(&mut shared.held.lock(), why);
            }
        };
        let loads = !left.segments.is_empty();
        let (log, messages) = Log::new(Parts {
            folder: self.folder.clone(),
            sizes: self.sizes,
            epoch,
            counters: self.counters.clone(),
            segments: left.segments,
            number,
            on_failure: Box::new(on_failure),
        })?;
        let (loading, journals) = (log.clone(), left.journals);
        let loader = loads.then(|| {
            let load = move || loader::load(&loading, &journals);
            Builder::new().name("disk-load".into()).spawn(load)
        });
        let writer = Writer::new(log.clone(), messages, loader.transpose()?, before)?;
        let writer = Builder::new().name("disk-write".into()).spawn(move || writer.run())?;
        Ok((log, writer))
    }

    /// The disk fails: nothing that is on it counts from now on.
    fn fail(&self, held: &mut Held, why: String) {
        if held.stamp.take().is_some() {
            Stamp::forget(&self.folder);
            self.counters.failures.add(1);
            let _ = self.trouble.send(Trouble::Failed(why));
        }
    }

    /// Waits for trouble, and sees to it. `off`: why the store could not begin.
    fn keep(self: Arc<Self>, trouble: &Receiver<Trouble>, mut off: Option<String>) {
        loop {
            if let Some(why) = off.take() {
                (self.tell)(&State::Off(why));
                if !self.wait_until_well(trouble) {
                    return self.close();
                }
                (self.tell)(&State::On);
            }
            match trouble.recv() {
                Ok(Trouble::Failed(why)) => {
                    self.turn_off();
                    off = Some(why);
                }
                Ok(Trouble::Closed) | Err(_) => return self.close(),
            }
        }
    }

    fn turn_off(&self) {
        let TakenOut { log, writer, .. } = self.take_out();
        if let Some(log) = log {
            log.end(End::Discarded);
        }
        if let Some(writer) = writer {
            let _ = writer.join();
        }
        let claim = self.held.lock().claim.take();
        // Still claimed: all of it is ours.
        if let (Some(_claim), Ok(found)) = (claim, files::look(&self.folder)) {
            delete(&self.folder, &found);
        }
    }

    /// Takes the log out, and all that belongs to it, in one moment: without a stamp nobody puts
    /// another in its place.
    fn take_out(&self) -> TakenOut<P> {
        let mut held = self.held.lock();
        TakenOut { log: self.log.swap(None), writer: held.writer.take(), stamp: held.stamp.take() }
    }

    /// Tries again and again. False when the store is closed meanwhile.
    fn wait_until_well(self: &Arc<Self>, trouble: &Receiver<Trouble>) -> bool {
        let mut last = None;
        loop {
            match trouble.recv_timeout(self.again_after) {
                Ok(Trouble::Closed) | Err(RecvTimeoutError::Disconnected) => return false,
                Ok(Trouble::Failed(_)) => continue,
                Err(RecvTimeoutError::Timeout) => {}
            }
            match self.begin(false) {
                Ok(_) => return true,
                Err(why) => {
                    let why = why.to_string();
                    if last.as_ref() != Some(&why) {
                        (self.tell)(&State::Off(why.clone()));
                    }
                    last = Some(why);
                }
            }
        }
    }

    fn close(&self) {
        let TakenOut { log, writer, stamp } = self.take_out();
        if let Some(log) = log {
            log.end(End::Sealed);
        }
        if let Some(writer) = writer {
            let _ = writer.join();
        }
        if let Some(stamp) = stamp {
            let closed = Stamp { closed: true, ..stamp }.write(&self.folder);
            if let Err(why) = closed {
                tracing::warn!(%why, "the disk cache was not closed in order");
            }
        }
        self.held.lock().claim = None;
    }
}

/// What belongs together and is taken out together.
struct TakenOut<P> {
    log: Option<Arc<Log<P>>>,
    writer: Option<JoinHandle<()>>,
    stamp: Option<Stamp>,
}

/// What an earlier process left.
#[derive(Default)]
struct Left {
    segments: BTreeMap<u32, Segment>,
    journals: BTreeSet<u32>,
}

impl Left {
    fn of(folder: &Path, found: &files::Found) -> io::Result<Self> {
        let mut left = Self::default();
        for (number, kind) in found.ours.keys() {
            match kind {
                Kind::Records => {
                    let file = Arc::new(File::open(files::path(folder, *number, *kind))?);
                    let sizes = files::KINDS.map(|kind| found.ours.get(&(*number, kind)));
                    let bytes = sizes.into_iter().flatten().sum();
                    left.segments.insert(*number, Segment { file, bytes });
                }
                Kind::Removals => {
                    left.journals.insert(*number);
                }
                Kind::List => {}
            }
        }
        Ok(left)
    }
}

/// Takes all of our files away, as far as they can be.
fn delete(folder: &Path, found: &files::Found) {
    let numbers: BTreeSet<u32> = found.ours.keys().map(|(number, _)| *number).collect();
    for number in numbers {
        files::delete(folder, number);
    }
}
