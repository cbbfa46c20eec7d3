//! Which socket a message was sent by and acknowledged to, told by the message's id alone: five bytes of it that are of chance else.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, OnceLock},
};

use chat_ports::{
    SealPurpose, Seals,
    model::{MessageId, ObjectId, SocketId},
};

/// Marks ids, and knows its marks again. Nobody without the secret sees that an id is marked, or that two are by the same socket.
pub(crate) struct Origins {
    seals: Arc<dyn Seals>,
    /// Has taken the key in: what follows is of an id and a socket.
    keyed: OnceLock<DefaultHasher>,
}

impl Origins {
    pub(crate) const fn new(seals: Arc<dyn Seals>) -> Self {
        Self { seals, keyed: OnceLock::new() }
    }

    /// The id, so changed that it tells of the socket. Its counter comes before the mark, so that ids go on rising: stores append them.
    pub(crate) fn mark(&self, id: ObjectId, socket: &SocketId) -> ObjectId {
        let [t0, t1, t2, t3, .., c0, c1, c2] = id.bytes();
        self.marked([t0, t1, t2, t3, c0, c1, c2], socket)
    }

    /// Whether a message was sent by this socket, and acknowledged to it.
    pub(crate) fn is_of(&self, id: MessageId, socket: &SocketId) -> bool {
        let [t0, t1, t2, t3, c0, c1, c2, ..] = id.0.bytes();
        self.marked([t0, t1, t2, t3, c0, c1, c2], socket) == id.0
    }

    fn marked(&self, rest: [u8; 7], socket: &SocketId) -> ObjectId {
        let [t0, t1, t2, t3, c0, c1, c2] = rest;
        let [.., h0, h1, h2, h3, h4] = self.digest(rest, socket);
        ObjectId::from_bytes([t0, t1, t2, t3, c0, c1, c2, h0, h1, h2, h3, h4])
    }

    fn digest(&self, rest: [u8; 7], socket: &SocketId) -> [u8; 8] {
        let keyed = self.keyed.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.seals.seal(SealPurpose::Session, b"origins").hash(&mut hasher);
            hasher
        });
        let mut hasher = keyed.clone();
        (rest, socket.as_str()).hash(&mut hasher);
        hasher.finish().to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use chat_testkit::FakeSeals;

    use super::*;

    #[test]
    fn an_id_tells_of_its_socket_and_of_no_other() {
        let origins = Origins::new(Arc::new(FakeSeals));
        let [a, b] = ["a", "b"].map(SocketId::new);
        let id = ObjectId::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let marked = origins.mark(id, &a);
        assert!(origins.is_of(MessageId(marked), &a) && !origins.is_of(MessageId(marked), &b));
        assert!(!origins.is_of(MessageId(id), &a));
        assert_eq!(marked.bytes()[..7], [1, 2, 3, 4, 10, 11, 12]);
        let next = ObjectId::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13]);
        assert!(origins.mark(next, &b) > marked);
    }
}
