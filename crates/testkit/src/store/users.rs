//! The accounts, in memory.

use std::ops::Bound;

use async_trait::async_trait;
use chat_ports::{
    InsertUserError, Login, NewUser, PresenceRecord, StoreError, TakenField, UserQuery, Users,
    model::{Page, User, UserId, fold},
};

use super::{MemoryStore, State};

#[async_trait]
impl Users for MemoryStore {
    async fn insert(&self, user: NewUser) -> Result<User, InsertUserError> {
        let mut state = self.state()?;
        let (name, email) = (fold(user.username.as_str()), fold(user.email.as_str()));
        if state.by_name.contains_key(&name) {
            return Err(InsertUserError::Taken(TakenField::Username));
        }
        if state.by_email.contains_key(&email) {
            return Err(InsertUserError::Taken(TakenField::Email));
        }
        let user = stored(user);
        state.by_name.insert(name, user.id);
        state.by_email.insert(email, user.id);
        state.users.insert(user.id, user.clone());
        Ok(user)
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.state()?.users.get(&id).cloned())
    }

    async fn find_many(&self, ids: Vec<UserId>) -> Result<Vec<User>, StoreError> {
        let state = self.state()?;
        Ok(ids.iter().filter_map(|id| state.users.get(id).cloned()).collect())
    }

    async fn find_by_login(&self, login: Login) -> Result<Option<User>, StoreError> {
        let state = self.state()?;
        let id = match login {
            Login::Email(email) => state.by_email.get(&fold(&email)),
            Login::Username(name) => state.by_name.get(&fold(&name)),
        };
        Ok(id.and_then(|id| state.users.get(id).cloned()))
    }

    async fn list(&self, query: UserQuery) -> Result<Page<User>, StoreError> {
        let state = self.state()?;
        let mut items = state.matching(&query);
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, more })
    }

    async fn record_presence(&self, records: Vec<PresenceRecord>) -> Result<(), StoreError> {
        let mut state = self.state()?;
        for PresenceRecord { user, is_online, last_seen } in records {
            if let Some(user) = state.users.get_mut(&user) {
                (user.is_online, user.last_seen) = (is_online, Some(last_seen));
            }
        }
        Ok(())
    }

    async fn clear_presence(&self) -> Result<(), StoreError> {
        self.state()?.users.values_mut().for_each(|user| user.is_online = false);
        Ok(())
    }
}

impl State {
    /// One more than the page holds, where there are as many. Names are unique, so one name stands at a
    /// position at most, and the cursor's id decides only whether that one still follows.
    fn matching(&self, query: &UserQuery) -> Vec<User> {
        let from = query.after.as_ref().map_or("", |cursor| &cursor.folded).max(query.prefix.as_str());
        let names = self.by_name.range::<str, _>((Bound::Included(from), Bound::Unbounded));
        let follows = |name: &str, id: &UserId| match &query.after {
            Some(cursor) => (name, id) > (cursor.folded.as_str(), &cursor.id),
            None => true,
        };
        names
            .take_while(|(name, _)| name.starts_with(&query.prefix))
            .filter(|(name, id)| **id != query.except && follows(name, id))
            .filter_map(|(_, id)| self.users.get(id).cloned())
            .take(usize::try_from(query.limit).unwrap_or(usize::MAX).saturating_add(1))
            .collect()
    }
}

fn stored(user: NewUser) -> User {
    let NewUser { id, username, email, password, created_at } = user;
    User {
        id,
        username: username.as_str().to_owned(),
        email: email.as_str().to_owned(),
        password,
        is_online: false,
        last_seen: None,
        created_at,
        updated_at: created_at,
    }
}
