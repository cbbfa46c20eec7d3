//! What the port promises, by the manual clock.

use std::{net::Ipv4Addr, thread};

use chat_ports::{AddressBlock, model::UserId};
use chat_testkit::ManualClock;

use super::*;
use crate::Rate;

const SECOND: Duration = Duration::from_secs(1);
/// How many counters of a kind stand in memory at most.
const MOST: usize = 57_344;
const MINUTE: Duration = Duration::from_secs(60);

fn limiter(clock: &ManualClock) -> Limiter {
    Limiter::new(&Rates::default(), Arc::new(clock.clone()))
}

fn address(number: u32) -> AddressBlock {
    AddressBlock::from(std::net::IpAddr::from(Ipv4Addr::from(number)))
}

fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 12])
}

fn email(text: &str) -> RateSubject {
    RateSubject::LoginsTo(Login::Email(text.to_owned()))
}

/// How many pass before the first that does not, and its wait.
fn burst(take: impl Fn() -> Result<(), Duration>) -> (usize, Duration) {
    for passed in 0..1_000_000 {
        if let Err(wait) = take() {
            return (passed, wait);
        }
    }
    unreachable!("a million passed")
}

#[test]
fn each_kind_has_its_own_rate() {
    let clock = ManualClock::new();
    let limiter = limiter(&clock);
    let one = address(1);
    for (subject, most, wait) in [
        (RateSubject::Registrations(one), 30, Duration::from_secs(2)),
        (RateSubject::LoginsFrom(one), 100, Duration::from_millis(600)),
        (email("ada@example.org"), 10, Duration::from_secs(6)),
        (RateSubject::Handshakes(one), 5_000, Duration::from_millis(5)),
        (RateSubject::Messages(user(1)), 200, Duration::from_millis(50)),
    ] {
        assert_eq!(burst(|| limiter.take(&subject)), (most, wait), "{subject:?}");
    }
    let meter = limiter.meter();
    assert_eq!(burst(|| meter.take()), (500, Duration::from_millis(10)));
}

#[test]
fn the_wait_that_is_told_is_enough_and_a_refusal_costs_nothing() {
    let clock = ManualClock::new();
    let rates = Rates { messages: Rate::new(7, SECOND, 3), ..Rates::default() };
    let limiter = Limiter::new(&rates, Arc::new(clock.clone()));
    let subject = RateSubject::Messages(user(1));
    let (passed, wait) = burst(|| limiter.take(&subject));
    assert_eq!((passed, wait), (3, Duration::from_millis(143)), "a seventh of a second, rounded up");
    for _ in 0..100 {
        assert_eq!(limiter.take(&subject), Err(wait));
    }
    clock.advance(wait - Duration::from_millis(1));
    assert_eq!(limiter.take(&subject), Err(Duration::from_millis(1)));
    clock.advance(Duration::from_millis(1));
    assert_eq!(burst(|| limiter.take(&subject)).0, 1);
}

#[test]
fn in_the_long_run_the_rate_passes_and_after_a_pause_the_burst() {
    let clock = ManualClock::new();
    let limiter = limiter(&clock);
    let subject = RateSubject::Messages(user(1));
    burst(|| limiter.take(&subject));
    let mut passed = 0;
    for _ in 0..6_000 {
        clock.advance(Duration::from_millis(10));
        passed += usize::from(limiter.take(&subject).is_ok());
    }
    assert_eq!(passed, 20 * 60);
    clock.advance(10 * SECOND);
    assert_eq!(burst(|| limiter.take(&subject)).0, 200);
}

#[test]
fn one_subjects_count_is_nobody_elses() {
    let clock = ManualClock::new();
    let limiter = limiter(&clock);
    burst(|| limiter.take(&RateSubject::Registrations(address(1))));
    assert_eq!(limiter.take(&RateSubject::Registrations(address(2))), Ok(()));
    assert_eq!(limiter.take(&RateSubject::LoginsFrom(address(1))), Ok(()));
    let (one, two) = (limiter.meter(), limiter.meter());
    burst(|| one.take());
    assert_eq!(two.take(), Ok(()));
}

#[test]
fn an_account_is_counted_however_its_name_is_written() {
    let clock = ManualClock::new();
    let limiter = limiter(&clock);
    burst(|| limiter.take(&email("ada@example.org")));
    assert!(limiter.take(&email("ADA@Example.org")).is_err());
    let username = |text: &str| RateSubject::LoginsTo(Login::Username(text.to_owned()));
    assert_eq!(burst(|| limiter.take(&username("Ada"))).0, 10);
    assert!(limiter.take(&username("aDA")).is_err());
}

#[test]
fn of_many_at_once_no_more_pass_than_the_rate_allows() {
    let clock = ManualClock::new();
    let limiter = limiter(&clock);
    let (subject, meter) = (RateSubject::Handshakes(address(1)), limiter.meter());
    let attempts = || (0..2_000).filter(|_| limiter.take(&subject).is_ok()).count();
    let events = || (0..2_000).filter(|_| meter.take().is_ok()).count();
    let (handshakes, events) = thread::scope(|scope| {
        let both: Vec<_> = (0..4).map(|_| (scope.spawn(attempts), scope.spawn(events))).collect();
        both.into_iter()
            .fold((0, 0), |sum, (one, two)| (sum.0 + one.join().unwrap(), sum.1 + two.join().unwrap()))
    });
    assert_eq!((handshakes, events), (5_000, 500));
}

#[test]
fn a_million_accounts_take_no_more_memory_and_free_nobody_of_a_count() {
    let clock = ManualClock::new();
    let limiter = limiter(&clock);
    let victim = email("ada@example.org");
    let (_, wait) = burst(|| limiter.take(&victim));
    for number in 0..1_000_000_u32 {
        let _counted = limiter.take(&email(&format!("{number}@example.org")));
    }
    assert_eq!(limiter.take(&victim), Err(wait), "its counter is still there");
    // The newcomers share counters by now, which are used up as well: bringing new names frees nobody.
    let fresh = (0..10_000).filter(|number| limiter.take(&email(&format!("new{number}"))).is_ok()).count();
    assert!(fresh < 100, "{fresh} of 10,000 new names passed");
    // A minute later all is forgotten.
    clock.advance(MINUTE);
    assert_eq!(burst(|| limiter.take(&victim)).0, 10);
    assert_eq!(burst(|| limiter.take(&email("new0"))).0, 10);
    assert!(limiter.logins_to.into_state_store().len() <= MOST);
}

#[test]
fn counters_that_are_fresh_make_room_for_others() {
    let clock = ManualClock::new();
    let limiter = limiter(&clock);
    for number in 0..200_000 {
        let subject = RateSubject::Handshakes(address(number));
        assert_eq!(limiter.take(&subject), Ok(()), "address {number}");
        // One handshake is forgotten after 5 ms.
        clock.advance(Duration::from_micros(100));
    }
    assert!(limiter.handshakes.into_state_store().len() <= MOST);
}

#[test]
fn names_and_addresses_are_in_no_debug_output() {
    let clock = ManualClock::new();
    let limiter = limiter(&clock);
    let subject = email("ada@example.org");
    assert_eq!(limiter.take(&subject), Ok(()));
    let shown = format!("{limiter:?} {subject:?}");
    assert!(!shown.contains("ada"), "{shown}");
}
