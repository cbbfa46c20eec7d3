//! Passwords: hashes of old and new, limits, overflow, the end of the threads.

use std::sync::mpsc;

use futures_executor::block_on;

use super::*;

fn hasher() -> BcryptHasher {
    BcryptHasher::new(4, 1, 8).unwrap()
}

fn password(text: &str) -> Password {
    Password::attempt(text.to_owned())
}

fn verifies(text: &str, hash: &str) -> bool {
    block_on(hasher().verify(password(text), Some(PasswordHash::new(hash)))).unwrap()
}

#[test]
fn a_password_verifies_against_its_own_hash_only() {
    let hasher = hasher();
    let hash = block_on(hasher.hash(password("correct horse"))).unwrap();
    assert!(hash.expose().starts_with("$2b$04$"));
    assert!(block_on(hasher.verify(password("correct horse"), Some(hash.clone()))).unwrap());
    assert!(!block_on(hasher.verify(password("correct hors"), Some(hash))).unwrap());
}

#[test]
fn two_hashes_of_a_password_differ() {
    let hasher = hasher();
    let [one, other] = [(); 2].map(|()| block_on(hasher.hash(password("correct horse"))).unwrap());
    assert!(one != other);
}

#[test]
fn hashes_of_older_applications_verify() {
    // The vectors of the reference implementation, under the prefixes that other libraries write.
    for prefix in ["2a", "2b", "2y"] {
        let hash = format!("${prefix}$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
        assert!(verifies("U*U", &hash), "{prefix}");
        assert!(!verifies("U*V", &hash), "{prefix}");
    }
}

#[test]
fn seventy_two_bytes_are_hashed_and_one_more_is_refused() {
    let hasher = hasher();
    let (fits, long) = ("p".repeat(72), "p".repeat(73));
    let hash = block_on(hasher.hash(password(&fits))).unwrap();
    assert!(block_on(hasher.verify(password(&fits), Some(hash.clone()))).unwrap());
    assert!(!block_on(hasher.verify(password(&"p".repeat(71)), Some(hash))).unwrap());
    assert!(matches!(block_on(hasher.hash(password(&long))), Err(PasswordError::Failed(_))));
}

#[test]
fn a_longer_password_is_compared_by_its_first_72_bytes() {
    let old = bcrypt::hash("é".repeat(50), 4).unwrap();
    assert!(verifies(&"é".repeat(50), &old));
    assert!(verifies(&("é".repeat(36) + "anything"), &old));
    assert!(!verifies(&"é".repeat(35), &old));
}

#[test]
fn a_hash_that_can_not_be_read_is_false_and_no_error() {
    let good = bcrypt::hash("password", 4).unwrap();
    let mut odd: Vec<String> = (0..good.len()).map(|length| good.chars().take(length).collect()).collect();
    odd.extend(["plain text", "$argon2id$v=19$m=1$x$y", "é", "\0"].map(str::to_owned));
    odd.push("é".repeat(30));
    odd.push("$".repeat(60));
    odd.push(good.replace("$04$", "$99$"));
    odd.push(good.replace("$04$", "$00$"));
    odd.push(good.replace("$04$", "$31$"));
    odd.push(good.replace("$04$", "$-4$"));
    odd.push(format!("{good} "));
    for hash in odd {
        assert!(!verifies("password", &hash), "{hash}");
    }
}

#[test]
fn the_dummy_hash_is_computable_at_every_cost_and_of_no_password() {
    for cost in COSTS {
        let dummy: bcrypt::HashParts = dummy(cost).parse().unwrap();
        assert_eq!(dummy.get_cost(), cost);
    }
    assert!(!block_on(hasher().verify(password("anything"), None)).unwrap());
}

#[test]
fn costs_out_of_range_are_refused() {
    for cost in [0, 3, 16, 31, u32::MAX] {
        assert!(matches!(BcryptHasher::new(cost, 1, 1), Err(StartError::Cost(c)) if c == cost));
    }
}

/// Holds the one thread of a hasher until the returned sender is dropped.
fn hold(hasher: &BcryptHasher) -> mpsc::Sender<()> {
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let job = move || {
        started.send(()).unwrap();
        let _released = released.recv();
    };
    hasher.pool.run(Box::new(job)).unwrap();
    has_started.recv().unwrap();
    release
}

#[test]
fn a_full_queue_answers_busy_and_works_again_later() {
    let hasher = BcryptHasher::new(4, 1, 1).unwrap();
    let release = hold(&hasher);
    hasher.pool.run(Box::new(|| ())).unwrap();
    assert!(matches!(block_on(hasher.verify(password("x"), None)), Err(PasswordError::Busy)));
    assert!(matches!(block_on(hasher.hash(password("x"))), Err(PasswordError::Busy)));
    drop(release);
    let mut answer = block_on(hasher.verify(password("x"), None));
    while matches!(answer, Err(PasswordError::Busy)) {
        std::thread::yield_now();
        answer = block_on(hasher.verify(password("x"), None));
    }
    assert!(!answer.unwrap());
}

#[test]
fn a_job_that_panics_fails_alone() {
    let hasher = hasher();
    let failed = block_on(hasher.run(|| panic!("on purpose")));
    assert!(matches!(failed, Err::<(), _>(PasswordError::Failed(_))));
    assert!(!block_on(hasher.verify(password("x"), None)).unwrap());
}

#[test]
fn dropping_the_hasher_drops_what_waits_and_ends_the_threads() {
    let hasher = BcryptHasher::new(4, 1, 8).unwrap();
    let release = hold(&hasher);
    let (witness, gone) = mpsc::channel::<()>();
    hasher.pool.run(Box::new(move || witness.send(()).unwrap())).unwrap();
    let ending = std::thread::spawn(move || drop(hasher));
    drop(release);
    ending.join().unwrap();
    // The job's sender is gone: the queue went with the threads. Whether it ran before the stop is a race.
    assert!(gone.try_iter().count() <= 1);
    assert_eq!(gone.recv(), Err(mpsc::RecvError));
}

#[cfg(target_os = "linux")]
#[test]
fn the_threads_run_at_the_lowest_priority_and_the_caller_does_not() {
    let nice = || rustix::process::getpriority_process(None).unwrap();
    assert_eq!(block_on(hasher().run(nice)).unwrap(), 19);
    assert!(nice() < 19);
}

#[test]
fn hashes_are_those_of_the_library() {
    let passwords = [
        "",
        "a",
        "correct horse",
        "Größe 🐎",
        "\u{1}\u{7f}",
        &"x".repeat(71),
        &"y".repeat(72),
        &"z".repeat(90),
    ];
    for (number, text) in (0_u8..).zip(passwords) {
        let salt = [number.wrapping_mul(37); 16];
        let theirs = bcrypt::hash_with_salt(text, 5, salt).unwrap().to_string();
        assert_eq!(rounds::hash(text.as_bytes(), 5, salt), theirs, "{text}");
        assert_eq!(rounds::verify(text.as_bytes(), &theirs, 5), Some(true), "{text}");
        assert_eq!(rounds::verify(b"another", &theirs, 5), Some(false), "{text}");
        assert_eq!(rounds::verify(text.as_bytes(), &theirs, 4), None, "a cost that is too high");
    }
}
