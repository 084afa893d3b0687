//! The one binary that starts any or all of Nearfront's services.
//!
//! For: reading settings, choosing drivers, starting libraries, and the small commands around them.
//! Not for: anything that a service does; that is in the libraries under `services/`.

mod announce;
mod api;
mod authority;
mod aws;
mod changes;
mod check;
mod cli;
mod env;
mod import;
mod offline;
mod remote;
mod run;
mod services;
mod site;
mod stores;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Two providers would make rustls panic at the first handshake; this names the one we build.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match ran(cli) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("nearfront: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn ran(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Up(up) => run::run(&run::Wanted::everything(up)),
        Command::Edge(service) => run::run(&run::Wanted::one(services::Service::Edge, service)),
        Command::Control(service) => {
            run::run(&run::Wanted::one(services::Service::Control, service))
        }
        Command::Dns(service) => run::run(&run::Wanted::one(services::Service::Dns, service)),
        Command::Env(env) => env::print(&env),
        Command::Check(file) => check::run(&file),
        Command::History(history) => changes::history(&history),
        Command::Diff(diff) => changes::diff(&diff),
        Command::Rollback(rollback) => changes::rollback(&rollback),
        Command::Import(import) => import::run(&import),
    }
}
