//! Runs the target `tokens` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::tokens::tokens(data));
