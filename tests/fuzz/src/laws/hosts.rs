//! Hosts and the other checks that a head has to pass before anything is asked.
//!
//! The input is lines: method, target, authority (empty for none), and one `Host` each.

use headers::{
    head::{self, LONGEST_HEAD, LONGEST_URL},
    hosts::{self, HostIndex},
};
use http::{HeaderMap, HeaderValue, Method, header::HOST};

/// What is a host is one in its normal form too, has nothing in it that ends a name, and is found
/// under that form; what is heard is within limits.
///
/// # Panics
/// When that does not hold.
pub fn hold(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(lines.next().unwrap_or_default()).ok();
    let (Some(method), Some(target), Some(authority)) = (text(), text(), text()) else {
        return;
    };
    let Ok(method) = Method::from_bytes(method.as_bytes()) else {
        return;
    };
    let mut headers = HeaderMap::new();
    for line in lines {
        let Ok(value) = HeaderValue::from_bytes(line) else {
            return;
        };
        headers.append(HOST, value);
    }
    let authority = Some(authority).filter(|authority| !authority.is_empty());
    if let Ok(host) = head::host(authority, &headers) {
        assert!(headers.get_all(HOST).iter().count() <= 1, "there is one host or none");
        is_host(host);
    }
    let (path, query) =
        target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    if head::fits(&method, path, query, &headers).is_ok() {
        let lines: usize = headers.values().map(|value| "host: \r\n".len() + value.len()).sum();
        assert!(target.len() <= LONGEST_URL && target.starts_with('/'));
        assert!(method.as_str().len() + target.len() + lines <= LONGEST_HEAD);
    }
}

fn is_host(host: &str) {
    let name = hosts::normalise(host).expect("what was taken for a host is one");
    assert!(
        !name.contains(
            |letter: char| letter.is_ascii_uppercase() || " /?#@\\\r\n\t".contains(letter)
        )
    );
    assert!(name.is_ascii() && !name.is_empty() && name.len() <= 253);
    assert_eq!(hosts::normalise(&name).as_deref(), Some(&*name), "the normal form is its own");
    let index = HostIndex::of([(vec![&*name], ())]);
    assert!(index.find(host).is_some(), "{host} is found as {name}");
    assert!(index.find(&host.to_ascii_uppercase()).is_some(), "{host} in capitals");
}
