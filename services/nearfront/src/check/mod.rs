//! `nearfront check`: every fault of a file at once, by path.

mod against;
mod config;
mod shape;
mod xml;

use crate::cli::Check;
use anyhow::Context;
use kit::settings::Settings;
use model::api::DistributionConfig;
use serde::Serialize;
use std::{
    collections::BTreeMap, fs::File, io::Read, net::SocketAddr, path::Path, process::ExitCode,
};

/// Largest file that is looked at, in bytes.
const MOST: u64 = 8 << 20;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Kind {
    /// `nearfront.toml`.
    #[serde(rename = "settings")]
    Settings,
    /// A distribution.
    #[serde(rename = "DistributionConfig")]
    Json,
    /// The same, as it goes over the wire.
    #[serde(rename = "DistributionConfig")]
    Xml,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Fault {
    path: String,
    /// The API's error code; none for settings and for what is not even of the right shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    message: String,
}

impl Fault {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), code: None, message: message.into() }
    }
}

/// What is printed with `--json`.
#[derive(Serialize)]
struct Report<'a> {
    file: &'a Path,
    kind: Kind,
    ok: bool,
    /// Where services would listen with these settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<BTreeMap<&'static str, SocketAddr>>,
    faults: &'a [Fault],
    /// What is allowed and probably not meant.
    lints: Vec<String>,
    /// How it differs from the distribution that it is held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<Vec<String>>,
}

/// Checks one file and prints what is wrong with it.
///
/// # Errors
/// When the file cannot be read, or what it is held against cannot.
pub fn run(asked: &Check) -> anyhow::Result<ExitCode> {
    let text = read(&asked.file)?;
    let kind = kind(&asked.file, &text);
    let (mut faults, listen, config) = found(kind, &text);
    let mut lints = config.as_deref().map(config::lints).unwrap_or_default();
    let mut differences = None;
    if let Some(id) = &asked.against {
        anyhow::ensure!(kind != Kind::Settings, "--against is for a DistributionConfig");
        if let Some(config) = config.as_deref() {
            let held = crate::remote::run(against::hold(&asked.place, id, config))?;
            faults.extend(held.faults);
            lints = held.lints;
            differences = Some(held.differences);
        }
    }
    let ok = faults.is_empty();
    let report =
        Report { file: &asked.file, kind, ok, listen, faults: &faults, lints, differences };
    if asked.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{}", for_people(&report));
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(file: &Path) -> anyhow::Result<String> {
    let name = || file.display().to_string();
    let mut bytes = Vec::new();
    // A device or a pipe has no size that could be asked for first.
    let mut bounded = File::open(file).with_context(name)?.take(MOST + 1);
    let size = bounded.read_to_end(&mut bytes).with_context(name)?;
    let fits = u64::try_from(size).is_ok_and(|size| size <= MOST);
    anyhow::ensure!(fits, "{} has more than {MOST} bytes", name());
    String::from_utf8(bytes).with_context(name)
}

/// By its ending, else by its first character.
fn kind(file: &Path, text: &str) -> Kind {
    let ending = file.extension().and_then(|ending| ending.to_str());
    match (ending, text.trim_start().chars().next()) {
        (Some("toml"), _) => Kind::Settings,
        (Some("json"), _) | (_, Some('{')) => Kind::Json,
        (Some("xml"), _) | (_, Some('<')) => Kind::Xml,
        _ => Kind::Settings,
    }
}

/// All that is wrong, what good settings mean, and the configuration if its shape is good.
type Found =
    (Vec<Fault>, Option<BTreeMap<&'static str, SocketAddr>>, Option<Box<DistributionConfig>>);

fn found(kind: Kind, text: &str) -> Found {
    let config = match kind {
        Kind::Settings => {
            return match settings(text) {
                Err(faults) => (faults, None, None),
                Ok(good) => (Vec::new(), Some(listens(&good)), None),
            };
        }
        Kind::Json => config::json(text),
        Kind::Xml => config::xml(text),
    };
    match config {
        Err(faults) => (faults, None, None),
        Ok(config) => (config::refused(&config), None, Some(config)),
    }
}

/// The file together with the environment, as a start would see it; files that settings point to
/// are not opened.
fn settings(text: &str) -> Result<Settings, Vec<Fault>> {
    kit::load::read(text, kit::load::environment()).map_err(|faults| {
        let told = faults.into_iter().map(|fault| match fault.variable {
            Some(name) => Fault::new(fault.path, format!("{} (set by {name})", fault.problem)),
            None => Fault::new(fault.path, fault.problem),
        });
        told.collect()
    })
}

fn listens(settings: &Settings) -> BTreeMap<&'static str, SocketAddr> {
    BTreeMap::from([
        ("admin.listen", settings.admin.listen),
        ("control.listen", settings.control.listen),
        ("dns.listen", settings.dns.listen),
        ("edge.http", settings.edge.http),
        ("edge.https", settings.edge.https),
    ])
}

fn for_people(report: &Report<'_>) -> String {
    let file = report.file.display();
    let lints = report.lints.iter().map(|lint| format!("\n  lint: {lint}"));
    let differences = report.differences.iter().flatten().map(|one| format!("\n  {one}"));
    let more = lints.chain(differences).collect::<Vec<_>>().concat();
    if report.ok {
        let same = if report.differences.as_ref().is_some_and(Vec::is_empty) {
            ", and nothing would change"
        } else {
            ""
        };
        return format!("{file}: good{same}{more}");
    }
    let line = |fault: &Fault| match &fault.code {
        Some(code) => format!("  {}: {} [{code}]", fault.path, fault.message),
        None => format!("  {}: {}", fault.path, fault.message),
    };
    let told: Vec<_> = report.faults.iter().map(line).collect();
    let count = told.len();
    let noun = if count == 1 { "fault" } else { "faults" };
    format!("{file}: {count} {noun}\n{}{more}", told.join("\n"))
}

#[cfg(test)]
mod tests;
