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
#[expect(clippy::struct_excessive_bools, reason = "six independent headers, six facts")]
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Words for the kinds that hold, in the order of the fields.
    fn kinds(user_agent: &str) -> String {
        let device = Device::of(user_agent.as_bytes());
        let kinds = [
            (device.mobile, "mobile"),
            (device.tablet, "tablet"),
            (device.smart_tv, "tv"),
            (device.desktop, "desktop"),
            (device.android, "android"),
            (device.ios, "ios"),
        ];
        let kinds = kinds.into_iter().filter(|(holds, _)| *holds).map(|(_, kind)| kind);
        kinds.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn user_agents_speak_of_devices() {
        let table = [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120 Safari/537.36", "desktop"),
            ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/120 Mobile Safari", "mobile android"),
            ("Mozilla/5.0 (Linux; Android 13; SM-X900) Chrome/120 Safari", "tablet android"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Mobile/15E148", "mobile ios"),
            ("Mozilla/5.0 (iPad; CPU OS 16_0) Mobile/15E148", "mobile tablet ios"),
            ("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) SamsungBrowser/4.0 TV Safari", "tv"),
            ("Mozilla/5.0 (Linux; Android 9; BRAVIA 4K) Chrome/90", "tv android"),
            ("Roku/DVP-9.10", "tv"),
            ("curl/8.5.0", "desktop"),
            ("", "desktop"),
        ];
        for (user_agent, expected) in table {
            assert_eq!(kinds(user_agent), expected, "{user_agent}");
        }
    }
}
