//! libFuzzer's way into [`nearfront_fuzz::laws::cache_control`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nearfront_fuzz::laws::cache_control::hold(bytes));
