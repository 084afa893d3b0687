//! What single values must look like. Each answer to a bad one says what to write instead.

use std::net::{IpAddr, SocketAddr};
use url::Url;

/// Good, or why not.
pub(super) type Checked = Result<(), String>;

fn must(holds: bool, otherwise: &str) -> Checked {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

pub(super) fn filled(text: &str) -> Checked {
    must(!text.trim().is_empty(), "must not be empty: leave the key out instead")
}

pub(super) fn path(text: &str) -> Checked {
    must(
        !text.is_empty() && !text.contains('\0'),
        "must be the path of a file or folder: leave the key out if there is none",
    )
}

pub(super) fn account(text: &str) -> Checked {
    must(
        text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit()),
        "must have twelve digits, as they stand in ARNs: \"000000000000\"",
    )
}

pub(super) fn quotas(text: &str) -> Checked {
    must(
        [model::quotas::DEFAULT, model::quotas::NONE].contains(&text),
        "must be \"default\", \"none\" or a table of numbers: [quotas] distributions = 500",
    )
}

pub(super) fn address(text: &str) -> Checked {
    must(
        text.parse::<SocketAddr>().is_ok(),
        "must be ADDRESS:PORT with an IP address, such as \"127.0.0.1:8080\" or \"[::]:80\"; port 0 picks a free one",
    )
}

pub(super) fn ip(text: &str) -> Checked {
    must(
        text.parse::<IpAddr>().is_ok(),
        "must be an IP address without a port, such as \"192.0.2.1\" or \"2001:db8::1\"",
    )
}

pub(super) fn zone(text: &str) -> Checked {
    must(
        text.len() <= 190,
        "must have at most 190 characters: names of distributions go in front",
    )?;
    must(
        labels_are_good(text),
        "must be a DNS name in lower case without a final dot, such as \"cdn.example.net\"",
    )
}

pub(super) fn name(text: &str) -> Checked {
    must(
        labels_are_good(text.trim_end_matches('.')),
        "must be a DNS name in lower case, such as \"ns1.example.net\"",
    )
}

/// RFC 1035 §2.3.1, with digits in front as RFC 1123 §2.1 allows.
fn labels_are_good(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(label_is_good)
}

fn label_is_good(label: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(letters)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

pub(super) fn contact(text: &str) -> Checked {
    let domain = text.split_once('@').map_or(text, |(_, domain)| domain);
    must(
        !text.is_empty() && labels_are_good(domain),
        "must be a mailbox, as \"hostmaster@example.net\" or \"hostmaster.example.net\"",
    )
}

pub(super) fn edge(text: &str) -> Checked {
    must(
        (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()),
        "must be the id of an edge: 1 to 128 printable characters without spaces",
    )
}

pub(super) fn pop(text: &str) -> Checked {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    must(
        (1..=32).contains(&text.len()) && text.bytes().all(good),
        "must be the name of a place such as \"FRA1-P1\": 1 to 32 letters, digits and hyphens",
    )
}

pub(super) fn product(text: &str) -> Checked {
    must(matches!(text, "nearfront" | "cloudfront"), "must be \"nearfront\" or \"cloudfront\"")
}

pub(super) fn memory(text: &str) -> Checked {
    must(
        crate::size::bytes(text).is_some_and(|bytes| bytes >= 1 << 20),
        "must be at least 1MiB, written as bytes or with KiB, MiB or GiB: \"256MiB\"",
    )
}

/// Less would be a few segments of a few large slices each.
const LEAST_DISK: u64 = 64 << 20;

pub(super) fn disk(text: &str) -> Checked {
    must(
        text == "off" || crate::size::bytes(text).is_some_and(|bytes| bytes >= LEAST_DISK),
        "must be \"off\", or at least 64MiB, written as bytes or with KiB, MiB or GiB: \"100GiB\"",
    )
}

pub(super) fn format(text: &str) -> Checked {
    must(matches!(text, "text" | "json"), "must be \"text\" or \"json\"")
}

pub(super) fn filter(text: &str) -> Checked {
    tracing_subscriber::EnvFilter::try_new(text).map(drop).map_err(|why| {
        format!("must be a log filter such as \"info\" or \"nearfront_edge=debug,info\": {why}")
    })
}

fn url(text: &str, schemes: &[&str]) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    schemes.contains(&url.scheme()).then_some(url)
}

pub(super) fn http(text: &str) -> Checked {
    must(
        url(text, &["http", "https"]).is_some_and(|url| url.has_host()),
        "must be the URL of a server, such as \"http://127.0.0.1:9000\"",
    )
}

pub(super) fn collector(text: &str) -> Checked {
    must(
        url(text, &["http"]).is_some_and(|url| url.has_host()),
        "must be the URL of an OTLP receiver that speaks plain HTTP, such as \"http://127.0.0.1:4318\"",
    )
}

/// Clusters and sentinels name several servers in one URL, so only the scheme is looked at here.
pub(super) fn metadata(text: &str) -> Checked {
    let known = ["", "+cluster", "+sentinel"];
    let scheme = |scheme: &str| {
        let kind = scheme.strip_prefix("rediss").or(scheme.strip_prefix("redis"));
        kind.is_some_and(|kind| known.contains(&kind))
    };
    let good =
        text.split_once("://").is_some_and(|(before, rest)| scheme(before) && !rest.is_empty());
    must(
        text == "embedded" || good,
        "must be \"embedded\" or begin with redis://, rediss://, redis+cluster:// or redis+sentinel://",
    )
}

pub(super) fn challenge(text: &str) -> Checked {
    must(
        matches!(text, "http-01" | "tls-alpn-01" | "dns-01"),
        "must be \"http-01\", \"tls-alpn-01\" or \"dns-01\"",
    )
}

pub(super) fn secure(text: &str) -> Checked {
    must(
        url(text, &["https"]).is_some_and(|url| url.has_host()),
        "must be a URL that begins with https://, such as \"https://acme.example/directory\"",
    )
}

pub(super) fn sealing_keys(text: &str) -> Checked {
    crate::seal::read_keys(text).map(drop)
}

pub(super) fn store(text: &str) -> Checked {
    let schemes = ["s3", "gs", "az", "file", "memory"];
    let Some(url) = url(text, &schemes) else {
        return Err("must begin with s3://, gs://, az://, file:/// or memory://".to_owned());
    };
    must(
        url.scheme() != "file" || !url.has_host(),
        "must have three slashes and a whole path: \"file:///srv/site\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_dns_names() {
        assert_eq!(zone("nearfront.localhost"), Ok(()));
        for bad in ["", "a..b", "Cdn.example", "-a.example", "a_b.example", "a.example."] {
            assert!(zone(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn urls_are_told_by_their_schemes() {
        for good in [
            "embedded",
            "redis://h:1/0",
            "rediss+cluster://h:1,i:1",
            "redis+sentinel://a:1,b:2/main",
        ] {
            assert_eq!(metadata(good), Ok(()), "{good}");
        }
        for bad in ["", "http://h", "redis://", "redisss://h", "redis+ring://h"] {
            assert!(metadata(bad).is_err(), "{bad}");
        }
        for good in ["s3://", "s3://bucket/prefix", "file:///srv", "memory://"] {
            assert_eq!(store(good), Ok(()), "{good}");
        }
        assert!(store("file://srv/site").is_err());
        assert!(collector("https://h:4318").is_err());
    }
}
