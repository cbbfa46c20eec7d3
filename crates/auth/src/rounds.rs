//! bcrypt that steps aside between its rounds.
//!
//! The library computes a hash in one go: a quarter of a second at cost 12. Beside a thread that never sleeps
//! the kernel's own workers, which finish the store's syncs, wait for the next tick of the scheduler (4 to
//! 10 ms), whatever the nice values are, and so do messages. So the rounds are run here, on the cipher that the
//! library uses too, and the thread sleeps for an instant every quarter of a millisecond; to yield is not
//! enough, because that offers the processor only within the scheduler's group of the process.
//! Source: Provos and Mazières, "A Future-Adaptable Password Scheme", 1999.

use std::{str::FromStr, thread, time::Duration};

use base64::Engine;
use bcrypt::{BASE_64, HashParts};
use blowfish::Blowfish;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// bcrypt reads no more bytes of a password than this.
pub(crate) const MAX_BYTES: usize = 72;

/// Rounds between two rests: about a quarter of a millisecond.
const ROUNDS_AT_A_TIME: u64 = 4;

/// How long a rest is; Linux adds its timer slack of 50 µs. A shorter one may be over before the thread
/// has left the processor.
const REST: Duration = Duration::from_micros(1);

/// A hash keeps 23 of the cipher's 24 bytes.
const KEPT: usize = 23;

/// "OrpheanBeholderScryDoubt": what is encrypted.
const MAGIC: [[u32; 2]; 3] =
    [[0x4f72_7068, 0x6561_6e42], [0x6568_6f6c, 0x6465_7253], [0x6372_7944, 0x6f75_6274]];

/// A hash of version 2b, as 60 characters.
pub(crate) fn hash(password: &[u8], cost: u32, salt: [u8; 16]) -> String {
    let made = digest(password, cost, &salt);
    format!("$2b${cost:02}${}{}", BASE_64.encode(salt), BASE_64.encode(made))
}

/// Whether a password belongs to a hash; `None` for one that is no bcrypt hash or costs more than `max_cost`.
pub(crate) fn verify(password: &[u8], hash: &str, max_cost: u32) -> Option<bool> {
    let parts = HashParts::from_str(hash).ok().filter(|parts| (4..=max_cost).contains(&parts.get_cost()))?;
    let mut wanted = [0; KEPT];
    BASE_64.decode_slice(hash.get(29..)?, &mut wanted).ok()?;
    let made = digest(password, parts.get_cost(), &parts.get_salt_raw());
    Some(made.ct_eq(&wanted).into())
}

/// The rounds. A password counts with a closing NUL, and at most 72 bytes of it.
fn digest(password: &[u8], cost: u32, salt: &[u8; 16]) -> [u8; KEPT] {
    let key: Zeroizing<Vec<u8>> =
        Zeroizing::new(password.iter().copied().chain([0]).take(MAX_BYTES).collect());
    let mut state = Blowfish::bc_init_state();
    state.salted_expand_key(salt, &key);
    for round in 0..1_u64 << cost {
        state.bc_expand_key(&key);
        state.bc_expand_key(salt);
        if round % ROUNDS_AT_A_TIME == 0 {
            thread::sleep(REST);
        }
    }
    let mut bytes = MAGIC.iter().flat_map(|&block| {
        let [left, right] = (0..64).fold(block, |block, _| state.bc_encrypt(block));
        left.to_be_bytes().into_iter().chain(right.to_be_bytes())
    });
    std::array::from_fn(|_| bytes.next().unwrap_or_default())
}
