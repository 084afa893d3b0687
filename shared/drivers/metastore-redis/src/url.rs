//! The URL of the settings. Its parts are never repeated in errors: a password may be among them.

use crate::place::{Address, Kind, Place};
use percent_encoding::percent_decode_str;
use redis::{RedisConnectionInfo, TlsCertificates};
use std::{fs, sync::atomic::AtomicUsize};

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// `SCHEME://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…][/PATH][?OPTIONS]`.
pub fn parse(url: &str) -> Result<Place, String> {
    let (scheme, rest) = url.split_once("://").ok_or("it has no scheme; say redis://HOST:PORT")?;
    let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (tls, kind, database) = scheme_and_path(scheme, path)?;
    let options = Options::parse(options)?;
    Ok(Place {
        hosts: addresses(hosts, &kind)?,
        kind,
        login: credentials(login)?.set_db(database),
        sentinel_login: options.sentinel_login(),
        tls: tls.then(|| options.certificates()).transpose()?,
        answered: AtomicUsize::new(0),
    })
}

fn scheme_and_path(scheme: &str, path: &str) -> Result<(bool, Kind, i64), String> {
    let (tls, kind) = match scheme.split_once('+').unwrap_or((scheme, "")) {
        ("redis", kind) => (false, kind),
        ("rediss", kind) => (true, kind),
        _ => return Err(unknown_scheme()),
    };
    match kind {
        "" => Ok((tls, Kind::Single, database(path)?)),
        "cluster" if matches!(path, "" | "0") => Ok((tls, Kind::Cluster, 0)),
        "cluster" => Err("a cluster has no databases: leave the path away".to_owned()),
        "sentinel" => {
            let (name, path) = path.split_once('/').unwrap_or((path, ""));
            let name = decoded(name)?;
            if name.is_empty() {
                return Err("the name of the master is missing: …HOST:PORT/NAME".to_owned());
            }
            Ok((tls, Kind::Sentinel(name), database(path)?))
        }
        _ => Err(unknown_scheme()),
    }
}

fn unknown_scheme() -> String {
    "its scheme is none of redis, rediss, redis+cluster, rediss+cluster, redis+sentinel, \
     rediss+sentinel"
        .to_owned()
}

fn database(path: &str) -> Result<i64, String> {
    match path.trim_end_matches('/') {
        "" => Ok(0),
        number => {
            let number = number.parse::<u16>();
            number.map(i64::from).map_err(|_| "the database is not a number".to_owned())
        }
    }
}

fn addresses(hosts: &str, kind: &Kind) -> Result<Vec<Address>, String> {
    let port = if matches!(kind, Kind::Sentinel(_)) { SENTINEL_PORT } else { REDIS_PORT };
    let addresses: Vec<_> =
        hosts.split(',').map(|host| address(host, port)).collect::<Result<_, _>>()?;
    if *kind == Kind::Single && addresses.len() > 1 {
        return Err("several hosts need redis+cluster:// or redis+sentinel://".to_owned());
    }
    Ok(addresses)
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`.
fn address(text: &str, port: u16) -> Result<Address, String> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(v6) => v6.split_once(']').ok_or("a [ has no ]")?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    if host.is_empty() {
        return Err("a host is missing".to_owned());
    }
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => port,
        Some(number) => number.parse().map_err(|_| "a port is not a number".to_owned())?,
        None => return Err("a port begins with ':'".to_owned()),
    };
    Ok(Address { host: host.to_owned(), port })
}

fn credentials(login: &str) -> Result<RedisConnectionInfo, String> {
    let info = RedisConnectionInfo::default();
    if login.is_empty() {
        return Ok(info);
    }
    let (user, password) =
        login.split_once(':').ok_or("a user needs a password: USER:PASSWORD@ or :PASSWORD@")?;
    let info = info.set_password(decoded(password)?);
    Ok(if user.is_empty() { info } else { info.set_username(decoded(user)?) })
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| "a part of it is not UTF-8 once decoded".to_owned())
}

#[derive(Default)]
struct Options {
    ca_file: Option<String>,
    sentinel_user: Option<String>,
    sentinel_password: Option<String>,
}

impl Options {
    fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = Some(decoded(value)?);
            match name {
                "ca_file" => options.ca_file = value,
                "sentinel_user" => options.sentinel_user = value,
                "sentinel_password" => options.sentinel_password = value,
                _ => {
                    return Err(format!(
                        "the option {name:?} is none of ca_file, sentinel_user, sentinel_password"
                    ));
                }
            }
        }
        Ok(options)
    }

    fn sentinel_login(&self) -> RedisConnectionInfo {
        let mut info = RedisConnectionInfo::default();
        if let Some(user) = &self.sentinel_user {
            info = info.set_username(user);
        }
        if let Some(password) = &self.sentinel_password {
            info = info.set_password(password);
        }
        info
    }

    fn certificates(&self) -> Result<TlsCertificates, String> {
        let root = self.ca_file.as_ref().map(fs::read).transpose();
        let root_cert = root.map_err(|why| format!("its ca_file cannot be read: {why}"))?;
        Ok(TlsCertificates { client_tls: None, root_cert })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(url: &str) -> Vec<(String, u16)> {
        let place = parse(url).unwrap();
        place.hosts.into_iter().map(|address| (address.host, address.port)).collect()
    }

    #[test]
    fn every_form_is_read() {
        let place = parse("redis://us%40er:pa%3Ass@host:1/3").unwrap();
        assert_eq!(place.kind, Kind::Single);
        let login = &place.login;
        assert_eq!(
            (login.username(), login.password(), login.db()),
            (Some("us@er"), Some("pa:ss"), 3)
        );
        assert!(place.tls.is_none());
        assert_eq!(parse("rediss://:p@host").unwrap().login.username(), None);
        assert!(parse("rediss+cluster://host").unwrap().tls.is_some());
        assert_eq!(
            hosts("redis+cluster://a:1,b,[::1]:3"),
            [("a".into(), 1), ("b".into(), 6379), ("::1".into(), 3)]
        );
        let place = parse("redis+sentinel://a,b:2/main/4?sentinel_password=x%26y").unwrap();
        assert_eq!(place.kind, Kind::Sentinel("main".to_owned()));
        assert_eq!((place.hosts[0].port, place.login.db()), (26379, 4));
        assert_eq!(place.sentinel_login.password(), Some("x&y"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        let wrong = [
            "host",
            "http://host",
            "redis+star://host",
            "redis://",
            "redis://a,b",
            "redis://a:x",
            "redis://a:99999",
            "redis://[::1",
            "redis://[::1]6379",
            "redis://a/x",
            "redis+cluster://a/1",
            "redis+sentinel://a",
            "redis://hush@a",
            "redis://:hush@a:b",
            "redis://:hush@a?x=hush",
            "rediss://a?ca_file=/no/such",
            "redis://:%ff@a",
        ];
        for url in wrong {
            let why = parse(url).unwrap_err();
            assert!(!why.is_empty() && !why.contains("hush"), "{url}: {why}");
        }
    }
}
