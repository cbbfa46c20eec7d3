//! The list of users.

use std::sync::Arc;

use chat_ports::{
    UserQuery, Users,
    model::{Limits, User, UserCursor, UserId, fold},
};

use crate::{ChatError, Circles, Deps, UserView, policy};

/// Which users to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListUsers {
    /// Prefix of the username, in any case; `None` for all.
    pub prefix: Option<String>,
    /// The `next` of the page before.
    pub after: Option<UserCursor>,
    /// Most items; `None` for the default.
    pub limit: Option<u32>,
}

/// A page of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// The users, by folded username.
    pub items: Vec<UserView>,
    /// Where the following page begins; `None` at the end.
    pub next: Option<UserCursor>,
}

/// The use case of looking somebody up.
pub struct Directory {
    users: Arc<dyn Users>,
    circles: Arc<Circles>,
    limits: Limits,
}

impl Directory {
    pub(crate) fn new(deps: &Deps, circles: Arc<Circles>) -> Self {
        Self { users: Arc::clone(&deps.users), circles, limits: deps.limits.clone() }
    }

    /// A page of users by name, without oneself.
    ///
    /// # Errors
    /// `invalid_input` names `limit`; `unavailable`.
    #[tracing::instrument(level = "debug", skip_all, fields(%me))]
    pub async fn list(&self, me: UserId, request: ListUsers) -> Result<UserPage, ChatError> {
        let ListUsers { prefix, after, limit } = request;
        let limit = policy::page_items(limit, &self.limits)?;
        let prefix = prefix.as_deref().map(fold).unwrap_or_default();
        let page = self.users.list(UserQuery { prefix, except: me, after, limit }).await?;
        let next = page.items.last().filter(|_| page.more).map(cursor);
        Ok(UserPage { items: self.circles.views(me, page.items).await?, next })
    }
}

fn cursor(last: &User) -> UserCursor {
    UserCursor { folded: fold(&last.username), id: last.id }
}

#[cfg(test)]
mod tests;
