//! Accounts that differ by upper and lower case only, found in 16 bytes an account.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use chat_ports::{
    TakenField,
    model::{User, UserId, fold},
};

use crate::error::Twin;

/// Pairs that a refusal names.
const MOST_NAMED: usize = 20;

/// Hashes of all names and addresses. A hash that comes twice only raises a suspicion.
#[derive(Default)]
pub(crate) struct Hashes {
    hasher: RandomState,
    hashes: Vec<u64>,
}

/// Looks at the suspected accounts themselves.
pub(crate) struct Suspects {
    hasher: RandomState,
    /// Those that came more than once, sorted.
    hashes: Vec<u64>,
    first: HashMap<(bool, String), (UserId, String)>,
    found: Vec<Twin>,
    more: usize,
}

impl Hashes {
    /// Takes in an account.
    pub(crate) fn add(&mut self, user: &User) {
        let hasher = &self.hasher;
        self.hashes.extend(keys(user).map(|(_, key)| hasher.hash_one(key)));
    }

    /// Those that came more than once; `None` if there are none.
    pub(crate) fn suspects(mut self) -> Option<Suspects> {
        self.hashes.sort_unstable();
        let mut twice: Vec<u64> =
            self.hashes.array_windows().filter(|[a, b]| a == b).map(|[a, _]| *a).collect();
        twice.dedup();
        let suspects = Suspects {
            hasher: self.hasher,
            hashes: twice,
            first: HashMap::new(),
            found: Vec::new(),
            more: 0,
        };
        (!suspects.hashes.is_empty()).then_some(suspects)
    }
}

impl Suspects {
    /// Looks at an account, on a second way through the file.
    pub(crate) fn look(&mut self, user: &User) {
        for (field, key) in keys(user) {
            if self.hashes.binary_search(&self.hasher.hash_one(&key)).is_err() {
                continue;
            }
            let this = (user.id, user.username.clone());
            match self.first.get(&key) {
                None => drop(self.first.insert(key, this)),
                Some(_) if self.found.len() >= MOST_NAMED => self.more += 1,
                Some(one) => self.found.push(Twin { field, one: one.clone(), other: this }),
            }
        }
    }

    /// The pairs, and how many further ones there are.
    pub(crate) fn found(self) -> (Vec<Twin>, usize) {
        (self.found, self.more)
    }
}

/// A name and an address as they are compared, told apart.
fn keys(user: &User) -> [(TakenField, (bool, String)); 2] {
    [(TakenField::Username, (false, fold(&user.username))), (TakenField::Email, (true, fold(&user.email)))]
}
