//! Presence that is yet to be written behind.

use std::collections::HashMap;

use chat_ports::{
    PresenceRecord,
    model::{Timestamp, UserId},
};

/// Most users with something to be written. The store has to be away for long to get there.
const MAX_RECORDS: usize = 100_000;

/// Most users that are written at once.
const BATCH: usize = 1_000;

/// The newest record of each user. Full, it passes over users that it has nothing of yet: their stored
/// `last_seen` stays an older one.
#[derive(Default)]
pub(crate) struct Records {
    pending: HashMap<UserId, PresenceRecord>,
}

impl Records {
    pub(crate) fn put(&mut self, record: PresenceRecord) {
        if self.pending.len() < MAX_RECORDS || self.pending.contains_key(&record.user) {
            self.pending.insert(record.user, record);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Some of them; they stay until they are [`written`](Self::written).
    pub(crate) fn batch(&self) -> Vec<PresenceRecord> {
        self.pending.values().take(BATCH).copied().collect()
    }

    /// Forgets what was written, but for users who came or went in the meantime.
    pub(crate) fn written(&mut self, batch: &[PresenceRecord]) {
        for record in batch {
            if self.pending.get(&record.user) == Some(record) {
                self.pending.remove(&record.user);
            }
        }
    }

    pub(crate) fn last_seen(&self, user: UserId) -> Option<Timestamp> {
        self.pending.get(&user).map(|record| record.last_seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(user: u32, seen: i64) -> PresenceRecord {
        let mut id = [0; 12];
        id[8..].copy_from_slice(&user.to_be_bytes());
        let last_seen = Timestamp::from_millis(seen);
        PresenceRecord { user: UserId::from_bytes(id), is_online: true, last_seen }
    }

    #[test]
    fn what_changed_while_it_was_written_stays() {
        let mut records = Records::default();
        records.put(record(1, 1));
        records.put(record(2, 1));
        let batch = records.batch();
        records.put(record(2, 2));
        records.written(&batch);
        assert_eq!(records.batch(), [record(2, 2)]);
    }

    #[test]
    fn it_takes_no_more_users_than_its_bound_but_newer_records_of_those_it_has() {
        let mut records = Records::default();
        for user in 0..100_010 {
            records.put(record(user, 1));
        }
        assert_eq!(records.len(), MAX_RECORDS);
        records.put(record(7, 2));
        assert_eq!(records.last_seen(record(7, 0).user), Some(Timestamp::from_millis(2)));
        assert_eq!(records.batch().len(), BATCH);
    }
}
