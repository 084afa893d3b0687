//! The management API alone, on a free port, with everything in a folder: for trying clients.
//!
//! `cargo run -p nearfront-control --example control -- FOLDER` prints the environment for the AWS
//! CLI, then serves until it is interrupted.

use kit::{health::Health, metrics::Metrics, service::SystemClock, settings::Settings};
use metastore_embedded::EmbeddedStore;
use std::{error::Error, sync::Arc};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: control FOLDER")?;
    let store = Arc::new(EmbeddedStore::open(format!("{folder}/metadata.redb"))?);
    let (stopper, drain) = kit::drain::channel();
    let mut settings = Settings { data_dir: folder.clone().into(), ..Settings::default() };
    let world = kit::service::World {
        seals: kit::seal::prepare(&settings)?,
        registry: store.clone(),
        store,
        clock: Arc::new(SystemClock),
        drain,
        health: Health::default(),
        metrics: Metrics::default(),
    };
    settings.control.listen = "127.0.0.1:0".parse()?;
    let running = nearfront_control::start(&settings, world).await?;
    println!("export AWS_ENDPOINT_URL=http://{}", running.listen);
    println!("export AWS_ACCESS_KEY_ID={}", running.root_key.id);
    println!("export AWS_SECRET_ACCESS_KEY={}", running.root_key.secret.0);
    println!("export AWS_DEFAULT_REGION=us-east-1");
    tokio::signal::ctrl_c().await?;
    stopper.stop().await;
    Ok(())
}
