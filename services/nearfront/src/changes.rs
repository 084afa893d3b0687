//! `nearfront history`, `diff` and `rollback`: what was changed, and the way back.

use crate::{
    api::{Answer, Api, escaped},
    cli::{self, Resource},
    remote,
};
use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};
use std::{fmt::Write as _, process::ExitCode};

/// `nearfront history`.
///
/// # Errors
/// When the API cannot be reached or knows no such resource.
pub fn history(asked: &cli::History) -> Result<ExitCode> {
    let Resource { place, json, .. } = &asked.resource;
    let body = remote::run(async {
        let api = remote::here(place)?;
        match &asked.resource.name {
            Some(resource) => all_versions(&api, resource).await,
            None => get(&api, "/nearfront/deleted").await,
        }
    })?;
    print(*json, &body, if asked.resource.name.is_some() { versions } else { deleted });
    Ok(ExitCode::SUCCESS)
}

/// `nearfront diff`.
///
/// # Errors
/// When the API cannot be reached or knows no such resource or version.
pub fn diff(asked: &cli::Diff) -> Result<ExitCode> {
    // Sorted by name, as signatures want it.
    let resource = format!("Resource={}", escaped(&asked.resource));
    let target = match (asked.first, asked.second) {
        (None, _) => format!("/nearfront/diff?{resource}"),
        (Some(one), None) => format!("/nearfront/diff?{resource}&To={one}"),
        (Some(from), Some(to)) => format!("/nearfront/diff?From={from}&{resource}&To={to}"),
    };
    let body = remote::run(async { get(&remote::here(&asked.place)?, &target).await })?;
    print(asked.json, &body, compared);
    Ok(ExitCode::SUCCESS)
}

/// `nearfront rollback`.
///
/// # Errors
/// When the API cannot be reached or refuses the change.
pub fn rollback(asked: &cli::Rollback) -> Result<ExitCode> {
    let body = json!({"Resource": asked.resource, "Version": asked.version}).to_string();
    let mut headers = Vec::new();
    headers.extend(asked.if_match.clone().map(|tag| ("if-match", tag)));
    if asked.dry_run {
        headers.push(("x-nearfront-dry-run", "true".to_owned()));
    }
    let (mut body, lints) = remote::run(async {
        let api = remote::here(&asked.place)?;
        let answer = api.call(Method::POST, "/nearfront/rollback", &headers, body).await?.good()?;
        anyhow::Ok((parsed(&answer)?, answer.all("x-nearfront-lint")))
    })?;
    if let Some(members) = body.as_object_mut() {
        members.insert("DryRun".into(), asked.dry_run.into());
        members.insert("Lints".into(), lints.into());
    }
    print(asked.json, &body, rolled_back);
    Ok(ExitCode::SUCCESS)
}

async fn get(api: &Api, target: &str) -> Result<Value> {
    parsed(&api.call(Method::GET, target, &[], String::new()).await?.good()?)
}

fn parsed(answer: &Answer) -> Result<Value> {
    serde_json::from_str(&answer.body).context("the answer is no JSON: is this a Nearfront?")
}

/// All pages as one.
async fn all_versions(api: &Api, resource: &str) -> Result<Value> {
    let resource = escaped(resource);
    let mut whole = get(api, &format!("/nearfront/history?Resource={resource}")).await?;
    while let Some(marker) = whole.get("NextMarker").and_then(Value::as_str).map(str::to_owned) {
        let target = format!("/nearfront/history?Marker={marker}&Resource={resource}");
        let page = get(api, &target).await?;
        let Some(members) = whole.as_object_mut() else { break };
        members.remove("NextMarker");
        members.extend(page.get("NextMarker").map(|next| ("NextMarker".into(), next.clone())));
        let more = page.get("Versions").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(all) = members.get_mut("Versions").and_then(Value::as_array_mut) {
            all.extend(more);
        }
    }
    Ok(whole)
}

fn print(json: bool, body: &Value, for_people: fn(&Value) -> String) {
    if json {
        println!("{body}");
    } else {
        println!("{}", for_people(body).trim_end());
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn versions(body: &Value) -> String {
    let mut lines = format!("{}\n", text(body, "Resource"));
    for one in list(body, "Versions") {
        let (number, at) = (number(one, "Version"), text(one, "At"));
        let (what, operation) = (text(one, "What"), text(one, "Operation"));
        let (by, request) = (text(one, "By"), text(one, "RequestId"));
        let _ = writeln!(lines, "{number:>5}  {at}  {what:<8} {operation:<28} {by:<22} {request}");
    }
    lines
}

fn deleted(body: &Value) -> String {
    let line = |one: &Value| format!("{}  {}", text(one, "DeletedAt"), text(one, "Resource"));
    let lines: Vec<_> = list(body, "Resources").iter().map(line).collect();
    if lines.is_empty() { "nothing that was deleted is kept".to_owned() } else { lines.join("\n") }
}

/// Differences as `path: before -> after`.
pub fn differences(body: &Value) -> Vec<String> {
    let shown = |value: Option<&Value>| value.map_or_else(|| "(none)".to_owned(), Value::to_string);
    let line = |one: &Value| {
        let (before, after) = (shown(one.get("Before")), shown(one.get("After")));
        format!("{}: {before} -> {after}", text(one, "Path"))
    };
    list(body, "Differences").iter().map(line).collect()
}

fn compared(body: &Value) -> String {
    let (from, to) = (number(body, "From"), number(body, "To"));
    let lines = differences(body);
    let nothing = if lines.is_empty() { "no difference" } else { "" };
    format!("{} {from} -> {to}\n{}{nothing}", text(body, "Resource"), lines.join("\n"))
}

fn rolled_back(body: &Value) -> String {
    let dry = body.get("DryRun") == Some(&Value::Bool(true));
    let resource = text(body, "Resource");
    let to = number(body, "RolledBackTo");
    let head = if dry {
        format!("{resource} would go back to version {to}; nothing was changed")
    } else if body.get("MadeAnew").is_some() {
        format!("{resource} was made anew from version {to}")
    } else {
        let now = number(body, "Version");
        format!("{resource} is as it was in version {to}: this is version {now}")
    };
    let lints = list(body, "Lints").iter().filter_map(Value::as_str);
    let lints = lints.map(|lint| format!("lint: {lint}"));
    [head].into_iter().chain(differences(body)).chain(lints).collect::<Vec<_>>().join("\n")
}
