//! Idle connections, by server, each for as long as its origin's keep-alive timeout says.

use crate::{
    h2::Connections,
    target::{Server, Target},
    upload::Outgoing,
};
use hyper::client::conn::http1::SendRequest;
use model::units::Seconds;
use parking_lot::{Mutex, RwLock};
use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    runtime::{Handle, Id},
    time::Instant,
};

/// The asking end of a connection.
pub(crate) type Sender = SendRequest<Outgoing>;

/// How long a connection may take to tidy up after an exchange before it is dropped instead.
const TIDYING: Duration = Duration::from_secs(1);
/// How often overdue connections are looked for.
const SWEEP: Duration = Duration::from_millis(500);

/// One open connection.
pub(crate) struct Connection {
    server: Server,
    keepalive: Seconds,
    /// Requests go in here.
    pub sender: Sender,
    /// Whether it has carried an exchange before.
    pub reused: bool,
}

impl Connection {
    /// A new one.
    pub fn new(target: &Target, sender: Sender) -> Self {
        Self { server: target.server.clone(), keepalive: target.keepalive, sender, reused: false }
    }
}

struct Idle {
    since: Instant,
    connection: Connection,
}

impl Idle {
    /// Whether it is open, and idle for less than both its own origin and `keepalive` allow.
    fn usable(&self, keepalive: Seconds) -> bool {
        let limit = Duration::from_secs(self.connection.keepalive.min(keepalive).0);
        !self.connection.sender.is_closed() && self.since.elapsed() < limit
    }
}

#[derive(Default)]
struct Kept {
    /// Longest idle first.
    idle: HashMap<Server, Vec<Idle>>,
    sweeping: bool,
}

/// What is open, for each runtime: a connection is driven by the runtime that opened it, and asking
/// from there wakes no other thread.
pub(crate) struct Pools {
    per_server: usize,
    by_runtime: RwLock<HashMap<Id, Arc<Open>>>,
}

/// What one runtime has opened.
pub(crate) struct Open {
    /// Connections that carry one exchange at a time, while they carry none.
    pub pool: Arc<Pool>,
    /// Those that carry many.
    pub shared: Arc<Connections>,
}

impl Open {
    fn new(per_server: usize) -> Self {
        Self { pool: Arc::new(Pool::new(per_server)), shared: Arc::default() }
    }

    fn is_any_left(&self) -> bool {
        self.pool.sweep() || Arc::strong_count(&self.pool) > 1 || self.shared.is_any_open()
    }
}

impl Pools {
    /// Each keeps at most `per_server` idle connections for each server.
    pub fn new(per_server: usize) -> Self {
        Self { per_server, by_runtime: RwLock::default() }
    }

    /// What the runtime has open that this is called in.
    pub fn here(&self) -> Arc<Open> {
        let id = Handle::current().id();
        if let Some(open) = self.by_runtime.read().get(&id) {
            return open.clone();
        }
        let mut runtimes = self.by_runtime.write();
        // Runtimes end, too, and their connections with them.
        runtimes.retain(|_, open| Arc::strong_count(open) > 1 || open.is_any_left());
        runtimes.entry(id).or_insert_with(|| Arc::new(Open::new(self.per_server))).clone()
    }

    /// How many connections are idle.
    pub fn len(&self) -> usize {
        self.by_runtime.read().values().map(|open| open.pool.len() + open.shared.idle()).sum()
    }
}

/// All idle connections of one runtime.
pub(crate) struct Pool {
    per_server: usize,
    kept: Mutex<Kept>,
}

impl Pool {
    /// Keeps at most `per_server` idle connections for each server.
    pub fn new(per_server: usize) -> Self {
        Self { per_server, kept: Mutex::default() }
    }

    /// How many connections are idle.
    pub fn len(&self) -> usize {
        self.kept.lock().idle.values().map(Vec::len).sum()
    }

    /// The connection that was used last, if there is one that may still be used.
    pub fn take(&self, target: &Target) -> Option<Connection> {
        let mut kept = self.kept.lock();
        let idle = kept.idle.get_mut(&target.server)?;
        let mut found = None;
        while let Some(last) = idle.pop() {
            if last.usable(target.keepalive) {
                found = Some(last.connection);
                break;
            }
        }
        if idle.is_empty() {
            kept.idle.remove(&target.server);
        }
        found
    }

    /// Takes a connection back once the exchange on it is over. One that is closed, or does not
    /// become ready within a second (the request's body is still being sent), is dropped.
    pub fn give_back(self: &Arc<Self>, mut connection: Connection) {
        connection.reused = true;
        if connection.sender.is_ready() {
            return self.put(connection);
        }
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            let ready = tokio::time::timeout(TIDYING, connection.sender.ready()).await;
            if let (Ok(Ok(())), Some(pool)) = (ready, pool.upgrade()) {
                pool.put(connection);
            }
        });
    }

    fn put(self: &Arc<Self>, connection: Connection) {
        let mut kept = self.kept.lock();
        if !kept.idle.contains_key(&connection.server) {
            kept.idle.insert(connection.server.clone(), Vec::new());
        }
        if let Some(idle) = kept.idle.get_mut(&connection.server) {
            if idle.len() >= self.per_server.max(1) {
                idle.remove(0);
            }
            idle.push(Idle { since: Instant::now(), connection });
        }
        if !kept.sweeping {
            kept.sweeping = true;
            let sweeper = Sweeper(Arc::downgrade(self));
            tokio::spawn(sweeper.run());
        }
    }

    /// Drops what is overdue. Whether anything is left.
    fn sweep(&self) -> bool {
        let mut kept = self.kept.lock();
        kept.idle.retain(|_, idle| {
            idle.retain(|one| one.usable(one.connection.keepalive));
            !idle.is_empty()
        });
        kept.sweeping = !kept.idle.is_empty();
        kept.sweeping
    }
}

/// Sweeps while there is something to sweep; one at a time.
struct Sweeper(Weak<Pool>);

impl Sweeper {
    async fn run(mut self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            match self.0.upgrade() {
                Some(pool) if pool.sweep() => {}
                _ => break,
            }
        }
        self.0 = Weak::new(); // the sweep has said so itself, and another may have begun
    }
}

impl Drop for Sweeper {
    /// Also when the runtime that it ran on is gone: the next connection starts another.
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.kept.lock().sweeping = false;
        }
    }
}
