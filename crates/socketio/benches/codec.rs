//! What the codecs cost per message.

#![expect(clippy::indexing_slicing, reason = "constants of this file are cut at known places")]

use std::hint::black_box;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use chat_socketio::engine::{decode_payload, encode_payload};
use chat_socketio::packet::{decode, encode_event};
use chat_socketio::websocket::{Decoder, Opcode, encode};
use chat_socketio::{Config, Frame, Input, LinkId, Session, Transport};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// A chat message with 96 bytes of text.
const EVENT: &str = concat!(
    r#"42["private_message",{"receiverId":"65f0c0ffee0ddba11ca7f00d","message":""#,
    "The quick brown fox jumps over the lazy dog; the lazy dog sleeps on, and the fox is none wiser.",
    r#""}]"#
);

fn packets(c: &mut Criterion) {
    let config = Config::default();
    let message = Bytes::from_static(&EVENT.as_bytes()[1..]);
    let payload = &EVENT.as_bytes()[21..EVENT.len() - 1];
    let mut group = c.benchmark_group("packet");
    group.throughput(Throughput::Bytes(EVENT.len() as u64));
    group.bench_function("decode event", |b| b.iter(|| decode(black_box(message.clone()), &config)));
    group.bench_function("encode event", |b| {
        b.iter(|| encode_event("/", "private_message", &[black_box(payload)], None));
    });
    group.finish();
}

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("websocket");
    for size in [EVENT.len(), 64 * 1024] {
        let frame = masked(&vec![b'a'; size]);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("decode masked text, {size} bytes"), |b| {
            let mut decoder = Decoder::new(1_000_000);
            b.iter_batched(
                || BytesMut::from(&frame[..]),
                |mut buffer| decoder.decode(&mut buffer),
                BatchSize::SmallInput,
            );
        });
    }
    group.bench_function("encode text", |b| {
        let mut out = BytesMut::with_capacity(4096);
        b.iter(|| {
            out.clear();
            encode(Opcode::Text, black_box(EVENT.as_bytes()), &mut out);
        });
    });
    group.finish();
}

fn payloads(c: &mut Criterion) {
    let frames = vec![Frame::Text(Bytes::from_static(EVENT.as_bytes())); 16];
    let body = encode_payload(&frames);
    let mut group = c.benchmark_group("payload");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("decode 16 packets", |b| b.iter(|| decode_payload(black_box(body.clone())).count()));
    group.bench_function("encode 16 packets", |b| b.iter(|| encode_payload(black_box(&frames))));
    group.finish();
}

fn sessions(c: &mut Criterion) {
    let (now, link) = (now(), LinkId(1));
    let mut session = Session::new(Arc::new(Config::default()), "sid", Transport::WebSocket(link), now);
    session.handle(now, Input::Text { link, data: Bytes::from_static(b"40") });
    session.accept(now, "/", "id");
    while session.poll_output().is_some() {}
    let message = Bytes::from_static(EVENT.as_bytes());
    c.bench_function("session: event in, event out", |b| {
        b.iter(|| {
            session.handle(now, Input::Text { link, data: black_box(message.clone()) });
            let event = session.poll_output();
            session.send(now, black_box(message.clone()).into());
            let sent = session.poll_output();
            assert!(session.poll_output().is_none());
            (event, sent)
        });
    });
}

#[expect(clippy::disallowed_methods, reason = "a bench has no other time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// A client's text frame.
fn masked(payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [1, 2, 3, 4];
    let mut server = BytesMut::new();
    encode(Opcode::Text, payload, &mut server);
    let header = server.len() - payload.len();
    let mut frame = server[..header].to_vec();
    frame[1] |= 0x80;
    frame.extend(KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

criterion_group!(benches, packets, frames, payloads, sessions);
criterion_main!(benches);
