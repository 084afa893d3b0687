//! A few threads that wait for the disk, so that nobody else has to.

use parking_lot::Mutex;
use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

/// Threads: reads under way at once.
const THREADS: usize = 4;
/// Reads that wait; a disk that falls further behind is not asked.
const WAITING: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// The threads; they end when this is dropped and what waits is done.
#[derive(Debug)]
pub struct Pool {
    jobs: SyncSender<Job>,
}

impl Pool {
    /// Starts them.
    ///
    /// # Errors
    /// When the system has no threads left.
    pub fn new() -> io::Result<Self> {
        let (jobs, waiting) = sync_channel::<Job>(WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..THREADS {
            let waiting = waiting.clone();
            std::thread::Builder::new().name("disk-read".into()).spawn(move || work(&waiting))?;
        }
        Ok(Self { jobs })
    }

    /// Does it soon. False, and never done, when too much waits already.
    pub fn spawn(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.jobs.try_send(Box::new(job)).is_ok()
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}
