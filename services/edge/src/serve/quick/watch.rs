//! Who has been silent for too long.
//!
//! For: limits of seconds on thousands of connections, at the price of one timer for each thread.
//! Not for: exact times; a limit may be kept a second longer.

use kit::drain::Drain;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    task::{Context, Waker},
    time::Duration,
};

/// How often it is looked.
const TICK: Duration = Duration::from_secs(1);
/// A time that never comes.
const NEVER: u64 = u64::MAX;

/// The clock of one thread, and who waits for it.
pub struct Watch {
    /// Seconds since it started.
    tick: Cell<u64>,
    /// Whether it is time to stop.
    stopping: Cell<bool>,
    sleepers: RefCell<Sleepers>,
}

#[derive(Default)]
struct Sleepers {
    all: Vec<Option<Rc<Sleeper>>>,
    free: Vec<usize>,
}

/// A connection that waits.
#[derive(Default)]
struct Sleeper {
    due: Cell<u64>,
    waker: RefCell<Option<Waker>>,
}

/// A connection's place on a watch.
pub struct Post {
    watch: Rc<Watch>,
    sleeper: Rc<Sleeper>,
    place: usize,
}

impl Watch {
    /// Starts a local task that ends with the last holder of the watch.
    pub fn start(drain: Drain) -> Rc<Self> {
        let watch = Rc::new(Self {
            tick: Cell::new(0),
            stopping: Cell::new(drain.is_signalled()),
            sleepers: RefCell::default(),
        });
        tokio::task::spawn_local(tick(Rc::downgrade(&watch)));
        tokio::task::spawn_local(stop(Rc::downgrade(&watch), drain));
        watch
    }

    /// Whether it is time to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// A place on it.
    pub fn post(self: &Rc<Self>) -> Post {
        let sleeper = Rc::new(Sleeper { due: Cell::new(NEVER), waker: RefCell::default() });
        let mut sleepers = self.sleepers.borrow_mut();
        let place = sleepers.add(sleeper.clone());
        drop(sleepers);
        Post { watch: self.clone(), sleeper, place }
    }

    /// Wakes those whose time has come.
    fn wake(&self, is_due: impl Fn(&Sleeper) -> bool) {
        let sleepers = self.sleepers.borrow();
        let due = sleepers.all.iter().flatten().filter(|sleeper| is_due(sleeper));
        due.filter_map(|sleeper| sleeper.waker.borrow_mut().take()).for_each(Waker::wake);
    }
}

impl Sleepers {
    fn add(&mut self, sleeper: Rc<Sleeper>) -> usize {
        if let Some(place) = self.free.pop()
            && let Some(free) = self.all.get_mut(place)
        {
            *free = Some(sleeper);
            return place;
        }
        self.all.push(Some(sleeper));
        self.all.len() - 1
    }
}

impl Post {
    /// From now on so many seconds may go by.
    pub fn within(&self, limit: Duration) {
        // The first of them may have begun a while ago.
        self.sleeper.due.set(self.watch.tick.get() + limit.as_secs() + 1);
    }

    /// Whether they have gone by. If not, wakes whoever asks when they have, or at the signal to
    /// stop.
    pub fn is_due(&self, context: &Context<'_>) -> bool {
        if self.watch.tick.get() >= self.sleeper.due.get() {
            return true;
        }
        let mut waker = self.sleeper.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
        false
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        let mut sleepers = self.watch.sleepers.borrow_mut();
        if let Some(place) = sleepers.all.get_mut(self.place) {
            *place = None;
        }
        sleepers.free.push(self.place);
    }
}

async fn tick(watch: Weak<Watch>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let Some(watch) = watch.upgrade() else {
            return;
        };
        watch.tick.set(watch.tick.get() + 1);
        watch.wake(|sleeper| sleeper.due.get() <= watch.tick.get());
    }
}

async fn stop(watch: Weak<Watch>, drain: Drain) {
    drain.signalled().await;
    if let Some(watch) = watch.upgrade() {
        watch.stopping.set(true);
        watch.wake(|_| true);
    }
}
