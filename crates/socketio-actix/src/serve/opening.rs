//! The head of a connection's first request, read before HTTP has the connection.
//!
//! The HTTP dispatcher takes 20 KB from its first moment on, before anything has come in. A client that does not
//! finish its head, or begins none, does not cost them: here it costs what it has sent.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_codec::{Decoder, Encoder};
use actix_http::{
    ConnectionType, Response, ServiceConfig, StatusCode,
    body::BodySize,
    h1::{Codec, Message},
};
use bytes::BytesMut;
use tokio::io::{AsyncRead, ReadBuf};

use super::stream::{Stream, say};

/// Bytes of one read: most heads come whole in it.
const PIECE: usize = 4 * 1024;
/// As much as the dispatcher's parser reads of a head: what is longer it refuses.
const LONGEST: usize = 128 * 1024;
/// Up to this length a head is looked through at every piece, then at the end of each line.
const SHORT: usize = 8 * 1024;

/// Reads until the head is whole, or the dispatcher will refuse it. What was read is read again by the dispatcher.
///
/// # Errors
/// The connection has ended, has lost its share of the memory, or the head was not whole in time: then its client has
/// been told by 408.
pub(super) async fn read_head(
    mut stream: Stream,
    timeout: Duration,
    config: &ServiceConfig,
) -> io::Result<Stream> {
    let mut head = BytesMut::new();
    let reading = poll_fn(|cx| poll_head(&mut stream, &mut head, config, cx));
    match tokio::time::timeout(timeout, reading).await {
        Ok(read) => read?,
        Err(late) => {
            // Nothing of it is of use any more.
            drop(head);
            say(&mut stream, &too_late(config)?).await;
            return Err(late.into());
        }
    }
    stream.read_again(head.freeze());
    Ok(stream)
}

fn poll_head(
    stream: &mut Stream,
    head: &mut BytesMut,
    config: &ServiceConfig,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let mut space = [0; PIECE];
    loop {
        let mut piece = ReadBuf::new(&mut space);
        match Pin::new(&mut *stream).poll_read(cx, &mut piece) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(read) => read?,
        }
        let piece = piece.filled();
        if piece.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        head.extend_from_slice(piece);
        if stream.has_head(head.capacity()) || head.len() >= LONGEST {
            return Poll::Ready(Ok(()));
        }
        let looks = head.len() <= SHORT || piece.contains(&b'\n');
        // What is not whole stays where it is.
        if looks && !matches!(Codec::new(config.clone()).decode(head), Ok(None)) {
            return Poll::Ready(Ok(()));
        }
    }
}

fn too_late(config: &ServiceConfig) -> io::Result<BytesMut> {
    let mut response = Response::with_body(StatusCode::REQUEST_TIMEOUT, ());
    response.head_mut().set_connection_type(ConnectionType::Close);
    let mut bytes = BytesMut::new();
    Codec::new(config.clone()).encode(Message::Item((response, BodySize::Sized(0))), &mut bytes)?;
    Ok(bytes)
}
