//! What counting costs on the way of an event and of a message.

use std::{hint::black_box, sync::Arc, time::Instant};

use chat_limiter::{Limiter, Rates};
use chat_ports::{
    Clock, RateLimiter, RateSubject,
    model::{Timestamp, UserId},
};
use criterion::{Criterion, criterion_group, criterion_main};

/// The system's monotonic clock: reading it is a part of what counting costs.
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

fn user(number: u64) -> RateSubject {
    let mut bytes = [0; 12];
    for (to, from) in bytes.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    RateSubject::Messages(UserId::from_bytes(bytes))
}

fn take(criterion: &mut Criterion) {
    let limiter: Arc<dyn RateLimiter> = Arc::new(Limiter::new(&Rates::default(), Arc::new(SystemClock)));
    let meter = limiter.meter();
    criterion.bench_function("event_of_a_socket", |bencher| bencher.iter(|| black_box(meter.take()).is_ok()));
    let mut number = 0;
    criterion.bench_function("message_of_one_of_50000_users", |bencher| {
        bencher.iter(|| {
            number = (number + 7_919) % 50_000;
            black_box(limiter.take(&user(number))).is_ok()
        });
    });
    criterion.bench_function("message_of_one_of_a_million_users", |bencher| {
        bencher.iter(|| {
            number = (number + 7_919) % 1_000_000;
            black_box(limiter.take(&user(number))).is_ok()
        });
    });
}

criterion_group!(benches, take);
criterion_main!(benches);
