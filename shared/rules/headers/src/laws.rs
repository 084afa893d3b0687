//! Laws that hold for all requests and responses, whatever bytes are in them.

use crate::{
    accept_encoding::{Normalised, normalise},
    connection,
    cookies::Cookies,
    device::Device,
    error_body,
    fixtures::{behaviour, custom_origin, except, names, only},
    generated,
    hosts::{self, HostIndex},
    key,
    names::{Names, Outcome, value},
    origin_request::{self, Asking, Conditions},
    query, redirect, response_policy,
    viewer::{Request, Viewer},
    viewer_response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use model::plan::{Behaviour, Cors, HeaderSelection, Law, ResponseHeaders, Selection};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Names that some rule knows, and some that none does.
const KNOWN: [&str; 30] = [
    "accept",
    "accept-encoding",
    "authorization",
    "cache-control",
    "cdn-loop",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "if-none-match",
    "keep-alive",
    "origin",
    "pragma",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "set-cookie",
    "x-a",
    "x-b",
    "x-forwarded-for",
    "cloudfront-viewer-country",
    "server-timing",
    "access-control-request-method",
];

fn any_value() -> impl Strategy<Value = HeaderValue> {
    let bytes = vec(prop_oneof![32..=126_u8, 128..=255_u8], 0..40);
    let words = "[a-c=;,. *$q0]{0,16}".prop_map(String::into_bytes);
    let known = select(&KNOWN[..]).prop_map(|name| name.as_bytes().to_vec());
    prop_oneof![bytes, words, known].prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
}

fn any_headers() -> impl Strategy<Value = HeaderMap> {
    vec((select(&KNOWN[..]), any_value()), 0..12).prop_map(|pairs| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    })
}

fn any_selection() -> impl Strategy<Value = Selection> {
    let list = vec("[a-c*?$]{0,3}", 0..3);
    prop_oneof![
        Just(Selection::None),
        Just(Selection::All),
        list.clone().prop_map(Selection::Only),
        list.prop_map(Selection::Except),
    ]
}

fn any_header_list() -> impl Strategy<Value = Vec<String>> {
    vec(select(&KNOWN[..]), 0..4).prop_map(|list| {
        let mut list = names(&list);
        list.sort();
        list.dedup();
        list
    })
}

fn any_header_selection() -> impl Strategy<Value = HeaderSelection> {
    prop_oneof![
        Just(HeaderSelection::None),
        Just(HeaderSelection::AllViewer),
        any_header_list().prop_map(HeaderSelection::Only),
        any_header_list().prop_map(HeaderSelection::AllViewerAnd),
        any_header_list().prop_map(HeaderSelection::AllExcept),
    ]
}

prop_compose! {
    fn any_behaviour()(
        (headers, cookies, query) in (any_header_list(), any_selection(), any_selection()),
        forward in (any_header_selection(), any_selection(), any_selection()),
        flags in any::<[bool; 7]>(),
    ) -> Behaviour {
        let mut behaviour = behaviour();
        (behaviour.cache.headers, behaviour.cache.cookies, behaviour.cache.query) =
            (headers, cookies, query);
        (behaviour.forward.headers, behaviour.forward.cookies, behaviour.forward.query) = forward;
        [behaviour.cache.gzip, behaviour.cache.brotli, ..] = flags;
        [_, _, behaviour.compress, behaviour.forward.legacy, behaviour.cache.all_headers, _, _] = flags;
        behaviour.cache.zstd = flags[6];
        behaviour.cache.law = if flags[5] { Law::Http } else { Law::CloudFront };
        behaviour
    }
}

fn any_viewer() -> impl Strategy<Value = Viewer<'static>> {
    let versions = [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2];
    let country = option::of(select(&["FR", "DE"][..]));
    (any::<std::net::SocketAddr>(), select(versions.to_vec()), any::<bool>(), country).prop_map(
        |(address, version, https, country)| {
            let mut viewer = Viewer::new(address, version, https);
            viewer.place.country = country;
            viewer
        },
    )
}

fn any_method() -> impl Strategy<Value = Method> {
    select(vec![Method::GET, Method::HEAD, Method::OPTIONS, Method::POST])
}

/// What one request is made of, so that it can be borrowed from.
type Parts = (Method, String, Option<String>, HeaderMap, Viewer<'static>);

fn any_parts() -> impl Strategy<Value = Parts> {
    (any_method(), "/[a-b/?%é]{0,4}", option::of("[a-c=&;*]{0,10}"), any_headers(), any_viewer())
}

fn request(parts: &Parts) -> Request<'_> {
    let (method, path, query, headers, viewer) = parts;
    Request { method, path, query: query.as_deref(), headers, viewer }
}

fn material(behaviour: &Behaviour, parts: &Parts) -> Vec<u8> {
    let mut bytes = Vec::new();
    key::write("d1.zone", behaviour, &request(parts), &mut |piece| bytes.extend_from_slice(piece));
    bytes
}

fn to_origin(behaviour: &Behaviour, parts: &Parts, conditions: Conditions) -> HeaderMap {
    origin_request::headers(&Asking {
        request: &request(parts),
        behaviour,
        origin: &custom_origin(),
        names: &Names::default(),
        vias: &Names::default().vias("ab.zone"),
        id: "id",
        body: parts.0 == Method::POST,
        conditions,
    })
}

/// The key as a value with an equality of its own: what the bytes must agree with.
fn meaning(behaviour: &Behaviour, parts: &Parts) -> impl PartialEq + std::fmt::Debug + use<> {
    let (method, path, query, headers, viewer) = parts;
    let asked = request(parts);
    let encoding = normalise(behaviour, headers, viewer.version);
    let as_sent = encoding == Normalised::AsSent;
    let counted = |name: &&String| *name != "cookie" && (as_sent || *name != "accept-encoding");
    let values = |name: &String| -> Vec<Vec<u8>> {
        let owned = |value: &HeaderValue| value.as_bytes().to_vec();
        if generated::is_generated(name) {
            generated::generate(name, &asked).iter().map(owned).collect()
        } else {
            headers.get_all(name).iter().map(owned).collect()
        }
    };
    let listed = behaviour.cache.headers.iter().filter(counted);
    let listed: Vec<_> = listed.map(|name| (name.clone(), values(name))).collect();
    let listed: Vec<_> = listed.into_iter().filter(|(_, values)| !values.is_empty()).collect();
    let cookies: Vec<(Vec<u8>, Vec<u8>)> = Cookies::parse(headers)
        .keyed(behaviour)
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect();
    let query = query::keyed(query.as_deref(), behaviour).map(std::borrow::Cow::into_owned);
    let options = *method == Method::OPTIONS;
    (options, path.clone(), query, listed, encoding.key_part(), cookies)
}

proptest! {
    /// Two requests have one key if and only if all that counts is equal: nothing runs together.
    #[test]
    fn the_key_is_equal_just_when_all_that_counts_is(
        behaviour in any_behaviour(),
        one in any_parts(),
        two in any_parts(),
        swap in any::<[bool; 5]>(),
    ) {
        let mut near = one.clone();
        if swap[0] { near.0 = two.0.clone(); }
        if swap[1] { near.1.clone_from(&two.1); }
        if swap[2] { near.2.clone_from(&two.2); }
        if swap[3] { near.3.clone_from(&two.3); }
        if swap[4] { near.4 = two.4; }
        let equal = meaning(&behaviour, &one) == meaning(&behaviour, &near);
        prop_assert_eq!(equal, material(&behaviour, &one) == material(&behaviour, &near));
    }

    /// What is not in the key changes nothing that a cache policy alone sends: no viewer can have
    /// something kept for others that its own extra headers, cookies or parameters made.
    #[test]
    fn without_an_origin_request_policy_equal_keys_ask_the_same(
        mut behaviour in any_behaviour(),
        mut parts in any_parts(),
        noise in any_headers(),
    ) {
        behaviour.forward = crate::fixtures::behaviour().forward;
        behaviour.cache.law = Law::CloudFront;
        behaviour.cache.all_headers = false;
        parts.0 = Method::GET;
        let mut noisy = parts.clone();
        for (name, value) in &noise {
            let spared = ["cache-control", "pragma", "accept-encoding", "cookie"].contains(&name.as_str());
            if !spared && !behaviour.cache.headers.iter().any(|listed| listed == name.as_str()) {
                noisy.3.append(name, value.clone());
            }
        }
        connection::strip(&mut parts.3);
        connection::strip(&mut noisy.3);
        if material(&behaviour, &parts) == material(&behaviour, &noisy) {
            let ask = |parts: &Parts| {
                let mut headers = to_origin(&behaviour, parts, Conditions::Withheld);
                for name in ["x-forwarded-for", "via", "cdn-loop", "cache-control", "pragma"] {
                    headers.remove(name);
                }
                // One key stands for "nothing that we deal in" and for no word at all.
                let identity = headers.get("accept-encoding").is_some_and(|value| value == "identity");
                if identity {
                    headers.remove("accept-encoding");
                }
                headers
            };
            prop_assert_eq!(ask(&parts), ask(&noisy));
        }
    }

    /// Header order is no difference.
    #[test]
    fn the_key_does_not_know_the_order_of_header_names(
        behaviour in any_behaviour(),
        parts in any_parts(),
    ) {
        let mut turned = parts.clone();
        let names: Vec<HeaderName> = parts.3.keys().cloned().collect();
        turned.3 = HeaderMap::new();
        for name in names.into_iter().rev() {
            for value in parts.3.get_all(&name) {
                turned.3.append(&name, value.clone());
            }
        }
        prop_assert_eq!(material(&behaviour, &parts), material(&behaviour, &turned));
    }

    /// What is always sent is there once; what is never sent is not there.
    #[test]
    fn every_origin_request_is_whole(behaviour in any_behaviour(), parts in any_parts(), sent in any::<bool>()) {
        let conditions = if sent { Conditions::AsSent } else { Conditions::Withheld };
        let headers = to_origin(&behaviour, &parts, conditions);
        for name in ["host", "user-agent", "via", "x-amz-cf-id", "x-forwarded-for", "cdn-loop"] {
            prop_assert_eq!(headers.get_all(name).iter().count(), 1, "{}", name);
        }
        for name in ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"] {
            prop_assert!(!headers.contains_key(name), "{}", name);
        }
        let country = headers.get("cloudfront-viewer-country");
        prop_assert!(country.is_none() || country == parts.4.place.country.map(value).as_ref());
        prop_assert!(sent || !headers.contains_key("range"));
    }

    /// Cookies that are sent read back as themselves, sorted.
    #[test]
    fn forwarded_cookies_read_back(behaviour in any_behaviour(), headers in any_headers()) {
        if let Some(line) = Cookies::parse(&headers).forwarded(&behaviour) {
            let mut again = HeaderMap::new();
            again.insert("cookie", line.clone());
            prop_assert_eq!(Cookies::parse(&again).forwarded(&behaviour), Some(line));
        }
    }

    /// A list and all but that list share the parameters out between them.
    #[test]
    fn only_and_except_share_the_query_out(query in "[a-c=&;*]{0,12}", list in vec("[a-c*]{0,2}", 0..3)) {
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let kept = |selection: Selection| {
            let mut behaviour = behaviour();
            behaviour.cache.query = selection;
            query::keyed(Some(&query), &behaviour).map_or(0, |kept| kept.split('&').count())
        };
        prop_assert_eq!(kept(only(&list)) + kept(except(&list)), query.split('&').count());
    }

    /// Removing twice is removing once, and what is removed is gone.
    #[test]
    fn cleaning_is_done_once(behaviour in any_behaviour(), headers in any_headers(), bucket in any::<bool>()) {
        let mut once = headers.clone();
        viewer_response::clean(&mut once, &behaviour, bucket);
        let mut twice = once.clone();
        viewer_response::clean(&mut twice, &behaviour, bucket);
        prop_assert_eq!(&once, &twice);
        prop_assert!(!once.contains_key("connection"));
        prop_assert!(crate::cookies::may_be_set(&behaviour) || !once.contains_key("set-cookie"));
    }

    /// The index finds what a look at every name finds.
    #[test]
    fn the_most_specific_name_is_found(
        listed in vec("(\\*\\.)?[ab](\\.[ab]){0,2}", 0..8),
        host in "[abA](\\.[abB]){0,4}\\.?(:80)?",
    ) {
        let mut index = HostIndex::default();
        for name in &listed {
            index.insert(name, name.clone());
        }
        let name = hosts::normalise(&host).unwrap().into_owned();
        let covers = |listed: &&String| match listed.strip_prefix('*') {
            Some(tail) => name.ends_with(tail) && name.len() > tail.len(),
            None => **listed == name,
        };
        let best = listed.iter().filter(covers).max_by_key(|name| (!name.starts_with('*'), name.len()));
        prop_assert_eq!(index.find(&host), best);
    }

    /// Nobody is allowed who is not listed, and `*` never comes with credentials.
    #[test]
    fn permissions_are_never_wider_than_the_policy(
        origins in vec("(\\*|(https://)?(\\*\\.)?[ab]\\.c(:\\*|:81)?)", 0..3),
        origin in option::of("https?://[ab.]{1,4}\\.c(:81)?"),
        flags in any::<[bool; 2]>(),
        method in any_method(),
        headers in any_headers(),
    ) {
        let listed: Vec<&str> = origins.iter().map(String::as_str).collect();
        let cors = Cors {
            allow_origins: names(&listed),
            allow_headers: names(&["*"]),
            allow_methods: names(&["GET"]),
            expose_headers: vec![],
            allow_credentials: flags[0],
            max_age: None,
            replace: flags[1],
        };
        let policy = ResponseHeaders { cors: Some(cors), ..ResponseHeaders::default() };
        let mut request = headers.clone();
        request.remove("origin");
        if let Some(origin) = &origin {
            request.insert("origin", value(origin));
        }
        let mut response = HeaderMap::new();
        response_policy::apply(&policy, &method, &request, &mut response);
        let allowed = response.get("access-control-allow-origin");
        prop_assert!(allowed.is_none() || !listed.is_empty());
        prop_assert!(allowed.is_none() || origin.is_some());
        if allowed.is_some_and(|allowed| allowed == "*") {
            prop_assert!(listed.contains(&"*") && !flags[0]);
        } else if let Some(allowed) = allowed {
            prop_assert_eq!(Some(allowed), request.get("origin"));
            prop_assert_eq!(response.get("vary").map(HeaderValue::as_bytes), Some(&b"Origin"[..]));
        }
    }

    /// No bytes make a rule panic, and no text leaves a header or a page.
    #[test]
    fn any_bytes_will_do(
        behaviour in any_behaviour(),
        mut headers in any_headers(),
        text in any::<String>(),
        bytes in vec(any::<u8>(), 0..60),
    ) {
        connection::strip(&mut headers);
        let names = Names::of(&text);
        let stamped = names.via(Version::HTTP_2, &text);
        prop_assert!(!stamped.as_bytes().iter().any(u8::is_ascii_control));
        prop_assert!(names.x_cache(Outcome::Miss).as_bytes().starts_with(b"Miss from "));
        let page = error_body::error(http::StatusCode::BAD_GATEWAY, &text, &text, &names);
        let tags = page.matches('<').count();
        prop_assert_eq!(tags, error_body::error(http::StatusCode::OK, "", "", &Names::default()).matches('<').count());
        let _ = (Device::of(&bytes), hosts::normalise(&text), redirect::location(&text, &text, 8443));
        let _ = origin_request::passes(&headers, &names);
        let policy = ResponseHeaders { remove: vec![text], ..ResponseHeaders::default() };
        response_policy::apply(&policy, &Method::OPTIONS, &headers.clone(), &mut headers);
        viewer_response::clean(&mut headers, &behaviour, true);
    }
}
