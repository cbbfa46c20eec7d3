//! The target `packet`.

use bytes::Bytes;
use chat_socketio::Config;
use chat_socketio::packet::{Packet, decode, encode_ack, encode_event};

/// A Socket.IO packet: what can be read can be written, and is then read the same.
pub fn packet(data: &[u8]) {
    let config = Config::default();
    match decode(Bytes::copy_from_slice(data), &config) {
        Ok(Packet::Event { nsp, ack, args, .. }) => {
            let raw: Vec<&[u8]> = args.iter().map(str::as_bytes).collect();
            let text = encode_event(&nsp, &args.name(), &raw, ack.map(|ack| ack.0));
            let again = decode(text.slice(1..), &config);
            let Ok(Packet::Event { nsp: nsp_again, ack: ack_again, args: args_again, .. }) = again else {
                panic!("an encoded event is not an event: {text:?}");
            };
            assert_eq!((nsp, ack), (nsp_again, ack_again));
            assert_eq!(args.name(), args_again.name());
            assert!(args.iter().eq(args_again.iter()));
        }
        Ok(Packet::Ack { nsp, id: Some(id), args, attachments: 0 }) => {
            let raw: Vec<&[u8]> = args.iter().map(str::as_bytes).collect();
            let again = decode(encode_ack(&nsp, id, &raw).slice(1..), &config);
            assert_eq!(again, Ok(Packet::Ack { nsp, id: Some(id), args, attachments: 0 }));
        }
        _ => {}
    }
}
