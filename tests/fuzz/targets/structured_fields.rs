//! libFuzzer's way into [`nearfront_fuzz::laws::structured_fields`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nearfront_fuzz::laws::structured_fields::hold(bytes));
