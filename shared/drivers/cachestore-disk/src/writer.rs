//! The one thread that writes records: in batches, segment after segment, making room as it goes.
//!
//! Eviction: the oldest segment goes first. Of its records those that were read since they were
//! written are written anew, up to a quarter of a segment, the youngest first: so that whatever is
//! asked for stays, and every segment that goes makes room for three quarters of one at least.

use crate::{
    Kept,
    files::{self, HEADER, Kind, Line},
    journal::Journal,
    log::{End, Log, Message, Segment},
    place::{Place, Print, Spot},
    record,
    shard::Waiting,
};
use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
    thread::JoinHandle,
};

/// Written at a time.
const BATCH: usize = 1 << 20;

/// The writer.
pub struct Writer<P> {
    log: Arc<Log<P>>,
    messages: Receiver<Message>,
    /// Loads what an earlier process left; nothing is evicted before it has ended.
    loader: Option<JoinHandle<()>>,
    /// The writer of the log before this one: nothing is written before its files are gone.
    before: Option<JoinHandle<()>>,
    active: Active,
    batch: Vec<u8>,
    /// Records in the batch, by the put that they are of.
    batched: Vec<(u64, Line)>,
    /// What is written anew.
    again: VecDeque<(Print, u64)>,
    flushed: Vec<Sender<()>>,
}

/// The segment that is written.
struct Active {
    number: u32,
    file: Arc<File>,
    /// Where the next record begins, those in the batch counted.
    end: u64,
    lines: Vec<Line>,
}

impl Active {
    fn begin<P: Kept>(log: &Log<P>, number: u32) -> io::Result<Self> {
        let mut file = files::create(&log.folder, number, Kind::Records)?;
        file.write_all(&files::header(Kind::Records, number, log.epoch))?;
        let file = Arc::new(file);
        let segment = Segment { file: file.clone(), bytes: HEADER as u64 };
        log.segments.write().insert(number, segment);
        let active = Self { number, file, end: HEADER as u64, lines: Vec::new() };
        log.move_head(active.place());
        Ok(active)
    }

    fn place(&self) -> Place {
        Place::at(self.number, offset(self.end))
    }
}

/// Segments are smaller than 4 GiB.
fn offset(end: u64) -> u32 {
    debug_assert!(u32::try_from(end).is_ok(), "{end}");
    u32::try_from(end).unwrap_or(u32::MAX)
}

impl<P: Kept> Writer<P> {
    /// A writer for a new log.
    ///
    /// # Errors
    /// The system's.
    pub fn new(
        log: Arc<Log<P>>,
        messages: Receiver<Message>,
        loader: Option<JoinHandle<()>>,
        before: Option<JoinHandle<()>>,
    ) -> io::Result<Self> {
        let number = *log.turn.lock();
        let active = Active::begin(&log, number)?;
        Ok(Self {
            log,
            messages,
            loader,
            before,
            active,
            batch: Vec::new(),
            batched: Vec::new(),
            again: VecDeque::new(),
            flushed: Vec::new(),
        })
    }

    /// Writes until the log ends or the disk fails.
    pub fn run(mut self) {
        if let Some(before) = self.before.take() {
            let _ = before.join();
        }
        let ended = self.write_all();
        self.finish_loading();
        match ended {
            Ok(End::Sealed) => self.close(),
            Ok(End::Discarded) => self.take_away(),
            Err(why) => self.log.fail("records cannot be written", &why),
        }
    }

    fn close(&mut self) {
        let closed = self.seal().and_then(|()| self.log.journal.lock().sync());
        if let Err(why) = closed {
            tracing::warn!(%why, "the disk cache was not closed in order: the next start reads its last segment whole");
        }
    }

    fn write_all(&mut self) -> io::Result<End> {
        while let Ok(message) = self.messages.recv() {
            match self.write_batch(message) {
                Ok(None) => {}
                Ok(Some(end)) => return Ok(end),
                Err(_) if self.log.has_ended() => return Ok(self.end()),
                Err(why) => return Err(why),
            }
        }
        Ok(End::Discarded)
    }

    fn write_batch(&mut self, message: Message) -> io::Result<Option<End>> {
        let mut next = Some(message);
        while let Some(message) = next {
            if let Some(end) = self.hear(message)? {
                return Ok(Some(end));
            }
            self.write_again()?;
            let full = self.batch.len() >= BATCH;
            next = if full { None } else { self.messages.try_recv().ok() };
        }
        self.flush()?;
        self.flushed.clear();
        Ok(None)
    }

    /// How the log ends, which has been said already.
    fn end(&self) -> End {
        let said = self.messages.iter().find_map(|message| match message {
            Message::End(how) => Some(how),
            Message::Put(..) | Message::Flush(_) => None,
        });
        said.unwrap_or(End::Discarded)
    }

    fn hear(&mut self, message: Message) -> io::Result<Option<End>> {
        match message {
            Message::Put(print, id) => self.write(print, id)?,
            Message::Flush(done) => self.flushed.push(done),
            Message::End(End::Discarded) => return Ok(Some(End::Discarded)),
            Message::End(End::Sealed) => {
                self.flush()?;
                return Ok(Some(End::Sealed));
            }
        }
        Ok(None)
    }

    fn write_again(&mut self) -> io::Result<()> {
        while let Some((print, id)) = self.again.pop_front() {
            self.write(print, id)?;
        }
        Ok(())
    }

    /// Adds what a put brought to the batch, if it still counts.
    fn write(&mut self, print: Print, id: u64) -> io::Result<()> {
        let Some((key, kept)) = self.log.shard(print).waits(print, id) else { return Ok(()) };
        let mut start = self.batch.len();
        let payload = record::append(&mut self.batch, |batch| kept.write(batch));
        let length = (self.batch.len() - start) as u64;
        if length > self.log.sizes.longest_record() {
            self.batch.truncate(start);
            self.give_up(print, id);
            return Ok(());
        }
        if self.active.end + length > self.log.sizes.segment {
            let record = self.batch.split_off(start);
            self.flush()?;
            self.turn_over()?;
            (self.batch, start) = (record, 0);
        }
        let place = self.active.place();
        let record = self.batch.get_mut(start..).unwrap_or_default();
        let sealed = record::seal(record, &key, payload, self.log.epoch, place);
        if !sealed || !self.begin(print, id, length) {
            self.batch.truncate(start);
        }
        Ok(())
    }

    /// Moves the head past a record of the batch. False when something has taken its place.
    fn begin(&mut self, print: Print, id: u64, length: u64) -> bool {
        let mut shard = self.log.shard(print);
        if !shard.begin(print, id) {
            return false;
        }
        let spot = Spot::new(self.active.number, offset(self.active.end), offset(length));
        self.active.end += length;
        self.log.move_head(self.active.place());
        drop(shard);
        self.batched.push((id, Line { print, spot }));
        true
    }

    fn give_up(&self, print: Print, id: u64) {
        if let Some(bytes) = self.log.shard(print).give_up(print, id) {
            self.log.waits_no_more(bytes);
            self.log.uncount(1, bytes);
            self.log.counters.dropped.add(1);
        }
    }

    /// Writes the batch.
    fn flush(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let at = self.active.end - self.batch.len() as u64;
        self.active.file.write_all_at(&self.batch, at)?;
        self.batch.clear();
        self.batch.shrink_to(2 * BATCH);
        if let Some(segment) = self.log.segments.write().get_mut(&self.active.number) {
            segment.bytes = self.active.end;
        }
        self.log.counters.written.add(self.batched.len() as u64);
        for (id, line) in self.batched.drain(..) {
            self.active.lines.push(line);
            let waited = self.log.shard(line.print).written(line.print, id, line.spot);
            if let Some(bytes) = waited {
                debug_assert_eq!(bytes, u64::from(line.spot.length()), "Kept::length is exact");
                self.log.waits_no_more(bytes);
            }
        }
        Ok(())
    }

    /// Seals the segment that is full, makes room, and begins the next one.
    fn turn_over(&mut self) -> io::Result<()> {
        self.seal()?;
        self.make_room();
        let log = self.log.clone();
        let mut turn = log.turn.lock();
        if log.is_over() {
            return Err(io::Error::other("the log has ended"));
        }
        let number = turn.saturating_add(1);
        let journal = Journal::create(&log.folder, number, log.epoch)?;
        // The journal first: what is removed from the new segment must not stand in an older one.
        let sealed = std::mem::replace(&mut *log.journal.lock(), journal);
        if let Some(segment) = log.segments.write().get_mut(&self.active.number) {
            segment.bytes += sealed.bytes;
        }
        self.active = Active::begin(&log, number)?;
        *turn = number;
        drop(turn);
        sealed.sync()
    }

    /// Writes the list of the segment that is written, and waits for the medium: so that no more than
    /// a segment ever waits for it, and nobody who writes a removal has to wait instead.
    fn seal(&mut self) -> io::Result<()> {
        let lines = std::mem::take(&mut self.active.lines);
        let list = files::list(self.active.number, self.log.epoch, &lines);
        let path = files::path(&self.log.folder, self.active.number, Kind::List);
        fs::write(path, &list)?;
        if let Some(segment) = self.log.segments.write().get_mut(&self.active.number) {
            segment.bytes += list.len() as u64;
        }
        self.active.file.sync_data()
    }

    fn make_room(&mut self) {
        let sizes = self.log.sizes;
        while self.log.on_disk() + sizes.whole_segment() > sizes.files {
            self.finish_loading();
            let oldest = self.log.segments.read().keys().next().copied();
            match oldest.filter(|oldest| *oldest != self.active.number) {
                Some(oldest) => self.evict(oldest),
                None => return,
            }
        }
    }

    fn finish_loading(&mut self) {
        if let Some(loader) = self.loader.take() {
            let _ = loader.join();
        }
    }

    fn evict(&mut self, number: u32) {
        let segment = self.log.segments.read().get(&number).cloned();
        let Some(segment) = segment else { return };
        let (folder, epoch) = (&self.log.folder, self.log.epoch);
        let size = segment.file.metadata().map_or(0, |metadata| metadata.len());
        let listed = files::read_list(folder, number, epoch, size);
        let is_listed = listed.is_some();
        let lines = listed
            .or_else(|| files::scan(&segment.file, number, epoch).ok().map(|found| found.lines))
            .unwrap_or_default();
        self.rescue(&lines, &segment.file);
        for line in lines {
            if self.log.shard(line.print).forget(line.print, line.spot) {
                self.log.uncount(1, u64::from(line.spot.length()));
                self.log.counters.evicted.add(1);
            }
        }
        if !is_listed {
            self.sweep(number);
        }
        self.log.drop_segment(number);
    }

    /// What no list names must not stay in the index.
    fn sweep(&self, number: u32) {
        let log = &self.log;
        log.each_shard(|shard| {
            let (entries, bytes) = shard.forget_segment(number);
            log.uncount(entries, bytes);
            log.counters.evicted.add(entries);
        });
    }

    /// Gives a second chance to records that were read.
    fn rescue(&mut self, lines: &[Line], file: &File) {
        let mut room = self.log.sizes.second_chance();
        for line in lines.iter().rev() {
            let read = self.log.shard(line.print).stands(line.print, line.spot);
            if read != Some(true) {
                continue;
            }
            let length = u64::from(line.spot.length());
            room = match room.checked_sub(length) {
                Some(room) => room,
                None => return,
            };
            if let Some(waiting) = self.read_again(line, file) {
                self.wait_again(line, waiting);
            }
        }
    }

    fn read_again(&self, line: &Line, file: &File) -> Option<Waiting<P>> {
        let mut bytes = vec![0; line.spot.length() as usize];
        file.read_exact_at(&mut bytes, u64::from(line.spot.offset)).ok()?;
        let (key, payload) = record::open(&bytes, self.log.epoch, line.spot.place())?;
        Some(Waiting {
            id: self.log.next_put(),
            key,
            kept: P::read(payload)?,
            bytes: u64::from(line.spot.length()),
            // The old record stands until its segment is gone: a removal must bury it.
            on_disk: true,
        })
    }

    fn wait_again(&mut self, line: &Line, waiting: Waiting<P>) {
        let (id, bytes) = (waiting.id, waiting.bytes);
        let mut shard = self.log.shard(line.print);
        if shard.forget(line.print, line.spot) {
            shard.wait(line.print, waiting);
            drop(shard);
            self.log.waits_again(bytes);
            self.log.counters.rewritten.add(1);
            self.again.push_back((line.print, id));
        }
    }

    /// Deletes every file of a log that does not count any more.
    fn take_away(&self) {
        let numbers: Vec<u32> = self.log.segments.read().keys().copied().collect();
        for number in numbers {
            self.log.drop_segment(number);
        }
    }
}
