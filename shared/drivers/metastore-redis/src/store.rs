//! The port's questions and commits as calls to Redis.

use crate::{
    fault::Fault,
    keys,
    lineage::{Head, Lineage},
    link::{Link, PATIENCE},
    script, wire,
};
use model::units::Revision;
use ports::{
    bounds::LogBounds,
    metastore::{Change, Changes, Check, Commit, Entry, Snapshot, Write},
};
use redis::cmd;
use std::{collections::BTreeMap, time::Duration};

/// Most entries asked for at once.
const PAGE: usize = 1_000;
/// Most bytes asked for at once.
const ANSWER: usize = 4 << 20;
/// How long Redis remembers that a commit was done, in milliseconds: longer than any attempt.
const REMEMBERED: u64 = 60_000;
/// A commit of so many bytes may take a second longer.
const BYTES_A_SECOND: usize = 8 << 20;
/// How often a snapshot begins anew because the feed no longer reaches back to its beginning.
const ROUNDS: usize = 5;

/// A row of the log: its id, and the names and values of its fields.
type Row = (String, (String, String, String, Vec<u8>));

/// The store, seen from here.
pub struct Store {
    /// The way to Redis.
    pub link: Link,
    /// What was told to readers.
    pub lineage: Lineage,
    /// How far back the feed is to reach.
    pub log: LogBounds,
}

/// Entries gathered in one or more calls, and the newest commit at the first and at the last.
#[derive(Default)]
struct Gathered {
    entries: BTreeMap<String, Entry>,
    heads: Option<(Head, Head)>,
}

impl Store {
    /// The entry of this key.
    pub async fn get(&self, key: &str) -> Result<Option<Entry>, Fault> {
        let mut command = cmd("HGET");
        command.arg(keys::ENTRIES).arg(key);
        let entry: Option<Vec<u8>> = self.link.ask(&command).await?;
        entry.map(|entry| read(key.to_owned(), entry)).transpose()
    }

    /// Up to `limit` entries under `prefix` after `after`; more than a page may be of several
    /// moments.
    pub async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, Fault> {
        let mut gathered = Gathered::default();
        self.gather(&mut gathered, prefix, after, limit).await?;
        Ok(gathered.entries.into_values().collect())
    }

    /// All under these prefixes. What changed while it was gathered is taken from the feed.
    pub async fn snapshot(&self, prefixes: &[&str]) -> Result<Snapshot, Fault> {
        for _ in 0..ROUNDS {
            if let Some(snapshot) = self.try_snapshot(prefixes).await? {
                return Ok(snapshot);
            }
        }
        Err(Fault::Busy("more changes than a snapshot can keep up with; try again".to_owned()))
    }

    /// Does it, or says which check failed.
    pub async fn commit(&self, commit: &Commit) -> Result<Result<Revision, Check>, Fault> {
        let mark = format!("{:016x}", rand::random::<u64>());
        let writes = wire::writes(&commit.writes);
        let slow = Duration::from_secs((writes.len() / BYTES_A_SECOND) as u64);
        let command = self.commit_command(&mark, writes, commit);
        let (verdict, number): (String, u64) =
            self.link.run(&script::COMMIT, &command, PATIENCE + slow).await?;
        if verdict == "done" {
            self.lineage.tell(Revision(number), &mark);
            return Ok(Ok(Revision(number)));
        }
        let failed = usize::try_from(number).ok().and_then(|place| commit.checks.get(place));
        failed.map(|check| Err(check.clone())).ok_or_else(|| Fault::damaged("a script's answer"))
    }

    /// The next changes after this one.
    pub async fn changes(&self, after: Revision, limit: usize) -> Result<Changes, Fault> {
        let arguments = [after.0, limit.saturating_add(1) as u64, ANSWER as u64];
        let command = script::CHANGES.command(&[keys::REVISION, keys::LOG], &arguments);
        let (newest, rows): (u64, Vec<Row>) =
            self.link.run(&script::CHANGES, &command, PATIENCE).await?;
        if after.0 > newest {
            return Ok(Changes::Lost);
        }
        let mut rows: Vec<_> = rows.into_iter().map(change).collect::<Result<_, _>>()?;
        let known = rows.first().is_some_and(|(change, _)| change.revision == after);
        let known = known.then(|| rows.remove(0).1);
        if after.0 > 0 && !self.lineage.agrees(after, known.as_deref()) {
            return Ok(Changes::Lost);
        }
        rows.truncate(limit);
        Ok(self.in_order(after, rows, newest, limit))
    }

    fn in_order(
        &self,
        after: Revision,
        rows: Vec<(Change, String)>,
        newest: u64,
        limit: usize,
    ) -> Changes {
        let gapless = rows.iter().zip(after.0 + 1..).all(|(row, place)| row.0.revision.0 == place);
        let missing = rows.is_empty() && limit > 0 && newest > after.0;
        if missing || !gapless {
            return Changes::Lost;
        }
        for (change, mark) in &rows {
            self.lineage.tell(change.revision, mark);
        }
        Changes::Next(rows.into_iter().map(|(change, _)| change).collect())
    }

    fn commit_command(&self, mark: &str, writes: Vec<u8>, commit: &Commit) -> redis::Cmd {
        let done = keys::done(mark);
        let named = [
            keys::REVISION,
            keys::MARK,
            keys::LOG,
            keys::LOG_BYTES,
            keys::ENTRIES,
            keys::NAMES,
            &done,
        ];
        let mut command = script::COMMIT.command(&named, &[mark]);
        command
            .arg(self.log.changes)
            .arg(self.log.bytes)
            .arg(keys::channel(self.link.place.login.db()))
            .arg(REMEMBERED)
            .arg(wire::checks(&commit.checks))
            .arg(writes);
        command
    }

    async fn try_snapshot(&self, prefixes: &[&str]) -> Result<Option<Snapshot>, Fault> {
        let mut gathered = Gathered::default();
        for prefix in prefixes {
            self.gather(&mut gathered, prefix, None, usize::MAX).await?;
        }
        let (first, last) = match gathered.heads.take() {
            Some(heads) => heads,
            None => self.link.head().await.map(|head| (head.clone(), head))?,
        };
        self.lineage.tell(first.revision, &first.mark);
        let mut revision = first.revision;
        if first != last {
            let Some(reached) = self.replay(&mut gathered, prefixes, &first, &last).await? else {
                return Ok(None);
            };
            revision = reached;
        }
        Ok(Some(Snapshot { revision, entries: gathered.entries.into_values().collect() }))
    }

    /// Applies what happened from the first call to the last, and maybe some more.
    async fn replay(
        &self,
        gathered: &mut Gathered,
        prefixes: &[&str],
        first: &Head,
        last: &Head,
    ) -> Result<Option<Revision>, Fault> {
        let mut at = first.revision;
        while at < last.revision {
            let Changes::Next(changes) = self.changes(at, PAGE).await? else { return Ok(None) };
            for change in changes {
                at = change.revision;
                gathered.apply(change, prefixes);
            }
        }
        // A last call that saw less than the first has seen another history.
        Ok((first.revision < last.revision).then_some(at))
    }

    async fn gather(
        &self,
        gathered: &mut Gathered,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(), Fault> {
        let mut left = limit;
        let mut lower = match after {
            Some(after) if after >= prefix => format!("({after}"),
            _ => format!("[{prefix}"),
        };
        while left > 0 {
            let (head, more, entries) = self.page(prefix, &lower, left.min(PAGE)).await?;
            left = left.saturating_sub(entries.len());
            if let Some(last) = entries.last() {
                lower = format!("({}", last.key);
            }
            gathered.add(head, entries);
            if !more {
                break;
            }
        }
        Ok(())
    }

    async fn page(
        &self,
        prefix: &str,
        lower: &str,
        most: usize,
    ) -> Result<(Head, bool, Vec<Entry>), Fault> {
        // No key has the byte 255, so this is behind every key with the prefix.
        let upper = [b"(", prefix.as_bytes(), b"\xff"].concat();
        let named = [keys::REVISION, keys::MARK, keys::ENTRIES, keys::NAMES];
        let mut command = script::PAGE.command(&named, &[lower]);
        command.arg(upper).arg(most).arg(ANSWER);
        let (revision, mark, more, rows): (u64, String, u8, Vec<(String, Vec<u8>)>) =
            self.link.run(&script::PAGE, &command, PATIENCE).await?;
        let entries = rows.into_iter().map(|(key, entry)| read(key, entry));
        Ok((Head::of(revision, mark), more == 1, entries.collect::<Result<_, _>>()?))
    }
}

impl Gathered {
    fn add(&mut self, head: Head, entries: Vec<Entry>) {
        self.heads = Some(match self.heads.take() {
            Some((first, _)) => (first, head),
            None => (head.clone(), head),
        });
        self.entries.extend(entries.into_iter().map(|entry| (entry.key.clone(), entry)));
    }

    fn apply(&mut self, change: Change, prefixes: &[&str]) {
        let revision = change.revision;
        for write in change.writes {
            if !prefixes.iter().any(|prefix| write.key().starts_with(prefix)) {
                continue;
            }
            match write {
                Write::Put(key, value) => {
                    let entry = Entry { key: key.clone(), value, revision };
                    self.entries.insert(key, entry);
                }
                Write::Delete(key) => drop(self.entries.remove(&key)),
            }
        }
    }
}

fn read(key: String, entry: Vec<u8>) -> Result<Entry, Fault> {
    wire::read_entry(key, entry).ok_or_else(|| Fault::damaged("an entry"))
}

fn change((id, (_, mark, _, writes)): Row) -> Result<(Change, String), Fault> {
    let revision = id.strip_suffix("-0").and_then(|number| number.parse().ok());
    let change = revision
        .zip(wire::read_writes(writes))
        .map(|(revision, writes)| Change { revision: Revision(revision), writes });
    Ok((change.ok_or_else(|| Fault::damaged("the log"))?, mark))
}
