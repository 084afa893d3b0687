//! Starting services, waiting for the signal to stop, and stopping them.

use crate::{
    announce,
    api::Api,
    authority, aws, cli,
    services::{self, Running, Service},
    site::{self, Site},
    stores,
};
use anyhow::{Context, Result};
use kit::{
    admin,
    drain::{self, Drain, Stopper},
    health::{Health, Severity},
    metrics::Metrics,
    runfile::Claim,
    seal::Seals,
    service::{SystemClock, World},
    settings::Settings,
    signals::{self, Ended, MOST_DRAIN, Signals},
    telemetry,
};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

/// The process's own condition in `/readyz`.
const PROCESS: &str = "process";

/// What to start.
#[derive(Debug)]
pub struct Wanted {
    /// As it was called on the command line.
    pub name: &'static str,
    services: Vec<Service>,
    place: cli::Place,
    site: Option<PathBuf>,
    json: bool,
}

impl Wanted {
    /// All services in one process.
    pub fn everything(up: cli::Up) -> Self {
        Self {
            name: "up",
            services: vec![Service::Control, Service::Edge, Service::Dns],
            place: up.place,
            site: up.site,
            json: up.json,
        }
    }

    /// One service of a fleet.
    pub fn one(service: Service, asked: cli::Service) -> Self {
        let name = match service {
            Service::Edge => "edge",
            Service::Control => "control",
            Service::Dns => "dns",
        };
        Self { name, services: vec![service], place: asked.place, site: None, json: asked.json }
    }

    /// What opens secrets in the store, for whoever reads any: DNS does not.
    fn seals(&self, settings: &Settings) -> Result<Seals> {
        if self.services == [Service::Dns] {
            return Ok(Seals::default());
        }
        Ok(kit::seal::prepare(settings)?)
    }

    /// Whether nobody else needs the metadata.
    fn alone(&self) -> bool {
        self.services.len() > 1
    }
}

/// Starts everything, serves until a signal comes, and stops.
///
/// # Errors
/// When something cannot be started; what was started is stopped then.
pub fn run(wanted: &Wanted) -> Result<ExitCode> {
    let settings = wanted.place.settings()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(serve(wanted, settings));
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

async fn serve(wanted: &Wanted, mut settings: Settings) -> Result<ExitCode> {
    let claim = Claim::take(&settings.data_dir)?;
    let telemetry = telemetry::start(&settings.telemetry, wanted.name)?;
    more_files();
    let site = site::map(&mut settings, wanted.site.as_deref())?;
    let ended = watched(wanted, &settings, site.as_ref(), &claim).await;
    telemetry.finish().await;
    exit(ended?)
}

/// Under the eyes of the admin server, from before the first service starts until the last stops.
async fn watched(
    wanted: &Wanted,
    settings: &Settings,
    site: Option<&Site>,
    claim: &Claim,
) -> Result<Ended> {
    let mut signals = Signals::listen()?;
    let (health, metrics) = (Health::default(), Metrics::default());
    health.ail(PROCESS, Severity::Unready, "services are starting");
    let listen = settings.admin.listen;
    let admin = admin::start(listen, health.clone(), metrics.clone())
        .with_context(|| format!("admin: cannot listen on {listen}: is another nearfront running? stop it, or choose another admin.listen in the settings"))?;
    let (stopper, drain) = drain::channel();
    let parts = Parts { drain, health: health.clone(), metrics };
    let ready = async {
        let running = start(wanted, settings, site, parts, admin.listen).await?;
        claim.publish(&running.run)?;
        health.heal(PROCESS);
        announce::ready(&running, settings, wanted.json);
        anyhow::Ok(())
    };
    let failed = tokio::select! {
        done = ready => match done {
            Ok(()) => { signals.next().await; None }
            Err(why) => Some(why),
        },
        _ = signals.next() => None,
    };
    let ended = stop(stopper, &mut signals, &health).await;
    admin.stop().await;
    failed.map_or(Ok(ended), Err)
}

async fn stop(stopper: Stopper, signals: &mut Signals, health: &Health) -> Ended {
    tracing::info!("stopping: answers under way are finished");
    health.ail(PROCESS, Severity::Unready, "stopping");
    signals::drain(stopper, signals, MOST_DRAIN).await
}

/// What every service's world has beside the store.
struct Parts {
    drain: Drain,
    health: Health,
    metrics: Metrics,
}

async fn start(
    wanted: &Wanted,
    settings: &Settings,
    site: Option<&Site>,
    parts: Parts,
    admin: SocketAddr,
) -> Result<Running> {
    let seals = wanted.seals(settings)?;
    let (store, registry) =
        stores::open(settings, wanted.name, wanted.alone(), &parts.health).await?;
    let world = World {
        seals,
        store,
        registry,
        clock: Arc::new(SystemClock),
        drain: parts.drain,
        health: parts.health,
        metrics: parts.metrics,
    };
    let mut running = services::start(&wanted.services, settings, &world).await?;
    running.run.admin = Some(admin);
    if let Some(access) = &running.access {
        aws::write(&settings.data_dir, access)?;
        running.authority = authority::write(&settings.data_dir, &*world.store).await?;
    }
    if let (Some(site), Some(access)) = (site, &running.access) {
        let api = Api::new(access.clone());
        running.site = Some(site::distribution(&api, site).await.context("--site")?);
    }
    Ok(running)
}

/// As many open files as the system lets this process have: every connection is one.
fn more_files() {
    if let Err(why) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%why, "the limit of open files stays as it is");
    }
}

fn exit(ended: Ended) -> Result<ExitCode> {
    match ended {
        Ended::Drained => Ok(ExitCode::SUCCESS),
        Ended::Insisted => anyhow::bail!("stopped at once by a second signal: work was cut off"),
        Ended::TooLong => anyhow::bail!(
            "stopped after {} s: some work had not finished and was cut off",
            MOST_DRAIN.as_secs()
        ),
    }
}
