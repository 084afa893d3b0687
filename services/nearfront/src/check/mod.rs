//! `nearfront check`: every fault of a file at once, by path.

mod config;
mod shape;
mod xml;

use crate::cli::Check;
use anyhow::{Context, Result};
use serde::Serialize;
use std::{fs, path::Path, process::ExitCode};

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
    faults: &'a [Fault],
}

/// Checks one file and prints what is wrong with it.
///
/// # Errors
/// When the file cannot be read.
pub fn run(asked: &Check) -> Result<ExitCode> {
    let text = read(&asked.file)?;
    let kind = kind(&asked.file, &text);
    let faults = faults(kind, &text);
    let ok = faults.is_empty();
    let report = Report { file: &asked.file, kind, ok, faults: &faults };
    if asked.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{}", for_people(&report));
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(file: &Path) -> Result<String> {
    let name = || file.display().to_string();
    let size = fs::metadata(file).with_context(name)?.len();
    anyhow::ensure!(size <= MOST, "{} has more than {MOST} bytes", name());
    fs::read_to_string(file).with_context(name)
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

fn faults(kind: Kind, text: &str) -> Vec<Fault> {
    match kind {
        Kind::Settings => settings(text),
        Kind::Json => config::json(text),
        Kind::Xml => config::xml(text),
    }
}

/// The file together with the environment, as a start would see it; files that settings point to
/// are not opened.
fn settings(text: &str) -> Vec<Fault> {
    let found = kit::load::read(text, kit::load::environment()).err();
    let found = found.unwrap_or_default().into_iter();
    found
        .map(|fault| match fault.variable {
            Some(name) => Fault::new(fault.path, format!("{} (set by {name})", fault.problem)),
            None => Fault::new(fault.path, fault.problem),
        })
        .collect()
}

fn for_people(report: &Report<'_>) -> String {
    let file = report.file.display();
    if report.ok {
        return format!("{file}: good");
    }
    let line = |fault: &Fault| match &fault.code {
        Some(code) => format!("  {}: {} [{code}]", fault.path, fault.message),
        None => format!("  {}: {}", fault.path, fault.message),
    };
    let lines: Vec<_> = report.faults.iter().map(line).collect();
    let count = lines.len();
    let noun = if count == 1 { "fault" } else { "faults" };
    format!("{file}: {count} {noun}\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests;
