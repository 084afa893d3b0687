//! Which services there are, and starting them.

use crate::aws::{self, Access};
use anyhow::{Context, Result};
use kit::{runfile::Run, service::World, settings::Settings};
use std::path::PathBuf;

/// A service that can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The management API.
    Control,
    /// Answers viewers.
    Edge,
    /// Names.
    Dns,
}

/// What runs, as others need to know it.
#[derive(Default)]
pub struct Running {
    /// Where everything listens.
    pub run: Run,
    /// The key of the management API, when that runs here.
    pub access: Option<Access>,
    /// File that holds the local authority's certificate.
    pub authority: Option<PathBuf>,
    /// Assigned name of the distribution for `--site`.
    pub site: Option<String>,
}

/// Starts services in order; they run until the world's drain is signalled.
///
/// # Errors
/// Those of the first that cannot start.
pub async fn start(services: &[Service], settings: &Settings, world: &World) -> Result<Running> {
    let mut running = Running::default();
    running.run.pid = std::process::id();
    for service in services {
        let world = world.clone();
        match service {
            Service::Control => control(&mut running, settings, world).await?,
            Service::Edge => edge(&mut running, settings, world).await?,
            Service::Dns => dns(&mut running, settings, world).await?,
        }
    }
    Ok(running)
}

async fn control(running: &mut Running, settings: &Settings, world: World) -> Result<()> {
    let started = control::start(settings, world).await.context("control")?;
    running.run.control = Some(started.listen);
    running.access = Some(Access {
        endpoint: aws::url(started.listen),
        id: started.root_key.id,
        secret: started.root_key.secret.0,
    });
    Ok(())
}

async fn edge(running: &mut Running, settings: &Settings, world: World) -> Result<()> {
    let started = edge::start(settings, world).await.context("edge")?;
    running.run.edge_http = Some(started.http);
    running.run.edge_https = Some(started.https);
    Ok(())
}

async fn dns(running: &mut Running, settings: &Settings, world: World) -> Result<()> {
    let started = dns::start(settings, world).await.context("dns")?;
    running.run.dns = Some(started.listen);
    Ok(())
}
