//! Runs the target `attachments` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_socketio_fuzz::attachments(data));
