//! The one connection that all calls share: opened when needed, given up when it fails.

use crate::{fault::Fault, keys, lineage::Head, place::Place, script::Script};
use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value, aio::MultiplexedConnection,
    cmd,
};
use std::time::Duration;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout_at},
};

/// Longest time for a call of ordinary size, with all its attempts.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// Pauses between attempts; when they are used up the call fails.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(30), Duration::from_millis(120), Duration::from_millis(350)];

/// What holds the connection.
pub struct Link {
    /// Where it leads.
    pub place: Place,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    /// How many connections there were.
    count: u64,
    connection: Option<MultiplexedConnection>,
}

impl Link {
    /// A link that has not been used yet.
    pub fn new(place: Place) -> Self {
        Self { place, current: Mutex::default() }
    }

    /// Runs a script; safe to be run twice, as all of ours are.
    pub async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        command: &Cmd,
        patience: Duration,
    ) -> Result<T, Fault> {
        self.attempts(command, Some(script), patience).await
    }

    /// Runs a command that changes nothing.
    pub async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Fault> {
        self.attempts(command, None, PATIENCE).await
    }

    /// The newest commit.
    pub async fn head(&self) -> Result<Head, Fault> {
        let mut command = cmd("MGET");
        command.arg(keys::REVISION).arg(keys::MARK);
        let (revision, mark): (Option<u64>, Option<String>) = self.ask(&command).await?;
        Ok(Head::of(revision.unwrap_or_default(), mark.unwrap_or_default()))
    }

    /// How many connections there have been: another number says that there is a new one.
    pub async fn count(&self) -> u64 {
        self.current.lock().await.count
    }

    async fn attempts<T: FromRedisValue>(
        &self,
        command: &Cmd,
        script: Option<&Script>,
        patience: Duration,
    ) -> Result<T, Fault> {
        let deadline = Instant::now() + patience;
        for pause in PAUSES {
            match self.attempt(command, script, deadline).await {
                Err(Fault::Gone(_)) if Instant::now() + pause < deadline => sleep(pause).await,
                other => return Ok(redis::from_redis_value(other?).map_err(RedisError::from)?),
            }
        }
        let last = self.attempt(command, script, deadline).await?;
        Ok(redis::from_redis_value(last).map_err(RedisError::from)?)
    }

    async fn attempt(
        &self,
        command: &Cmd,
        script: Option<&Script>,
        deadline: Instant,
    ) -> Result<Value, Fault> {
        let connected = timeout_at(deadline, self.connection()).await;
        let (count, connection) = connected.map_err(|_| too_slow())??;
        let answer = timeout_at(deadline, query(connection, command, script)).await;
        let answer = answer.unwrap_or_else(|_| Err(too_slow()));
        if let Err(Fault::Gone(_)) = answer {
            self.give_up(count).await;
        }
        answer
    }

    async fn connection(&self) -> Result<(u64, MultiplexedConnection), Fault> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok((current.count, connection.clone()));
        }
        let connection = self.place.connect().await?;
        current.count += 1;
        current.connection = Some(connection.clone());
        Ok((current.count, connection))
    }

    /// Forgets the connection unless another has taken its place.
    async fn give_up(&self, count: u64) {
        let mut current = self.current.lock().await;
        if current.count == count {
            current.connection = None;
        }
    }
}

async fn query(
    mut connection: MultiplexedConnection,
    command: &Cmd,
    script: Option<&Script>,
) -> Result<Value, Fault> {
    match (command.query_async(&mut connection).await, script) {
        (Err(error), Some(script)) if is_no_script(&error) => {
            script.load().exec_async(&mut connection).await?;
            Ok(command.query_async(&mut connection).await?)
        }
        (answer, _) => Ok(answer?),
    }
}

fn is_no_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

fn too_slow() -> Fault {
    Fault::gone("Redis does not answer in time")
}
