//! Starting and stopping the service.

use crate::{
    acm,
    api::invalidations,
    audit,
    control::Control,
    first::{self, AccessKey},
    history, kvs,
    objects::Objects,
    resealing::{self, Unsealed},
    server,
    wire::fault::Fault,
};
use actix_web::{App, HttpServer, web};
use kit::{drain::Drain, service::World, settings::Settings};
use std::{net::SocketAddr, time::Duration};

/// Threads that serve requests; they wait for the store most of the time.
const WORKERS: usize = 2;
/// Most connections for each of them.
const MOST_CONNECTIONS: usize = 256;
/// Seconds that requests may still take when the service stops.
const DRAIN_SECONDS: u64 = 10;
/// How long a client may take for its head. What comes after has a limit of its own.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection may be idle between requests.
const IDLE: Duration = Duration::from_secs(30);
/// How often certificates are looked at for renewal.
const RENEW_EVERY: Duration = Duration::from_hours(1);

/// What runs now.
#[derive(Clone, Debug)]
pub struct Running {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The key that was made on first start.
    pub root_key: AccessKey,
}

/// Why it does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had.
    #[error("control.listen: {address} cannot be listened on: {error}; is another one running?")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The record of calls cannot be kept.
    #[error("{folder}: the record of management calls cannot be kept there: {error}")]
    Audit {
        /// Which folder.
        folder: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// An object store in the settings is not one.
    #[error(transparent)]
    ObjectStore(#[from] ports::origin::OriginError),
    /// What must be there before the first request could not be written.
    #[error("the metadata store could not be prepared: {0}")]
    Prepare(String),
    /// Secrets in the store do not open with the keys that were given.
    #[error(transparent)]
    Sealed(#[from] Unsealed),
}

impl From<Fault> for StartError {
    fn from(fault: Fault) -> Self {
        Self::Prepare(fault.message)
    }
}

/// Starts the management API: prepares the store, listens, and returns.
///
/// The server stops when `world.drain` is signalled. Dropping the call half-way starts nothing.
///
/// # Errors
/// When the store does not answer or the address is taken.
pub async fn start(settings: &Settings, world: World) -> Result<Running, StartError> {
    let drain = world.drain.clone();
    let control = Control::new(settings, Objects::of(settings)?, world).map_err(|error| {
        StartError::Audit { folder: settings.data_dir.join("audit").display().to_string(), error }
    })?;
    let control = web::Data::new(control);
    resealing::all(&control).await?;
    let root_key = first::root_key(&control).await?;
    first::certificates(&control).await?;
    let address = settings.control.listen;
    let failed = |error| StartError::Listen { address, error };
    let shared = control.clone();
    let server = HttpServer::new(move || {
        App::new().app_data(shared.clone()).default_service(web::to(server::answer))
    })
    .workers(WORKERS)
    .max_connections(MOST_CONNECTIONS)
    .client_request_timeout(PATIENCE)
    .keep_alive(IDLE)
    // Or the last piece of a long list waits some 40 ms for the client's acknowledgement.
    .tcp_nodelay(true)
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals()
    .bind(address)
    .map_err(failed)?;
    let listen = server.addrs().first().copied().unwrap_or(address);
    tokio::spawn(run(server.run(), drain.clone(), control.clone()));
    tokio::spawn(keep_records(control.clone(), drain.clone()));
    tokio::spawn(acm::obtain(Control::clone(&control), drain.clone()));
    tokio::spawn(kvs::chores::run(control.clone(), drain.clone()));
    tokio::spawn(keep_house(control, drain));
    Ok(Running { listen, root_key })
}

async fn run(server: actix_web::dev::Server, drain: Drain, control: web::Data<Control>) {
    let handle = server.handle();
    let stop = async {
        drain.signalled().await;
        handle.stop(true).await;
    };
    let (ended, ()) = tokio::join!(server, stop);
    if let Err(error) = ended {
        tracing::error!(%error, "the management API ended");
    }
    if let Err(fault) = control.audit.flush(&control).await {
        tracing::warn!(%fault, "the last records of calls are in their file only");
    }
}

async fn keep_records(control: web::Data<Control>, drain: Drain) {
    audit::run(&control, &drain).await;
}

/// Sweeps once, then renews the zone's certificate in time, for as long as the service runs.
async fn keep_house(control: web::Data<Control>, drain: Drain) {
    // Never given up half-way: a call that is dropped may hold the store a moment longer than we do.
    invalidations::forget_orphans(&control, &drain).await;
    loop {
        history::forget_deleted(&control).await;
        tokio::select! {
            () = drain.signalled() => return,
            () = tokio::time::sleep(RENEW_EVERY) => {}
        }
        if let Err(fault) = first::certificates(&control).await {
            tracing::warn!(%fault, "certificates could not be looked at; next try in an hour");
        }
        resealing::look(&control).await;
    }
}
