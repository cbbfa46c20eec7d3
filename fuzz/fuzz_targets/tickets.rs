//! Runs the target `tickets` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_domain::fuzzing::tickets(data));
