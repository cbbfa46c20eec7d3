//! Runs the target `connect` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_transport::fuzzing::connect(data));
