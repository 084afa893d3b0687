//! `Cache-Control`, of requests and responses.
//!
//! The input is its lines.

use super::lines;
use caching::directives::{Directives, Flag, LONGEST};
use http::header::CACHE_CONTROL;
use model::{plan::Law, units::Seconds};

const FLAGS: [(Flag, &str); 10] = [
    (Flag::NoStore, "no-store"),
    (Flag::NoCache, "no-cache"),
    (Flag::Private, "private"),
    (Flag::Public, "public"),
    (Flag::MustRevalidate, "must-revalidate"),
    (Flag::ProxyRevalidate, "proxy-revalidate"),
    (Flag::MustUnderstand, "must-understand"),
    (Flag::NoTransform, "no-transform"),
    (Flag::Immutable, "immutable"),
    (Flag::OnlyIfCached, "only-if-cached"),
];

/// Numbers and lists are bounded, letter case does not matter, what was understood can be written
/// and read again, and no bytes hide a directive that stands free of quotes.
///
/// # Panics
/// When that does not hold.
pub fn hold(input: &[u8]) {
    let Some(headers) = lines(&CACHE_CONTROL, input) else {
        return;
    };
    let said = Directives::of(&headers);
    bounded(&said);
    assert_eq!(said, Directives::of_response(Law::CloudFront, &headers));
    assert_eq!(said, Directives::of_response(Law::Http, &headers));
    assert_eq!(read(&input.to_ascii_uppercase()), said, "letter case does not matter");
    assert_eq!(read(written(&said).as_bytes()), said, "written and read again");
    if !input.contains(&b'"') {
        unquoted(input, &said);
    }
}

fn read(text: &[u8]) -> Directives {
    Directives::of(&lines(&CACHE_CONTROL, text).unwrap_or_default())
}

fn numbers(said: &Directives) -> [(&'static str, Option<Seconds>); 6] {
    [
        ("max-age", said.max_age),
        ("s-maxage", said.s_maxage),
        ("min-fresh", said.min_fresh),
        ("max-stale", said.max_stale),
        ("stale-while-revalidate", said.stale_while_revalidate),
        ("stale-if-error", said.stale_if_error),
    ]
}

fn bounded(said: &Directives) {
    assert!(numbers(said).iter().all(|(_, count)| count.is_none_or(|count| count <= LONGEST)));
    assert!(said.withheld.len() <= 32, "a list of names has an end");
}

fn written(said: &Directives) -> String {
    let flags =
        FLAGS.iter().filter(|(flag, _)| said.has(*flag)).map(|(_, name)| (*name).to_owned());
    let known =
        numbers(said).into_iter().filter_map(|(name, count)| count.map(|count| (name, count)));
    let withheld = (!said.withheld.is_empty()).then(|| {
        let names: Vec<_> = said.withheld.iter().map(http::HeaderName::as_str).collect();
        format!("no-cache=\"{}\"", names.join(","))
    });
    let numbers = known.map(|(name, count)| format!("{name}={}", count.0));
    flags.chain(numbers).chain(withheld).collect::<Vec<_>>().join(", ")
}

/// Without quotes a list is simple: what is said in it was heard, nothing else was, and it can come
/// in lines of its own.
fn unquoted(input: &[u8], said: &Directives) {
    let members = || {
        let members = input.split(|byte| matches!(byte, b',' | b'\n')).map(<[u8]>::trim_ascii);
        members.map(|member| String::from_utf8_lossy(member).to_ascii_lowercase())
    };
    for (flag, name) in FLAGS {
        let free = members().any(|member| member == name);
        assert!(!free || said.has(flag), "{name} was said");
        let named = members().any(|member| member.starts_with(name));
        assert!(named || !said.has(flag), "{name} was not said");
    }
    for (name, count) in numbers(said) {
        let arguments: Vec<_> = members().filter_map(|member| argument(&member, name)).collect();
        assert!(count.is_none() || !arguments.is_empty(), "{name} was not said");
        if matches!(name, "max-age" | "s-maxage")
            && arguments.first().is_some_and(|first| !is_number(first))
        {
            assert_eq!(count, Some(Seconds::ZERO), "{name} that cannot be read is stale");
        }
    }
    let joined: Vec<_> = input.split(|byte| *byte == b'\n').collect();
    assert_eq!(read(&joined.join(&b", "[..])), *said, "lines are one list");
}

/// What follows the name and an equals sign; nothing where they are not followed by anything.
fn argument(member: &str, name: &str) -> Option<String> {
    let (said, argument) = member.split_once('=').unwrap_or((member, ""));
    (said.trim_ascii() == name).then(|| argument.trim_ascii().to_owned())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
