//! Runs the target `requests` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_transport::fuzzing::requests(data));
