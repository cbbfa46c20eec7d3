//! Runs the target `seals` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::seals::seals(data));
