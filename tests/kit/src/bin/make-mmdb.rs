//! `make-mmdb FILE < networks.json`: a MaxMind-format database for tests.
//!
//! Reads `[{"network": "133.11.0.0/16", "record": {"country": {"iso_code": "JP"}}}, …]`.

use nearfront_testkit::mmdb::{Value, write_mmdb};
use serde_json::Value as Json;
use std::{error::Error, io, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: make-mmdb FILE")?);
    let rows: Vec<Json> = serde_json::from_reader(io::stdin().lock())?;
    let mut records: Vec<(&str, Value)> = Vec::new();
    for row in &rows {
        let network = row.get("network").and_then(Json::as_str);
        let record = row.get("record").cloned().ok_or("a row has no record")?;
        records.push((network.ok_or("a row has no network")?, record.into()));
    }
    Ok(write_mmdb(&path, &records)?)
}
