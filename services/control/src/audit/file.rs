//! Files of records: one JSON object a line, appended by one thread, rotated when they are full.

use super::record::Class;
use kit::health::{Health, Severity};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};
use tokio::sync::{mpsc, oneshot};

/// Records that may wait for the disk.
const QUEUE: usize = 4096;
/// Most records that are written at once.
const MOST_AT_ONCE: usize = 256;
/// The part of the process that ails when a file cannot be written.
const PART: &str = "audit";

/// How large files may get, and how many full ones are kept beside the one that is written.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of one file.
    pub bytes: u64,
    /// Full ones.
    pub files: usize,
}

/// One record on its way.
struct Item {
    class: Class,
    line: Vec<u8>,
    written: Option<oneshot::Sender<()>>,
}

/// Takes records; the thread behind it ends once this is dropped.
pub struct Writer(mpsc::Sender<Item>);

impl Writer {
    /// Writes to `calls.jsonl` and `refused.jsonl` in this folder, readable for its owner only.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub fn open(folder: &Path, bounds: Bounds, health: Health) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let calls = Log::open(folder, "calls", bounds)?;
        let refused = Log::open(folder, "refused", bounds)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || write_all(receiver, [calls, refused], &health))?;
        Ok(Self(sender))
    }

    /// Appends a line. Returns when it is in the file, if that is wanted; else when it is on its way.
    pub async fn append(&self, class: Class, line: Vec<u8>, wait: bool) {
        let (written, done) = oneshot::channel();
        let item = Item { class, line, written: wait.then_some(written) };
        if self.0.send(item).await.is_ok() && wait {
            // The thread answers also when the disk refuses; /readyz then says so.
            let _ = done.await;
        }
    }
}

fn write_all(mut items: mpsc::Receiver<Item>, mut logs: [Log; 2], health: &Health) {
    while let Some(first) = items.blocking_recv() {
        let mut waiting = Vec::new();
        let mut take = |item: Item| {
            let [calls, refused] = &mut logs;
            let log = if item.class == Class::Known { calls } else { refused };
            log.pending.extend_from_slice(&item.line);
            waiting.extend(item.written);
        };
        take(first);
        for _ in 1..MOST_AT_ONCE {
            let Ok(item) = items.try_recv() else { break };
            take(item);
        }
        // Both, even when the first one fails.
        let outcomes = logs.each_mut().map(Log::write);
        tell(health, outcomes.into_iter().collect());
        for written in waiting {
            let _ = written.send(());
        }
    }
}

fn tell(health: &Health, outcome: io::Result<()>) {
    match outcome {
        Ok(()) => health.heal(PART),
        Err(error) => {
            tracing::error!(%error, "records of calls cannot be written to their file");
            let why = format!(
                "records of management calls cannot be written to their file ({error}): make room \
                 in the data folder; the metadata store still gets them"
            );
            health.ail(PART, Severity::Degraded, why);
        }
    }
}

/// One file and those that it was before.
struct Log {
    folder: PathBuf,
    name: &'static str,
    bounds: Bounds,
    file: File,
    length: u64,
    /// What has not been written yet; kept, within a bound, when the disk refuses it.
    pending: Vec<u8>,
}

/// Most bytes that wait for a disk which refuses them.
const MOST_PENDING: usize = 4 << 20;

impl Log {
    fn open(folder: &Path, name: &'static str, bounds: Bounds) -> io::Result<Self> {
        let path = folder.join(format!("{name}.jsonl"));
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        let length = file.metadata()?.len();
        // A line that a crash has cut short shall not swallow the next one.
        if length > 0 && !ends_a_line(&path)? {
            file.write_all(b"\n")?;
        }
        Ok(Self { folder: folder.to_owned(), name, bounds, file, length, pending: Vec::new() })
    }

    fn write(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = self.try_write();
        if written.is_ok() || self.pending.len() > MOST_PENDING {
            self.pending.clear();
        }
        written
    }

    fn try_write(&mut self) -> io::Result<()> {
        let more = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        if self.length > 0 && self.length.saturating_add(more) > self.bounds.bytes {
            self.rotate()?;
        }
        self.file.write_all(&self.pending).inspect_err(|_| {
            // A part of it may be there: the next try begins where this one did.
            let _ = self.file.set_len(self.length);
        })?;
        self.length += more;
        Ok(())
    }

    /// `calls.jsonl` becomes `calls.1.jsonl`, that `calls.2.jsonl`, and so on; the eldest goes.
    fn rotate(&mut self) -> io::Result<()> {
        let path = |number: usize| match number {
            0 => self.folder.join(format!("{}.jsonl", self.name)),
            number => self.folder.join(format!("{}.{number}.jsonl", self.name)),
        };
        for number in (0..=self.bounds.files).rev() {
            let (from, to) = (path(number), path(number + 1));
            let done = if number == self.bounds.files {
                fs::remove_file(&from)
            } else {
                fs::rename(&from, &to)
            };
            match done {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        *self = Self {
            pending: std::mem::take(&mut self.pending),
            ..Self::open(&self.folder, self.name, self.bounds)?
        };
        Ok(())
    }
}

fn ends_a_line(path: &Path) -> io::Result<bool> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn writer(folder: &Path, bytes: u64, files: usize) -> Writer {
        Writer::open(folder, Bounds { bytes, files }, Health::default()).unwrap()
    }

    #[tokio::test]
    async fn a_line_is_in_the_file_once_it_was_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path(), 1000, 2);
        writer.append(Class::Known, b"one\n".to_vec(), false).await;
        writer.append(Class::Known, b"two\n".to_vec(), true).await;
        writer.append(Class::Stranger, b"three\n".to_vec(), true).await;
        let path = folder.path().join("calls.jsonl");
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
        assert_eq!(fs::read(folder.path().join("refused.jsonl")).unwrap(), b"three\n");
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn files_are_bounded_in_size_and_number() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path(), 20, 2);
        for number in 0..20 {
            let line = format!("line {number:04}\n");
            writer.append(Class::Known, line.into_bytes(), true).await;
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("calls.jsonl"), "line 0018\nline 0019\n");
        assert_eq!(read("calls.1.jsonl"), "line 0016\nline 0017\n");
        assert_eq!(read("calls.2.jsonl"), "line 0014\nline 0015\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[tokio::test]
    async fn a_line_that_was_cut_short_stays_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("calls.jsonl"), b"{\"cut").unwrap();
        let writer = writer(folder.path(), 1000, 2);
        writer.append(Class::Known, b"{}\n".to_vec(), true).await;
        assert_eq!(fs::read(folder.path().join("calls.jsonl")).unwrap(), b"{\"cut\n{}\n");
    }
}
