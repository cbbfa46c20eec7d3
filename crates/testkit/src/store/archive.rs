//! Moving, from and to memory.

use std::{ops::Bound, sync::Arc};

use async_trait::async_trait;
use chat_ports::{
    Archive, ArchiveError, ArchiveQuery, Extent, MessagePlace, StoreError, TakenField, message_difference,
    model::{Block, ConversationId, Message, MessageId, User, UserId, fold},
    user_difference,
};

use super::{MemoryStore, State, blocks::block};

#[async_trait]
impl Archive for MemoryStore {
    fn holds_case_twins(&self) -> bool {
        false
    }

    async fn extent(&self) -> Result<Extent, StoreError> {
        let state = self.state()?;
        Ok(Extent {
            users: state.users.len() as u64,
            last_user: state.users.keys().next_back().copied(),
            messages: state.conversations.values().map(|messages| messages.len() as u64).sum(),
            last_message: state.walk(None).last().map(|message| MessagePlace::of(message)),
            blocks: state.blocks.len() as u64,
        })
    }

    async fn users(&self, after: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state()?;
        let users = state.users.range((from, Bound::Unbounded)).map(|(_, user)| user.clone());
        Ok(users.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn messages(&self, query: ArchiveQuery) -> Result<Vec<Arc<Message>>, StoreError> {
        let state = self.state()?;
        let mut bytes = 0_usize;
        let fits = |(number, message): &(usize, &Arc<Message>)| {
            bytes = bytes.saturating_add(message.text.len());
            *number == 0 || bytes <= query.max_bytes
        };
        let page = state.walk(query.after).enumerate().take_while(fits).map(|(_, message)| message.clone());
        Ok(page.take(usize::try_from(query.limit).unwrap_or(usize::MAX)).collect())
    }

    async fn put_users(&self, users: Vec<User>) -> Result<(), ArchiveError> {
        let mut state = self.state()?;
        users.into_iter().try_for_each(|user| state.put_user(user))
    }

    async fn put_messages(&self, messages: Vec<Message>) -> Result<(), ArchiveError> {
        let mut state = self.state()?;
        state.life += 1;
        messages.into_iter().try_for_each(|message| state.put_message(message))
    }

    async fn blocks(&self, after: Option<(UserId, UserId)>, limit: u32) -> Result<Vec<Block>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state()?;
        let blocks = state.blocks.range((from, Bound::Unbounded));
        let blocks = blocks.map(|((blocker, blocked), since)| block(*blocker, *blocked, *since));
        Ok(blocks.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn put_blocks(&self, blocks: Vec<Block>) -> Result<(), ArchiveError> {
        let mut state = self.state()?;
        for Block { blocker, blocked, since } in blocks {
            if *state.blocks.entry((blocker, blocked)).or_insert(since) != since {
                let id = format!("{blocker}:{blocked}");
                return Err(ArchiveError::Differs { collection: "blocks", id, field: "since" });
            }
        }
        Ok(())
    }
}

impl State {
    fn walk(&self, after: Option<MessagePlace>) -> impl Iterator<Item = &Arc<Message>> {
        let first = after.map_or(ConversationId::from_key([0; 24]), |place| place.conversation);
        let is_past =
            move |message: &&Arc<Message>| after.is_none_or(|place| MessagePlace::of(message) > place);
        self.conversations.range(first..).flat_map(|(_, messages)| messages).filter(is_past)
    }

    fn put_user(&mut self, user: User) -> Result<(), ArchiveError> {
        let (name, email) = (fold(&user.username), fold(&user.email));
        if let Some(there) = self.users.get(&user.id) {
            let differs =
                |field| ArchiveError::Differs { collection: "users", id: user.id.to_string(), field };
            return user_difference(there, &user).map_or(Ok(()), |field| Err(differs(field)));
        }
        let collides = |other: &UserId, field| ArchiveError::Collides { user: user.id, other: *other, field };
        if let Some(other) = self.by_name.get(&name) {
            return Err(collides(other, TakenField::Username));
        }
        if let Some(other) = self.by_email.get(&email) {
            return Err(collides(other, TakenField::Email));
        }
        self.by_name.insert(name, user.id);
        self.by_email.insert(email, user.id);
        self.users.insert(user.id, user);
        Ok(())
    }

    fn put_message(&mut self, message: Message) -> Result<(), ArchiveError> {
        let conversation = message.conversation();
        let messages = self.conversations.get(&conversation).map_or(&[][..], |messages| messages);
        let place = usize::try_from(message.seq.wrapping_sub(1)).unwrap_or(usize::MAX);
        if let Some(there) = messages.get(place) {
            return message_difference(there, &message)
                .map_or(Ok(()), |field| Err(differs(message.id, field)));
        }
        if place != messages.len() {
            return Err(ArchiveError::Gap { id: message.id.to_string(), seq: message.seq });
        }
        if self.places.contains_key(&message.id) {
            return Err(differs(message.id, "seq"));
        }
        let name = message.client_id.clone().map(|name| (message.sender, message.receiver, name));
        if let Some(name) = name {
            if self.client_ids.contains_key(&name) {
                return Err(differs(message.id, "client_id"));
            }
            self.client_ids.insert(name, message.id);
        }
        self.places.insert(message.id, (conversation, place));
        self.changed(message.id);
        self.conversations.entry(conversation).or_default().push(Arc::new(message));
        Ok(())
    }
}

fn differs(id: MessageId, field: &'static str) -> ArchiveError {
    ArchiveError::Differs { collection: "messages", id: id.to_string(), field }
}
