//! Plain hits, straight from the parsed bytes.
//!
//! For: answering what an HTTP/1.1 viewer asks most (GET or HEAD of something that is held and fresh,
//! without conditions, ranges or bodies) with one read and one write, without a lock, an allocation
//! or a timer of its own. Other requests without bodies are put to the engine; everything else goes
//! up, byte for byte, to the server library (`h1`) for one exchange, after which the connection comes
//! back.
//! Not for: deciding anything. Which distribution, which behaviour, which key, whether the copy is
//! fresh and what stands in the head come from where the engine has them from; what cannot be
//! decided cheaply is the engine's.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `ask` | whether bytes are a plain request |
//! | `answer` | whether it is a hit, and what is written |
//! | `head` | heads of answers, made once and filled in often |
//! | `exchange` | what the engine says of what is no hit |
//! | `connection` | what is read and written when |
//! | `watch` | who has been silent for too long |

mod answer;
mod ask;
mod connection;
mod exchange;
mod head;
#[cfg(test)]
mod tests;
mod watch;

use crate::{
    meters::Hits,
    pipeline::Engine,
    plans::Known,
    serve::{
        io::Watched,
        turns::{Home, Turns},
    },
};
use actix_service::Service;
use answer::Moment;
use bytes::BytesMut;
use connection::{Connection, End};
use head::Heads;
use kit::drain::Drain;
use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
};
use tokio::io::{AsyncRead, AsyncWrite};
use watch::Watch;

/// Most bytes of a request's head; longer ones go up.
const LONGEST_HEAD: usize = 16 << 10;
/// Buffers for answers that wait to be used again.
const SPARE: usize = 16;
/// A buffer that has grown beyond this is not kept.
const LARGEST_SPARE: usize = 256 << 10;

/// What the connections of one thread share.
pub struct Worker {
    engine: Arc<Engine>,
    watch: Rc<Watch>,
    hits: Hits,
    known: RefCell<Arc<Known>>,
    /// Counts the changes of what is known.
    generation: Cell<u64>,
    heads: RefCell<Heads>,
    moment: Cell<Moment>,
    /// Where bytes are read to.
    input: RefCell<Box<[u8]>>,
    /// What keys are made of.
    material: RefCell<Vec<u8>>,
    spare: RefCell<Vec<Vec<u8>>>,
    /// How often the engine was asked.
    #[cfg(test)]
    exchanges: Cell<usize>,
}

impl Worker {
    /// For this thread, whose local tasks it joins.
    pub fn new(engine: &Arc<Engine>, drain: &Drain) -> Rc<Self> {
        Rc::new(Self {
            engine: engine.clone(),
            watch: Watch::start(drain.clone()),
            hits: engine.meters.hits(),
            known: RefCell::new(engine.current.load_full()),
            generation: Cell::new(0),
            heads: RefCell::new(Heads::default()),
            moment: Cell::default(),
            input: RefCell::new(vec![0; LONGEST_HEAD].into_boxed_slice()),
            material: RefCell::default(),
            spare: RefCell::default(),
            #[cfg(test)]
            exchanges: Cell::default(),
        })
    }

    /// Looks whether anything has changed.
    fn refresh(&self) {
        let now = self.engine.current.load();
        if !Arc::ptr_eq(&now, &self.known.borrow()) {
            self.known.replace(Arc::clone(&now));
            self.generation.set(self.generation.get() + 1);
            self.heads.borrow_mut().clear();
        }
    }

    fn buffer(&self) -> Vec<u8> {
        self.spare.borrow_mut().pop().unwrap_or_default()
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE && (1..=LARGEST_SPARE).contains(&buffer.capacity()) {
            buffer.clear();
            spare.push(buffer);
        }
    }
}

/// Serves one connection until it ends. What is not plain is answered by `up`.
pub async fn serve<T, S>(worker: &Rc<Worker>, io: Watched<T>, up: &S)
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Service<(Turns<Watched<T>>, Option<SocketAddr>)>,
{
    let peer = io.link.peer;
    let (mut io, mut ahead) = (io, BytesMut::new());
    let mut is_first = true;
    loop {
        let mut connection = Connection::new(worker, io, ahead, is_first);
        match connection.speak().await {
            End::Gone => return,
            End::Over => return connection.close().await,
            End::More | End::Up => {}
        }
        is_first = false;
        let home = Home::new();
        let turns = connection.lend(&home);
        // In a box, so that connections that never need it do not hold its room.
        if Box::pin(up.call((turns, Some(peer)))).await.is_err() {
            return;
        }
        let Some(back) = home.take() else {
            return;
        };
        (io, ahead) = back;
    }
}
