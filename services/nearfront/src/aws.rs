//! `<data>/aws/config` and `credentials`: how the AWS CLI and SDKs reach this Nearfront.
//!
//! Both hold the profile `nearfront` and the default one, so that naming the two files is enough.

use anyhow::{Context, Result};
use kit::whole;
use std::{
    fs::{self, DirBuilder},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::fs::DirBuilderExt,
    path::Path,
};

/// The one region that CloudFront's API lives in.
pub const REGION: &str = "us-east-1";

/// What a client needs.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// Root URL of the management API.
    pub endpoint: String,
    /// Key id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// The URL at which this machine reaches a listen address.
pub fn url(listen: SocketAddr) -> String {
    format!("http://{}", reachable(listen))
}

/// The URL for what key value stores hold. SDKs put the account and a dot in front of its host, which
/// makes no name of an address: on this machine the name `localhost` takes its place (RFC 6761 §6.3);
/// elsewhere operators must name one, see `docs/guide/key-value-stores.md`.
pub fn contents_url(endpoint: &str) -> String {
    let address = endpoint.strip_prefix("http://").and_then(|rest| rest.parse::<SocketAddr>().ok());
    match address.filter(|address| address.ip().is_loopback()) {
        Some(address) => format!("http://localhost:{}", address.port()),
        None => endpoint.to_owned(),
    }
}

/// A listen address as a destination: "any address" becomes loopback.
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Writes both files, readable for their owner only.
///
/// # Errors
/// The system's.
pub fn write(data: &Path, access: &Access) -> Result<()> {
    let folder = data.join("aws");
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(&folder).with_context(|| folder.display().to_string())?;
    let profiles = ["default", "profile nearfront"].map(|name| {
        let endpoint = &access.endpoint;
        format!("[{name}]\nregion = {REGION}\nendpoint_url = {endpoint}\nservices = nearfront\n")
    });
    let contents = contents_url(&access.endpoint);
    let services =
        format!("[services nearfront]\ncloudfront_keyvaluestore =\n  endpoint_url = {contents}\n");
    let config = profiles.join("\n") + "\n" + &services;
    let credentials = ["default", "nearfront"].map(|name| {
        format!(
            "[{name}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            access.id, access.secret
        )
    });
    for (name, text) in [("config", config), ("credentials", credentials.join("\n"))] {
        let path = folder.join(name);
        whole::write(&path, text.as_bytes()).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Reads the key back; the endpoint is where control listens now.
///
/// # Errors
/// When there is no key: control has never run with this data folder.
pub fn read(data: &Path, control: SocketAddr) -> Result<Access> {
    let path = data.join("aws").join("credentials");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let value = |key: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(name, _)| name.trim() == key)
            .map(|(_, value)| value.trim().to_owned())
            .with_context(|| format!("{} has no {key}: start control again", path.display()))
    };
    Ok(Access {
        endpoint: url(control),
        id: value("aws_access_key_id")?,
        secret: value("aws_secret_access_key")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_written_is_private_and_read_back() {
        let data = tempfile::tempdir().unwrap();
        let listen: SocketAddr = "0.0.0.0:9300".parse().unwrap();
        let access =
            Access { endpoint: url(listen), id: "AKIA".into(), secret: "hush=hush".into() };
        write(data.path(), &access).unwrap();
        assert!(read(data.path(), listen).unwrap() == access);
        assert_eq!(access.endpoint, "http://127.0.0.1:9300");
        let path = data.path().join("aws/credentials");
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let config = fs::read_to_string(data.path().join("aws/config")).unwrap();
        assert!(config.contains(
            "[profile nearfront]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:9300\n"
        ));
        assert!(config.contains("\n  endpoint_url = http://localhost:9300\n"), "{config}");
    }

    #[test]
    fn an_address_of_this_machine_becomes_a_name_that_takes_another_in_front() {
        assert_eq!(contents_url("http://127.0.0.1:9300"), "http://localhost:9300");
        assert_eq!(contents_url("http://[::1]:9300"), "http://localhost:9300");
        assert_eq!(contents_url("http://10.0.0.1:9300"), "http://10.0.0.1:9300");
    }
}
