//! Compresses large answers to long-polling clients by gzip, where they accept it.
//!
//! What it may cost is bounded: at the fastest level, off the threads that serve connections where the answer is
//! large, and at most as many at once as there are [`Compressor::places`]. An answer that finds none free goes out as
//! it is: nothing waits.

use std::{io::Write, sync::Arc, thread::available_parallelism};

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{AcceptEncoding, Encoding, Header},
    rt::task::spawn_blocking,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use tokio::sync::Semaphore;

/// Up to this many bytes it takes less than a millisecond, which is less than handing it to another thread is worth.
const INLINE: usize = 32 * 1024;

/// Compresses, within its bounds.
pub(crate) struct Compressor {
    /// Bytes from which on an answer is compressed.
    threshold: Option<usize>,
    places: Arc<Semaphore>,
}

impl Compressor {
    /// One that compresses from `threshold` bytes on, on up to half of the machine's cores.
    pub(crate) fn new(threshold: Option<usize>) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self { threshold, places: Arc::new(Semaphore::new(cores.div_ceil(2))) }
    }

    /// Whether answers depend on what the client accepts.
    pub(crate) fn is_on(&self) -> bool {
        self.threshold.is_some()
    }

    /// The compressed body; `None` where it is to go out as it is.
    pub(crate) async fn compress(&self, request: &HttpRequest, body: &Bytes) -> Option<Bytes> {
        if body.len() < self.threshold? || !accepts_gzip(request) {
            return None;
        }
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        if body.len() <= INLINE {
            return gzip(body);
        }
        let body = body.clone();
        spawn_blocking(move || {
            // Held until it is done, also when the client goes away meanwhile.
            let _place = place;
            gzip(&body)
        })
        .await
        .ok()?
    }
}

fn accepts_gzip(request: &impl HttpMessage) -> bool {
    let chosen = AcceptEncoding::parse(request)
        .ok()
        .and_then(|accepted| accepted.negotiate([Encoding::identity(), Encoding::gzip()].iter()));
    chosen == Some(Encoding::gzip())
}

/// `None` where it would be no shorter.
fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2), Compression::fast());
    encoder.write_all(body).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < body.len()).then(|| compressed.into())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn gzip_is_chosen_where_the_client_asks_for_it() {
        let table = [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("br;q=1, gzip;q=0.5", true),
            ("GZIP", true),
            ("identity;q=0.5, gzip", true),
            ("gzip;q=0", false),
            ("identity, gzip;q=0.5", false),
            ("deflate, br", false),
            ("", false),
            ("*", false),
            ("nonsense;;q", false),
        ];
        for (accepted, chosen) in table {
            let request =
                TestRequest::default().insert_header(("Accept-Encoding", accepted)).to_http_request();
            assert_eq!(accepts_gzip(&request), chosen, "{accepted}");
        }
        assert!(!accepts_gzip(&TestRequest::default().to_http_request()));
    }

    #[actix_web::test]
    async fn an_answer_that_finds_no_place_goes_out_as_it_is() {
        let request = TestRequest::default().insert_header(("Accept-Encoding", "gzip")).to_http_request();
        let compressor = Compressor::new(Some(10));
        for size in [1000, 10 * INLINE] {
            let body = Bytes::from(vec![b'a'; size]);
            assert!(compressor.compress(&request, &body).await.is_some_and(|short| short.len() < size / 10));
        }
        let taken = compressor.places.available_permits();
        let _all = compressor.places.try_acquire_many(taken as u32).unwrap();
        assert_eq!(compressor.compress(&request, &Bytes::from(vec![b'a'; 100])).await, None);
    }

    #[actix_web::test]
    async fn what_is_small_or_would_not_shrink_goes_out_as_it_is() {
        let request = TestRequest::default().insert_header(("Accept-Encoding", "gzip")).to_http_request();
        let compressor = Compressor::new(Some(20));
        assert_eq!(compressor.compress(&request, &Bytes::from_static(&[b'a'; 19])).await, None);
        let noise = Bytes::from_static(b"q8Zp1LxV0cRt5YkWm3Hd");
        assert_eq!(compressor.compress(&request, &noise).await, None);
        let off = Compressor::new(None);
        assert_eq!(off.compress(&request, &Bytes::from(vec![b'a'; 1000])).await, None);
    }
}
