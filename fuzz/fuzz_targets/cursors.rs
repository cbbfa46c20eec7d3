//! Runs the target `cursors` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_transport::fuzzing::cursors(data));
