//! A behaviour, an origin and a viewer to start tests from.

use http::{HeaderMap, HeaderName, HeaderValue, Version};
use model::{
    ids::{OriginId, PolicyId},
    plan::*,
    units::Seconds,
};

use crate::viewer::Viewer;

pub fn behaviour() -> Behaviour {
    Behaviour {
        pattern: "*".to_owned(),
        origin: OriginId::from("o"),
        viewer_protocol: ViewerProtocol::AllowAll,
        allowed: Methods::All,
        cache_options: false,
        compress: false,
        grpc: false,
        cache: CachePolicy {
            id: Some(PolicyId::from("p")),
            law: Law::CloudFront,
            ttl: Ttl { min: Seconds(0), default: Some(Seconds(86400)), max: Seconds(31_536_000) },
            headers: vec![],
            cookies: Selection::None,
            query: Selection::None,
            gzip: false,
            brotli: false,
            zstd: false,
            all_headers: false,
        },
        forward: Forward {
            id: None,
            legacy: false,
            headers: HeaderSelection::None,
            cookies: Selection::None,
            query: Selection::None,
        },
        response_headers: None,
    }
}

pub fn custom_origin() -> Origin {
    Origin {
        id: OriginId::from("o"),
        domain: "origin.example".to_owned(),
        path: "/base".to_owned(),
        headers: vec![],
        kind: OriginKind::Custom {
            protocol: OriginProtocol::Http,
            http_port: 80,
            https_port: 443,
            keepalive: Seconds(5),
        },
        attempts: 3,
        connect_timeout: Seconds(10),
        read_timeout: Seconds(30),
        completion_timeout: None,
    }
}

pub fn viewer() -> Viewer<'static> {
    Viewer::new(([192, 0, 2, 7], 4711).into(), Version::HTTP_11, false)
}

pub fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
    });
    let mut headers = HeaderMap::new();
    pairs.for_each(|(name, value)| {
        headers.append(name, value);
    });
    headers
}

pub fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

pub fn only(list: &[&str]) -> Selection {
    Selection::Only(names(list))
}

pub fn except(list: &[&str]) -> Selection {
    Selection::Except(names(list))
}
