//! What kind of device a `User-Agent` speaks of.
//!
//! For: the six `CloudFront-Is-*-Viewer` headers.
//! Not for: browsers and versions.
//!
//! The rule, on the lower-case text: a television says so or names a television platform; else a
//! tablet says `ipad`, `tablet`, `kindle`, `silk/` or `playbook`, or is an Android that does not say
//! `mobile`; a mobile says `mobile`, `phone`, `ipod`, `blackberry` or `opera mini`, so that a tablet
//! that says `mobile` is both; everything else is a desktop, a missing `User-Agent` too.

/// Kinds that a `User-Agent` claims; several may be true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "six independent headers, six facts"
)]
pub struct Device {
    /// A phone, or a tablet that calls itself mobile.
    pub mobile: bool,
    /// A tablet.
    pub tablet: bool,
    /// A television or a box beside one.
    pub smart_tv: bool,
    /// None of these.
    pub desktop: bool,
    /// Runs Android.
    pub android: bool,
    /// Runs iOS or `iPadOS`.
    pub ios: bool,
}

const TELEVISION: [&str; 16] = [
    "smart-tv",
    "smarttv",
    "smart tv",
    "hbbtv",
    "googletv",
    "google tv",
    "android tv",
    "appletv",
    "apple tv",
    "netcast",
    "web0s",
    "roku",
    "bravia",
    "viera",
    "crkey",
    "aftb",
];
const TABLET: [&str; 5] = ["ipad", "tablet", "kindle", "silk/", "playbook"];
const MOBILE: [&str; 5] = ["mobile", "phone", "ipod", "blackberry", "opera mini"];

impl Device {
    /// Reads a `User-Agent`; any bytes will do.
    pub fn of(user_agent: &[u8]) -> Self {
        let text = String::from_utf8_lossy(user_agent).to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let android = says(&["android"]);
        let smart_tv = says(&TELEVISION);
        let tablet = !smart_tv && (says(&TABLET) || (android && !says(&["mobile"])));
        let mobile = !smart_tv && says(&MOBILE);
        Self {
            mobile,
            tablet,
            smart_tv,
            desktop: !(mobile || tablet || smart_tv),
            android,
            ios: says(&["iphone", "ipad", "ipod"]),
        }
    }
}
