//! Collapsing: fifty callers, one question.
//!
//! For: the table of questions that are being asked of origins right now, and the seats in each:
//! whoever sits in a flight hears how it ended, and reads its body from the same growing buffer.
//! Not for: what is asked or kept (`pipeline/fetch`), nor for the buffer itself (`growing`).

use crate::{
    growing::{Budget, Growing, Reader},
    runs::Runs,
};
use parking_lot::Mutex;
use ports::cachestore::CacheKey;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::watch;

/// All flights of one edge, by what they ask for. `L` is what a landing tells.
pub struct Flights<L> {
    aloft: Mutex<HashMap<CacheKey, Arc<Flight<L>>>>,
    budget: Arc<Budget>,
    /// Long bodies on their way into slices.
    pub runs: Arc<Runs>,
}

/// One question that is being asked.
pub struct Flight<L> {
    /// The last ban that was in force when it was asked.
    pub bans: u64,
    landing: watch::Sender<Option<L>>,
    /// The body, once it arrives.
    pub body: Arc<Growing>,
}

/// How somebody came to a flight.
pub enum Joined<L> {
    /// Nobody was asking: you do. Dropping the lead without landing tells the others.
    Lead(Lead<L>, Seat<L>),
    /// Somebody asks already: wait.
    Follow(Seat<L>),
}

/// The right and the duty to end a flight.
pub struct Lead<L> {
    flights: Arc<Flights<L>>,
    key: CacheKey,
    /// The flight.
    pub flight: Arc<Flight<L>>,
}

/// A place in a flight: while one is taken, the fetch goes on.
pub struct Seat<L> {
    flight: Arc<Flight<L>>,
    reader: Reader,
    landing: watch::Receiver<Option<L>>,
}

impl<L: Clone> Flights<L> {
    /// An empty table; bodies in its flights share a budget of bytes.
    pub fn new(budget: u64) -> Arc<Self> {
        let budget = Budget::new(budget);
        let runs = Runs::new(budget.clone());
        Arc::new(Self { aloft: Mutex::default(), budget, runs })
    }

    /// Bytes in buffers that are being filled.
    pub fn filling(&self) -> u64 {
        self.budget.held()
    }

    /// Whether they may take more.
    pub fn has_room(&self) -> bool {
        self.budget.has_room()
    }

    /// Takes a seat in the flight for `key`, or starts one, asked under the ban number `bans`. A
    /// flight that is not `good` any more, because it was asked before a ban, is not joined: its
    /// place is taken.
    pub fn join(
        self: &Arc<Self>,
        key: CacheKey,
        bans: u64,
        good: impl FnOnce(&Flight<L>) -> bool,
    ) -> Joined<L> {
        let mut aloft = self.aloft.lock();
        if let Some(flight) = aloft.get(&key)
            && good(flight)
            && let Some(seat) = Seat::take(flight)
        {
            return Joined::Follow(seat);
        }
        let (lead, seat) = self.solo(key, bans);
        aloft.insert(key, lead.flight.clone());
        Joined::Lead(lead, seat)
    }

    /// Starts a flight without a seat, unless there is one: for questions that nobody waits for.
    pub fn launch(self: &Arc<Self>, key: CacheKey, bans: u64) -> Option<Lead<L>> {
        let mut aloft = self.aloft.lock();
        if aloft.contains_key(&key) {
            return None;
        }
        let (lead, seat) = self.solo(key, bans);
        lead.flight.body.needs_no_reader();
        drop(seat);
        aloft.insert(key, lead.flight.clone());
        Some(lead)
    }

    /// Starts a flight that nobody else can join.
    pub fn solo(self: &Arc<Self>, key: CacheKey, bans: u64) -> (Lead<L>, Seat<L>) {
        let body = Growing::new(self.budget.clone());
        let reader = body.reader();
        let (landing, hears) = watch::channel(None);
        let flight = Arc::new(Flight { bans, landing, body });
        let seat = Seat { flight: flight.clone(), reader, landing: hears };
        let lead = Lead { flights: self.clone(), key, flight };
        (lead, seat)
    }
}

impl<L: Clone> Lead<L> {
    /// Tells everybody in a seat, and everybody who still comes, how the question was answered.
    pub fn land(&self, landing: L) {
        self.flight.landing.send_replace(Some(landing));
    }
}

impl<L> Lead<L> {
    /// From now on, whoever comes asks anew.
    pub fn close(&self) {
        let mut aloft = self.flights.aloft.lock();
        let known = aloft.get(&self.key);
        if known.is_some_and(|known| Arc::ptr_eq(known, &self.flight)) {
            aloft.remove(&self.key);
        }
    }
}

impl<L> Drop for Lead<L> {
    /// Whatever happened to the one who asked, nobody waits for ever.
    fn drop(&mut self) {
        self.close();
        self.flight.body.abandon();
        // Waiters see that the answer can no longer come: `Seat::landed` looks at this mark.
        self.flight.landing.send_modify(|_| {});
    }
}

impl<L: Clone> Seat<L> {
    fn take(flight: &Arc<Flight<L>>) -> Option<Self> {
        let reader = flight.body.join()?;
        Some(Self { landing: flight.landing.subscribe(), reader, flight: flight.clone() })
    }

    /// How the question was answered; none when whoever asked has vanished without a word.
    /// Dropping the call half-way gives up nothing but the wait.
    pub async fn landed(&mut self) -> Option<L> {
        loop {
            // Asked first: whoever leads lands before leaving, maybe between these two looks.
            let abandoned = self.flight.body.is_abandoned();
            if let Some(landing) = self.landing.borrow_and_update().clone() {
                return Some(landing);
            }
            if abandoned {
                return None;
            }
            self.landing.changed().await.ok()?;
        }
    }

    /// The body from its first byte.
    pub fn into_reader(self) -> Reader {
        self.reader
    }
}
