//! A body that is still arriving, read by many while it grows.
//!
//! For: first byte to all at once; nothing held twice; nothing held without bound.
//! Not for: deciding whether it is kept.
//!
//! A buffer starts *whole*: it keeps every piece, to be stored at the end. When it grows beyond what
//! may be kept it turns into a *window*: pieces that every reader has taken are let go, and the
//! sender waits while [`WINDOW`] bytes are held. A reader that holds up others for [`PATIENCE`] is
//! cut.

use bytes::Bytes;
use futures::{Stream, stream};
use parking_lot::Mutex;
use ports::origin::BodyError;
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, futures::Notified};

/// Most bytes that a window with several readers holds before the sender waits.
pub const WINDOW: u64 = 2 << 20;
/// The same with one reader, who has nobody to keep pace with.
pub const ALONE: u64 = 256 << 10;
/// What a piece costs beside its bytes: its handle, and the allocation behind it.
pub const PIECE: u64 = 64;
/// A reader may hold up the others for this long.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A body that is still arriving.
pub struct Growing {
    state: Mutex<State>,
    /// Rings when pieces or the end have come.
    grown: Notify,
    /// Rings when a reader has taken a piece or has gone.
    taken: Notify,
    budget: Arc<Budget>,
}

/// Bytes held by all buffers together, and how many there should be at most.
pub struct Budget {
    held: AtomicU64,
    most: u64,
}

impl Budget {
    /// Nothing held, and room for so many bytes.
    pub fn new(most: u64) -> Arc<Self> {
        let held = AtomicU64::new(0);
        Arc::new(Self { held, most })
    }

    /// Bytes held.
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Whether more may be held.
    pub fn has_room(&self) -> bool {
        self.held() < self.most
    }

    /// So many more are held.
    pub fn add(&self, bytes: u64) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many are let go.
    pub fn give_back(&self, bytes: u64) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Bytes>,
    /// Number of the first piece that is still held.
    first: usize,
    /// Bytes held.
    held: u64,
    end: Option<Result<(), BodyError>>,
    /// Next piece of each reader.
    readers: HashMap<u64, usize>,
    next_reader: u64,
    window: bool,
    unattended: bool,
    abandoned: bool,
}

/// Reads a growing body from its first byte; dropping it tells the sender.
pub struct Reader {
    id: u64,
    growing: Arc<Growing>,
}

/// What a reader gets.
enum Taken {
    Piece(Bytes),
    End,
    Cut(BodyError),
}

/// What came of adding a piece.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It is there.
    Taken,
    /// Nobody reads any more, and nobody said that this does not matter.
    Deserted,
}

impl Growing {
    /// An empty buffer within a budget.
    pub fn new(budget: Arc<Budget>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            grown: Notify::new(),
            taken: Notify::new(),
            budget,
        })
    }

    /// A reader from the first byte, as long as the first byte is still there.
    pub fn join(self: &Arc<Self>) -> Option<Reader> {
        let mut state = self.state.lock();
        (!state.window && !state.abandoned).then(|| self.seat(&mut state))
    }

    /// A reader from the first piece that is held.
    pub fn reader(self: &Arc<Self>) -> Reader {
        self.seat(&mut self.state.lock())
    }

    fn seat(self: &Arc<Self>, state: &mut State) -> Reader {
        let id = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(id, state.first);
        Reader { id, growing: self.clone() }
    }

    /// The sender goes on although nobody reads.
    pub fn needs_no_reader(&self) {
        self.state.lock().unattended = true;
    }

    /// Whether anybody reads.
    pub fn has_readers(&self) -> bool {
        !self.state.lock().readers.is_empty()
    }

    /// Rings when a reader has taken a piece or has gone.
    pub fn moved(&self) -> Notified<'_> {
        self.taken.notified()
    }

    /// Returns once nobody reads any more; never if no reader is needed.
    pub async fn deserted(&self) {
        loop {
            let taken = self.taken.notified();
            if self.state.lock().is_deserted() {
                return;
            }
            taken.await;
        }
    }

    /// Turns into a window: nothing will be kept. Readers that are here go on.
    pub fn open_window(&self) {
        let mut state = self.state.lock();
        state.window = true;
        self.let_go(&mut state);
    }

    /// Adds a piece; waits while a window is full. Dropping the call adds nothing.
    pub async fn push(&self, piece: Bytes) -> Pushed {
        loop {
            let taken = self.taken.notified();
            {
                let mut state = self.state.lock();
                if state.is_deserted() {
                    return Pushed::Deserted;
                }
                if !state.window || state.held < self.most(&state) {
                    self.add(&mut state, piece);
                    break;
                }
            }
            if tokio::time::timeout(PATIENCE, taken).await.is_err() {
                self.cut_the_slowest();
            }
        }
        self.grown.notify_waiters();
        Pushed::Taken
    }

    /// How full a window may be. Beyond the budget it goes piece by piece.
    fn most(&self, state: &State) -> u64 {
        match state.readers.len() {
            _ if !self.budget.has_room() => 1,
            0 | 1 => ALONE,
            _ => WINDOW,
        }
    }

    fn add(&self, state: &mut State, piece: Bytes) {
        state.held += cost(&piece);
        self.budget.add(cost(&piece));
        state.pieces.push_back(piece);
    }

    /// Ends it. An error tells every reader that it is not whole.
    pub fn end(&self, end: Result<(), BodyError>) {
        let mut state = self.state.lock();
        state.end.get_or_insert(end);
        drop(state);
        self.grown.notify_waiters();
    }

    /// Whoever filled it has gone. A body that has not ended is cut.
    pub fn abandon(&self) {
        self.state.lock().abandoned = true;
        self.end(Err(BodyError::Cut("the fetch was given up".into())));
    }

    /// Whether whoever filled it has gone.
    pub fn is_abandoned(&self) -> bool {
        self.state.lock().abandoned
    }

    /// Every piece, when all are held.
    pub fn whole(&self) -> Option<Vec<Bytes>> {
        let state = self.state.lock();
        (!state.window).then(|| state.pieces.iter().cloned().collect())
    }

    /// Readers that hold up a window while others wait are let go: their next read is an error.
    fn cut_the_slowest(&self) {
        let mut state = self.state.lock();
        let last = state.first + state.pieces.len();
        let first = state.first;
        let somebody_waits = state.readers.values().any(|next| *next == last);
        if somebody_waits {
            state.readers.retain(|_, next| *next > first);
        }
        self.let_go(&mut state);
        drop(state);
        self.grown.notify_waiters();
    }

    /// Lets go of what every reader has taken.
    fn let_go(&self, state: &mut State) {
        if !state.window {
            return;
        }
        let last = state.first + state.pieces.len();
        let keep_from = state.readers.values().copied().min().unwrap_or(last);
        while state.first < keep_from {
            let Some(piece) = state.pieces.pop_front() else {
                break;
            };
            state.first += 1;
            state.held -= cost(&piece);
            self.budget.give_back(cost(&piece));
        }
    }

    /// The next piece for a reader: none when it must wait.
    fn take(&self, id: u64) -> Option<Taken> {
        let mut state = self.state.lock();
        let Some(next) = state.readers.get(&id).copied() else {
            return Some(Taken::Cut(BodyError::Silent));
        };
        let Some(piece) = state.pieces.get(next - state.first).cloned() else {
            return state.end.clone().map(|end| match end {
                Ok(()) => Taken::End,
                Err(why) => Taken::Cut(why),
            });
        };
        state.readers.insert(id, next + 1);
        self.let_go(&mut state);
        drop(state);
        self.taken.notify_waiters();
        Some(Taken::Piece(piece))
    }

    fn leave(&self, id: u64) {
        let mut state = self.state.lock();
        state.readers.remove(&id);
        self.let_go(&mut state);
        drop(state);
        self.taken.notify_waiters();
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        let held = self.state.get_mut().held;
        self.budget.give_back(held);
    }
}

/// What holding a piece costs.
pub const fn cost(piece: &Bytes) -> u64 {
    piece.len() as u64 + PIECE
}

impl State {
    fn is_deserted(&self) -> bool {
        self.readers.is_empty() && !self.unattended
    }
}

impl Reader {
    /// The next piece; none at the end. Dropping the call takes nothing.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            let grown = self.growing.grown.notified();
            match self.growing.take(self.id) {
                Some(Taken::Piece(piece)) => return Some(Ok(piece)),
                Some(Taken::End) => return None,
                Some(Taken::Cut(why)) => return Some(Err(why)),
                None => grown.await,
            }
        }
    }

    /// Leaves without reading. If `useful`, the rest still comes, to be kept for others.
    pub fn leave_it_running(self, useful: bool) {
        if useful {
            self.growing.needs_no_reader();
        }
    }

    /// As a stream that ends after the first error.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static {
        stream::unfold(Some(self), |reader| async move {
            let mut reader = reader?;
            let piece = reader.next().await?;
            let rest = piece.is_ok().then_some(reader);
            Some((piece, rest))
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.growing.leave(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{StreamExt as _, poll};
    use std::pin::pin;

    fn piece(bytes: usize) -> Bytes {
        Bytes::from(vec![b'x'; bytes])
    }

    fn mebibyte() -> Bytes {
        piece(1 << 20)
    }

    #[tokio::test]
    async fn every_reader_gets_every_byte_from_the_first() {
        let growing = Growing::new(Budget::new(u64::MAX));
        let early = growing.reader();
        growing.push(Bytes::from("ab")).await;
        let late = growing.join().unwrap();
        growing.push(Bytes::from("c")).await;
        growing.end(Ok(()));
        for reader in [early, late] {
            let pieces: Vec<_> = reader.stream().map(Result::unwrap).collect().await;
            assert_eq!(pieces.concat(), b"abc");
        }
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken_by_the_next_piece() {
        let growing = Growing::new(Budget::new(u64::MAX));
        let mut reader = growing.reader();
        let mut next = pin!(reader.next());
        assert!(poll!(next.as_mut()).is_pending());
        growing.push(piece(1)).await;
        assert_eq!(next.await.unwrap().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_window_makes_the_sender_wait_for_its_only_reader_and_never_cuts_it() {
        let growing = Growing::new(Budget::new(u64::MAX));
        let mut reader = growing.reader();
        growing.open_window();
        growing.push(mebibyte()).await;
        let mut second = pin!(growing.push(mebibyte()));
        assert!(poll!(second.as_mut()).is_pending());
        tokio::time::advance(PATIENCE * 3).await;
        assert!(poll!(second.as_mut()).is_pending());
        assert!(reader.next().await.unwrap().is_ok());
        assert_eq!(second.await, Pushed::Taken);
    }

    #[tokio::test]
    async fn beyond_the_budget_a_window_goes_piece_by_piece() {
        let budget = Budget::new(10);
        let growing = Growing::new(budget.clone());
        let mut reader = growing.reader();
        growing.open_window();
        growing.push(piece(10)).await;
        let mut second = pin!(growing.push(piece(10)));
        assert!(poll!(second.as_mut()).is_pending());
        assert_eq!(budget.held(), 10 + PIECE);
        reader.next().await.unwrap().unwrap();
        assert_eq!(second.await, Pushed::Taken);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_holds_up_others_is_cut() {
        let growing = Growing::new(Budget::new(u64::MAX));
        let (mut slow, mut quick) = (growing.reader(), growing.reader());
        growing.open_window();
        growing.push(mebibyte()).await;
        growing.push(mebibyte()).await;
        quick.next().await.unwrap().unwrap();
        quick.next().await.unwrap().unwrap();
        assert_eq!(growing.push(mebibyte()).await, Pushed::Taken);
        assert!(slow.next().await.unwrap().is_err());
        assert!(quick.next().await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn nobody_joins_a_window_and_it_is_never_whole() {
        let growing = Growing::new(Budget::new(u64::MAX));
        let _reader = growing.reader();
        growing.push(piece(5)).await;
        assert!(growing.whole().is_some());
        growing.open_window();
        assert!(growing.join().is_none());
        assert!(growing.whole().is_none());
    }

    #[tokio::test]
    async fn without_readers_the_sender_is_told_unless_none_is_needed() {
        let growing = Growing::new(Budget::new(u64::MAX));
        drop(growing.reader());
        assert_eq!(growing.push(piece(1)).await, Pushed::Deserted);
        growing.deserted().await;
        growing.needs_no_reader();
        assert_eq!(growing.push(piece(1)).await, Pushed::Taken);
    }

    #[tokio::test]
    async fn what_is_held_is_counted_and_given_back() {
        let budget = Budget::new(u64::MAX);
        let growing = Growing::new(budget.clone());
        let mut reader = growing.reader();
        growing.push(piece(10)).await;
        growing.push(piece(20)).await;
        assert_eq!(budget.held(), 30 + 2 * PIECE);
        growing.open_window();
        reader.next().await;
        assert_eq!(budget.held(), 20 + PIECE);
        drop((reader, growing));
        assert_eq!(budget.held(), 0);
    }

    #[tokio::test]
    async fn a_body_given_up_half_way_is_an_error_for_its_readers() {
        let growing = Growing::new(Budget::new(u64::MAX));
        let mut reader = growing.reader();
        growing.push(piece(1)).await;
        growing.abandon();
        assert!(reader.next().await.unwrap().is_ok());
        assert!(reader.next().await.unwrap().is_err());
    }
}
