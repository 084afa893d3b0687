//! `nearfront import`: what another CloudFront or Nearfront has, recreated here through our own API.
//!
//! For: moving distributions with all that they refer to: read there ([`source`]), bent to what can be
//! served here ([`bend`]), made here in order of dependency ([`parts`], [`distributions`]), or only tried
//! ([`planned`]).
//! Not for: content, logs and certificates' keys, which cannot be read through any API.
//!
//! What was imported is known again by its name or its caller reference, so a second run finds all
//! in place and changes nothing.

mod bend;
mod distributions;
mod parts;
mod planned;
mod report;
mod source;
mod tags;

use crate::{api::Api, cli, remote};
use anyhow::Result;
use report::Report;
use std::{collections::BTreeMap, process::ExitCode};

/// An import under way.
struct Import<'a> {
    asked: &'a cli::Import,
    there: Api,
    here: Api,
    /// Ids here by kind and id there; none for what could not be made.
    ids: BTreeMap<(&'static str, String), Option<String>>,
    report: Report,
}

/// Runs it.
///
/// # Errors
/// When one of the two cannot be reached, or what is there cannot be read.
pub fn run(asked: &cli::Import) -> Result<ExitCode> {
    let report = remote::run(async {
        let here = remote::here(&asked.place)?;
        let there = remote::there(&asked.from, asked.profile.as_deref()).await?;
        let report = Report::new(asked);
        let mut import = Import { asked, there, here, ids: BTreeMap::new(), report };
        for id in source::distributions(&import.there, &asked.distribution).await? {
            import.distribution(&id).await?;
        }
        anyhow::Ok(import.report)
    })?;
    if asked.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{}", report.for_people());
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
