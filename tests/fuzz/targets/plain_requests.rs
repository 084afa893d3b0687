//! libFuzzer's way into [`nearfront_fuzz::laws::plain_requests`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nearfront_fuzz::laws::plain_requests::hold(bytes));
