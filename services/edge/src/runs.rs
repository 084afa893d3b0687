//! Bytes of long bodies on their way into slices, read by many while they come.
//!
//! For: one stretch of one body, fetched once for everybody who is about there; how far the fetch
//! may be ahead of its readers; what is held until it is in the store.
//! Not for: asking origins (`pipeline/fetch/fill`), nor for what viewers are sent (`pipeline/parts`).
//!
//! A run holds the slice that is coming and the one before. The fetch is one slice ahead of the
//! fastest reader at most. Whoever is slower than that reads from the store, and holds up nobody.

use crate::{
    growing::{Budget, Growing, PATIENCE, cost},
    pipeline::rescue::Failure,
};
use bytes::Bytes;
use packing::{Generation, SLICE, Span};
use parking_lot::Mutex;
use ports::origin::BodyError;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use tokio::sync::Notify;

/// Pieces of one slice beyond which they are made one: a body in crumbs costs more around them than
/// they are.
const MOST_PIECES: usize = 1024;

/// All runs of one edge, by the body that they are of.
pub struct Runs {
    aloft: Mutex<HashMap<Generation, Vec<Arc<Run>>>>,
    budget: Arc<Budget>,
}

/// One stretch of one body.
pub struct Run {
    generation: Generation,
    state: Mutex<State>,
    /// Those who wait to hear what this is; while they do, they count as readers.
    room: Option<Arc<Growing>>,
    /// Rings when bytes, or the end, or word of how it began have come.
    grown: Notify,
    /// Rings when a reader has moved or has gone.
    taken: Notify,
    budget: Arc<Budget>,
}

struct State {
    /// Bytes that are held, without gaps, each piece with the offset of its first byte.
    pieces: VecDeque<(u64, Bytes)>,
    held: u64,
    /// Offset of the first byte that was asked for.
    begin: u64,
    /// Offset after the last byte that has come.
    end: u64,
    /// Offset after the last byte that is to come.
    goal: u64,
    /// From here on, bytes are collected for the store; none where they are too many to collect.
    collected: Option<u64>,
    /// Where each reader is.
    readers: HashMap<u64, u64>,
    next_reader: u64,
    landed: bool,
    over: Option<Over>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Over {
    /// What was to come has come, or the store has what follows.
    Ended,
    /// Whoever fetched is gone.
    Abandoned,
    /// The body is no longer the one that was meant.
    Changed,
    /// The origin gives the whole only, from its first byte.
    Unranged,
    /// There was no answer, or none that is of use.
    Failed(Failure),
    /// The origin ended the body early, and did not go on with it.
    Cut(BodyError),
}

/// How somebody came to a run.
pub enum Joined {
    /// Nobody fetches that: you do.
    Lead(Filler, Seat),
    /// Somebody does.
    Follow(Seat),
}

/// The right and the duty to fill a run.
pub struct Filler {
    runs: Arc<Runs>,
    run: Arc<Run>,
}

/// A reader's place.
pub struct Seat {
    id: u64,
    run: Arc<Run>,
}

/// What a reader gets.
#[derive(Debug)]
pub enum Next {
    /// Bytes from where it is on.
    Piece(Bytes),
    /// This run does not have them, or not any more.
    Elsewhere(Over),
}

impl Runs {
    /// None; what they hold counts against this budget.
    pub fn new(budget: Arc<Budget>) -> Arc<Self> {
        Arc::new(Self { aloft: Mutex::default(), budget })
    }

    /// Takes a seat in a run that has the byte at `from` or will have it soon, or begins one.
    pub fn join(self: &Arc<Self>, generation: Generation, from: u64, total: u64) -> Joined {
        let mut aloft = self.aloft.lock();
        let mut runs = aloft.get(&generation).into_iter().flatten();
        if let Some(seat) = runs.find_map(|run| run.seat(from)) {
            return Joined::Follow(seat);
        }
        let filler = self.add(&mut aloft, generation, from, total, None);
        let seat = filler.run.take_seat(&mut filler.run.state.lock(), from);
        Joined::Lead(filler, seat)
    }

    /// A seat for somebody who will come to the byte at `from`, if there is a run that has it or will
    /// have it soon: it goes on meanwhile.
    pub fn seat(&self, generation: Generation, from: u64) -> Option<Seat> {
        let aloft = self.aloft.lock();
        aloft.get(&generation).into_iter().flatten().find_map(|run| run.seat(from))
    }

    /// Begins a run whose bytes are coming. Who waits in `room` counts as a reader at its beginning.
    pub fn begin(
        self: &Arc<Self>,
        generation: Generation,
        from: u64,
        goal: u64,
        room: Arc<Growing>,
    ) -> Filler {
        let filler = self.add(&mut self.aloft.lock(), generation, from, goal, Some(room));
        filler.land(from, goal);
        filler
    }

    fn add(
        self: &Arc<Self>,
        aloft: &mut HashMap<Generation, Vec<Arc<Run>>>,
        generation: Generation,
        from: u64,
        goal: u64,
        room: Option<Arc<Growing>>,
    ) -> Filler {
        let state = State {
            pieces: VecDeque::new(),
            held: 0,
            begin: from,
            end: from,
            goal,
            collected: Some(from),
            readers: HashMap::new(),
            next_reader: 0,
            landed: false,
            over: None,
        };
        let run = Arc::new(Run {
            generation,
            state: Mutex::new(state),
            room,
            grown: Notify::new(),
            taken: Notify::new(),
            budget: self.budget.clone(),
        });
        aloft.entry(generation).or_default().push(run.clone());
        Filler { runs: self.clone(), run }
    }

    fn forget(&self, gone: &Arc<Run>) {
        let mut aloft = self.aloft.lock();
        if let Some(runs) = aloft.get_mut(&gone.generation) {
            runs.retain(|run| !Arc::ptr_eq(run, gone));
            if runs.is_empty() {
                aloft.remove(&gone.generation);
            }
        }
    }
}

impl Run {
    /// A seat, if the byte at `from` is here or will be soon.
    fn seat(self: &Arc<Self>, from: u64) -> Option<Seat> {
        let mut state = self.state.lock();
        let soon = from < state.goal && from <= state.end.saturating_add(SLICE);
        let here = state.first() <= from && soon && state.over.is_none();
        here.then(|| self.take_seat(&mut state, from))
    }

    fn take_seat(self: &Arc<Self>, state: &mut State, from: u64) -> Seat {
        let id = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(id, from);
        // The fetch may be waiting for somebody who is as far as this.
        self.taken.notify_waiters();
        Seat { id, run: self.clone() }
    }

    fn is_deserted(&self, state: &State) -> bool {
        state.readers.is_empty() && self.room.as_ref().is_none_or(|room| !room.has_readers())
    }

    fn has_room(&self) -> bool {
        self.budget.has_room()
    }

    /// Lets go of what nobody needs here any more.
    fn let_go(&self, state: &mut State) {
        let waited_for = self.room.as_ref().is_some_and(|room| room.has_readers());
        let limit = state.needless(waited_for);
        while let Some((start, piece)) = state.pieces.front() {
            if start + piece.len() as u64 > limit {
                return;
            }
            let given_back = cost(piece);
            state.held -= given_back;
            self.budget.give_back(given_back);
            state.pieces.pop_front();
        }
    }

    fn add(&self, state: &mut State, piece: Bytes) {
        let added = cost(&piece);
        state.held += added;
        self.budget.add(added);
        let end = state.end;
        state.end += piece.len() as u64;
        state.pieces.push_back((end, piece));
    }

    /// Takes back what has come from `start` on, as one piece.
    fn taken_back(&self, state: &mut State, start: u64) -> Vec<u8> {
        let at = state.pieces.partition_point(|(offset, _)| *offset < start);
        let back = state.pieces.split_off(at);
        let mut bytes = Vec::new();
        for (offset, piece) in back {
            let given_back = cost(&piece);
            state.held -= given_back;
            self.budget.give_back(given_back);
            state.end = state.end.min(offset);
            bytes.extend_from_slice(&piece);
        }
        bytes
    }

    fn ends(&self, over: Over) {
        let mut state = self.state.lock();
        state.over.get_or_insert(over);
        drop(state);
        self.grown.notify_waiters();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let held = self.state.get_mut().held;
        self.budget.give_back(held);
    }
}

impl State {
    /// Offset of the first byte that is held, or of the next one that comes.
    fn first(&self) -> u64 {
        self.pieces.front().map_or(self.end, |(start, _)| *start)
    }

    fn fastest(&self) -> u64 {
        self.readers.values().copied().max().unwrap_or(self.begin).min(self.end)
    }

    /// Where the slowest reader is; who is waited for will be one at the beginning.
    fn slowest(&self, waited_for: bool) -> u64 {
        let slowest = self.readers.values().copied().min().unwrap_or(self.end);
        if waited_for { slowest.min(self.begin) } else { slowest }
    }

    /// Up to here, bytes are in the store or read by all. While they are collected, the slice before
    /// stays: those who are a little slower need not go to the store for it.
    fn needless(&self, waited_for: bool) -> u64 {
        let slowest = self.slowest(waited_for);
        match self.collected {
            Some(start) => {
                let before = (start / SLICE * SLICE).saturating_sub(SLICE);
                before.max(slowest.min(start))
            }
            None => slowest,
        }
    }

    /// Whether the fetch has to wait for readers.
    fn is_ahead(&self) -> bool {
        match self.collected {
            Some(_) => self.end - self.fastest() >= SLICE,
            None => self.held > 0,
        }
    }

    /// Readers that are behind while others wait for more.
    fn forget_the_slowest(&mut self) {
        let end = self.end;
        if self.readers.values().any(|at| *at >= end) {
            self.readers.retain(|_, at| *at >= end);
        }
    }
}

impl Filler {
    /// The origin has answered: from `first` to `goal`, which is excluded, bytes are coming.
    pub fn land(&self, first: u64, goal: u64) {
        let mut state = self.run.state.lock();
        debug_assert!(state.pieces.is_empty(), "it lands before its bytes come");
        (state.begin, state.end, state.goal) = (first, first, goal);
        state.collected = self.run.has_room().then_some(first);
        state.landed = true;
        drop(state);
        self.run.grown.notify_waiters();
    }

    /// Where the next byte belongs.
    pub fn end(&self) -> u64 {
        self.run.state.lock().end
    }

    /// Where it ends at the latest, excluded.
    pub fn goal(&self) -> u64 {
        self.run.state.lock().goal
    }

    /// It ends here, at the latest.
    pub fn ends_by(&self, goal: u64) {
        let mut state = self.run.state.lock();
        state.goal = state.goal.min(goal).max(state.end);
    }

    /// Whether nobody reads any more.
    pub fn is_deserted(&self) -> bool {
        self.run.is_deserted(&self.run.state.lock())
    }

    /// Returns once nobody reads any more.
    pub async fn deserted(&self) {
        loop {
            let taken = self.run.taken.notified();
            let left = self.run.room.as_ref().map(|room| room.moved());
            if self.is_deserted() {
                return;
            }
            match left {
                Some(left) => tokio::select! {
                    () = taken => {}
                    () = left => {}
                },
                None => taken.await,
            }
        }
    }

    /// Whether it makes sense to stop here, as nothing would be thrown away that has come.
    pub fn is_at_bound(&self) -> bool {
        let state = self.run.state.lock();
        let in_slice = !state.end.is_multiple_of(SLICE) && state.end > state.begin;
        !in_slice || state.collected.is_none()
    }

    /// Adds a piece that does not go beyond a slice; waits while the readers are too far behind.
    /// What was collected comes back, to be kept, when this completes a slice or all of the run:
    /// whoever reads the last of these bytes finds the slice in the store, if it is put there before
    /// [`Self::show`]. Dropping the call adds nothing.
    pub async fn push(&self, piece: Bytes) -> Option<(u64, Span)> {
        self.pace().await;
        let mut state = self.run.state.lock();
        let room = self.run.has_room();
        state.collected = state.collected.filter(|_| room).or_else(|| room.then_some(state.end));
        let end = state.end + piece.len() as u64;
        let completes = end.is_multiple_of(SLICE) || end >= state.goal;
        let Some(start) = state.collected.filter(|_| completes) else {
            self.run.add(&mut state, piece);
            self.compact(&mut state);
            self.run.let_go(&mut state);
            drop(state);
            self.run.grown.notify_waiters();
            return None;
        };
        let come = state.pieces.iter().filter(|(offset, _)| *offset >= start);
        let mut bytes = Vec::with_capacity(usize::try_from(end - start).unwrap_or_default());
        for (_, piece) in come {
            bytes.extend_from_slice(piece);
        }
        bytes.extend_from_slice(&piece);
        Some(span(start, Bytes::from(bytes.into_boxed_slice())))
    }

    /// Gives readers the rest of what [`Self::push`] gave back, now that it is kept.
    pub fn show(&self, kept: &Span) {
        let mut state = self.run.state.lock();
        if let Some(start) = state.collected {
            self.run.taken_back(&mut state, start);
            self.run.add(&mut state, kept.bytes.clone());
            state.collected = Some(state.end);
        }
        self.run.let_go(&mut state);
        drop(state);
        self.run.grown.notify_waiters();
    }

    /// What has come since a slice was completed.
    pub fn rest(&self) -> Option<(u64, Span)> {
        let mut state = self.run.state.lock();
        let start = state.collected?;
        let end = state.end;
        let bytes = self.run.taken_back(&mut state, start);
        let bytes = Bytes::from(bytes.into_boxed_slice());
        if !bytes.is_empty() {
            self.run.add(&mut state, bytes.clone());
        }
        debug_assert_eq!(state.end, end, "what was taken back is there again");
        state.collected = Some(end);
        (!bytes.is_empty()).then(|| span(start, bytes))
    }

    /// How it ended. Whoever reads gets what is here first.
    pub fn over(self, over: Over) {
        self.runs.forget(&self.run);
        self.run.ends(over);
    }

    async fn pace(&self) {
        loop {
            let taken = self.run.taken.notified();
            let collects = {
                let state = self.run.state.lock();
                if !state.is_ahead() || self.run.is_deserted(&state) {
                    return;
                }
                state.collected.is_some()
            };
            tokio::select! {
                () = taken => {}
                () = self.deserted() => return,
                () = tokio::time::sleep(PATIENCE), if !collects => self.cut_the_slowest(),
            }
        }
    }

    /// Where bytes are not collected, who is slow holds up others: it will have to ask by itself.
    fn cut_the_slowest(&self) {
        let mut state = self.run.state.lock();
        state.forget_the_slowest();
        self.run.let_go(&mut state);
        drop(state);
        self.run.grown.notify_waiters();
        self.run.taken.notify_waiters();
    }

    fn compact(&self, state: &mut State) {
        let Some(start) = state.collected else {
            return;
        };
        let whole = state.pieces.partition_point(|(offset, _)| *offset < start);
        if state.pieces.len() - whole >= MOST_PIECES {
            let bytes = self.run.taken_back(state, start);
            self.run.add(state, Bytes::from(bytes));
        }
    }
}

/// A span of a slice, and which slice.
fn span(start: u64, bytes: Bytes) -> (u64, Span) {
    (start / SLICE, Span { start: start % SLICE, bytes })
}

impl Drop for Filler {
    /// Whatever happened to the one who fetched, nobody waits for ever.
    fn drop(&mut self) {
        self.runs.forget(&self.run);
        self.run.ends(Over::Abandoned);
    }
}

impl Seat {
    /// Returns once the origin has answered: with bytes that are coming, or how it ended without.
    /// Dropping the call gives up nothing but the wait.
    ///
    /// # Errors
    /// How it ended.
    pub async fn landed(&self) -> Result<(), Over> {
        loop {
            let grown = self.run.grown.notified();
            {
                let state = self.run.state.lock();
                if state.landed {
                    return Ok(());
                }
                if let Some(over) = &state.over {
                    return Err(over.clone());
                }
            }
            grown.await;
        }
    }

    /// The bytes from the offset `from` on, as many as there are in one piece; waits for them.
    /// Dropping the call takes nothing.
    pub async fn next(&self, from: u64) -> Next {
        loop {
            let grown = self.run.grown.notified();
            if let Some(next) = self.take(from) {
                return next;
            }
            grown.await;
        }
    }

    fn take(&self, from: u64) -> Option<Next> {
        let mut state = self.run.state.lock();
        if !state.readers.contains_key(&self.id) {
            return Some(Next::Elsewhere(Over::Ended));
        }
        let moved = state.readers.insert(self.id, from) != Some(from);
        let next = state.at(from);
        if moved {
            self.run.let_go(&mut state);
        }
        drop(state);
        if moved {
            self.run.taken.notify_waiters();
        }
        next
    }
}

impl State {
    /// What there is for a reader at `from`; none if it has to wait.
    fn at(&self, from: u64) -> Option<Next> {
        if from < self.first() {
            return Some(Next::Elsewhere(Over::Ended));
        }
        if from < self.end {
            let after = self.pieces.partition_point(|(start, _)| *start <= from);
            let found = after.checked_sub(1).and_then(|at| self.pieces.get(at));
            let rest = found.and_then(|(start, piece)| {
                let skip = usize::try_from(from - start).ok()?;
                (skip < piece.len()).then(|| piece.slice(skip..))
            });
            return Some(rest.map_or(Next::Elsewhere(Over::Ended), Next::Piece));
        }
        match &self.over {
            Some(over) => Some(Next::Elsewhere(over.clone())),
            None if from >= self.goal => Some(Next::Elsewhere(Over::Ended)),
            None => None,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.run.state.lock();
        state.readers.remove(&self.id);
        self.run.let_go(&mut state);
        drop(state);
        self.run.taken.notify_waiters();
    }
}
