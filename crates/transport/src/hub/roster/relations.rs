//! Who may know of whose presence, of those who have to do with this node just now.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use chat_domain::{
    Circle,
    model::{Block, UserId},
};

/// Changes that are remembered for circles that are being read. More of them while one is read turn its socket away.
const MOST_NEWS: usize = 4_096;
/// Most contacts that an observer has in memory; who begins more conversations meanwhile learns of the rest at the next visit.
const MOST_CONTACTS: usize = 10_000;

/// A point in the stream of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Since(u64);

#[derive(Debug, Clone, Copy)]
enum News {
    Blocks(UserId, UserId, bool),
    Acquainted(UserId, UserId),
}

/// Blocks of everybody who is online or has sockets here, and the contacts of the latter.
#[derive(Default)]
pub(super) struct Relations {
    /// Only those who block somebody.
    blocked: HashMap<UserId, HashSet<UserId>>,
    /// Those with sockets here: with whom they have conversations, where only such hear of each other.
    observers: HashMap<UserId, Option<HashSet<UserId>>>,
    /// By user: those who have the user among their contacts.
    watchers: HashMap<UserId, HashSet<UserId>>,
    /// How many observers hear of everybody.
    open: usize,
    news: VecDeque<News>,
    /// The number of the first of them.
    first_news: u64,
}

impl Relations {
    pub(super) fn since(&self) -> Since {
        Since(self.first_news + self.news.len() as u64)
    }

    /// Whether an observer may know of a user's presence.
    pub(super) fn shows(&self, observer: UserId, user: UserId) -> bool {
        let hides =
            |from: UserId, whom: &UserId| self.blocked.get(&from).is_some_and(|set| set.contains(whom));
        if observer == user || hides(user, &observer) || hides(observer, &user) {
            return false;
        }
        self.contacts(observer).is_none_or(|contacts| contacts.contains(&user))
    }

    /// Whom an observer hears of, where that is not everybody.
    pub(super) fn contacts(&self, observer: UserId) -> Option<&HashSet<UserId>> {
        self.observers.get(&observer)?.as_ref()
    }

    /// Whether somebody hears of everybody.
    pub(super) const fn has_open(&self) -> bool {
        self.open > 0
    }

    pub(super) fn blocks_any(&self, observer: UserId) -> bool {
        self.blocked.contains_key(&observer)
    }

    /// All whom one of these users blocks.
    pub(super) fn hidden_by(&self, users: impl Iterator<Item = UserId>) -> HashSet<UserId> {
        users.filter_map(|user| self.blocked.get(&user)).flatten().copied().collect()
    }

    /// Who hears of a user as a contact.
    pub(super) fn watchers(&self, user: UserId) -> impl Iterator<Item = &UserId> {
        self.watchers.get(&user).into_iter().flatten()
    }

    /// A user came online, and blocks these.
    pub(super) fn came(&mut self, user: UserId, blocked: &Arc<[UserId]>) {
        self.set_blocked(user, blocked.iter().copied().collect());
    }

    /// A user is offline, and everybody was told.
    pub(super) fn went(&mut self, user: UserId) {
        if !self.observers.contains_key(&user) {
            self.blocked.remove(&user);
        }
    }

    fn set_blocked(&mut self, user: UserId, blocked: HashSet<UserId>) {
        if blocked.is_empty() {
            self.blocked.remove(&user);
        } else {
            self.blocked.insert(user, blocked);
        }
    }

    /// A socket of a user enters with a circle that was read since then. False where too much has changed meanwhile.
    #[must_use]
    pub(super) fn enter(&mut self, user: UserId, circle: &Circle, since: Since) -> bool {
        if since.0 < self.first_news {
            return false;
        }
        if self.observers.contains_key(&user) {
            // What was read then is known here, and what has changed since.
            return true;
        }
        let mut blocks: HashSet<UserId> = circle.blocked.iter().copied().collect();
        let mut contacts: Option<HashSet<UserId>> =
            circle.contacts.as_ref().map(|contacts| contacts.iter().copied().collect());
        let missed = usize::try_from(since.0 - self.first_news).unwrap_or(usize::MAX);
        for news in self.news.iter().skip(missed) {
            match *news {
                News::Blocks(blocker, blocked, true) if blocker == user => drop(blocks.insert(blocked)),
                News::Blocks(blocker, blocked, false) if blocker == user => drop(blocks.remove(&blocked)),
                News::Acquainted(a, b) if a == user || b == user => {
                    if let Some(contacts) = &mut contacts {
                        contacts.insert(if a == user { b } else { a });
                    }
                }
                News::Blocks(..) | News::Acquainted(..) => {}
            }
        }
        self.set_blocked(user, blocks);
        match &contacts {
            Some(contacts) => {
                for contact in contacts {
                    self.watchers.entry(*contact).or_default().insert(user);
                }
            }
            None => self.open += 1,
        }
        self.observers.insert(user, contacts);
        true
    }

    /// The user's last socket left.
    pub(super) fn leave(&mut self, user: UserId) {
        let Some(contacts) = self.observers.remove(&user) else { return };
        let Some(contacts) = contacts else {
            self.open -= 1;
            return;
        };
        for contact in contacts {
            if let Some(watchers) = self.watchers.get_mut(&contact) {
                watchers.remove(&user);
                if watchers.is_empty() {
                    self.watchers.remove(&contact);
                }
            }
        }
    }

    /// Somebody blocks somebody, or no longer.
    pub(super) fn block(&mut self, block: &Block, blocks: bool) {
        let Block { blocker, blocked, since: _ } = *block;
        self.note(News::Blocks(blocker, blocked, blocks));
        let mut all = self.blocked.remove(&blocker).unwrap_or_default();
        if blocks {
            all.insert(blocked);
        } else {
            all.remove(&blocked);
        }
        self.set_blocked(blocker, all);
    }

    /// Two users have a conversation.
    pub(super) fn acquaint(&mut self, a: UserId, b: UserId) {
        self.note(News::Acquainted(a, b));
        for (observer, user) in [(a, b), (b, a)] {
            let known = self.observers.get_mut(&observer).and_then(Option::as_mut);
            if let Some(contacts) = known.filter(|contacts| contacts.len() < MOST_CONTACTS)
                && contacts.insert(user)
            {
                self.watchers.entry(user).or_default().insert(observer);
            }
        }
    }

    fn note(&mut self, news: News) {
        if self.news.len() >= MOST_NEWS {
            self.news.pop_front();
            self.first_news += 1;
        }
        self.news.push_back(news);
    }
}
