//! Does what a control request asks.

use std::sync::Arc;

use chat_domain::{Chat, ChatError, Registration, ports::Login};

use super::{Answer, Request};
use crate::storage::Storage;

/// What requests are served with.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) chat: Arc<Chat>,
    pub(crate) store: Storage,
}

impl Desk {
    /// Does it.
    pub(crate) async fn serve(&self, request: Request) -> Answer {
        let outcome = match request {
            Request::AddUser { username, email, password } => {
                self.add_user(Registration { username, email, password }).await
            }
            Request::FindUser { username } => self.find_user(username).await,
            Request::Backup { file } => self.store.backup(file).await.map(|()| Answer::Done),
        };
        outcome.unwrap_or_else(|reason| Answer::Failed { reason })
    }

    async fn add_user(&self, registration: Registration) -> Result<Answer, String> {
        let grant = self.chat.accounts.register(registration).await.map_err(|error| explain(&error))?;
        let user = grant.user.user;
        Ok(Answer::User { id: user.id, username: user.username.to_string() })
    }

    async fn find_user(&self, username: String) -> Result<Answer, String> {
        let found = self.store.ports().users.find_by_login(Login::Username(username.clone())).await;
        match found.map_err(|error| error.to_string())? {
            Some(user) => Ok(Answer::User { id: user.id, username: user.username }),
            None => Err(format!("there is no user {username:?}")),
        }
    }
}

fn explain(error: &ChatError) -> String {
    match error.details() {
        Some(details) => format!("{} ({details})", error.message()),
        None => error.message().to_string(),
    }
}
