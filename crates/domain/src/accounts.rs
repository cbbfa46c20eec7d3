//! Accounts: register, log in, authenticate, profile.

use std::{fmt, sync::Arc};

use chat_ports::{
    Clock, IdSource, IssuedToken, Login, NewUser, PasswordHasher, TakenField, Tokens, Users,
    model::{Email, Limits, Password, Timestamp, User, UserId, Username},
};

use crate::{ChatError, Deps, Missing, Presence, Unauthorized, UserProfile, people::People};

/// What somebody types to get an account; not yet checked.
#[derive(Clone)]
pub struct Registration {
    /// The name to be displayed.
    pub username: String,
    /// The address.
    pub email: String,
    /// The password. A secret.
    pub password: String,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What a registration or a login gives.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The access token.
    pub token: IssuedToken,
    /// Whose it is.
    pub user: UserProfile,
}

/// Somebody whose token was good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub user: UserId,
    /// The displayed name.
    pub username: Arc<str>,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// The use cases around accounts.
pub struct Accounts {
    users: Arc<dyn Users>,
    passwords: Arc<dyn PasswordHasher>,
    tokens: Arc<dyn Tokens>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    people: Arc<People>,
    presence: Presence,
    limits: Limits,
}

impl Accounts {
    pub(crate) fn new(deps: &Deps, people: Arc<People>, presence: Presence) -> Self {
        Self {
            users: Arc::clone(&deps.users),
            passwords: Arc::clone(&deps.passwords),
            tokens: Arc::clone(&deps.tokens),
            clock: Arc::clone(&deps.clock),
            ids: Arc::clone(&deps.ids),
            people,
            presence,
            limits: deps.limits.clone(),
        }
    }

    /// Makes an account and logs it in.
    ///
    /// # Errors
    /// `invalid_input` names the first bad field, `conflict` the taken one; `unavailable` where the
    /// store or the hasher can't just now.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn register(&self, registration: Registration) -> Result<Grant, ChatError> {
        let Registration { username, email, password } = registration;
        // Parsed first, so that it is wiped whatever the others say.
        let password = Password::parse(password, &self.limits);
        let username = Username::parse(username, &self.limits)?;
        let email = Email::parse(email, &self.limits)?;
        let password = password?;
        self.refuse_taken(&username, &email).await?;
        let password = self.passwords.hash(password).await?;
        let id = UserId(self.ids.next_id());
        let created_at = self.clock.now();
        let user = self.users.insert(NewUser { id, username, email, password, created_at }).await?;
        self.people.remember(user.id, &user.username);
        self.grant(user)
    }

    /// The login by which attempts on an account are counted, whichever of its two they name: its username. Who is not
    /// there stays as named.
    ///
    /// # Errors
    /// `unavailable` where the store can't just now.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn counted_as(&self, login: Login) -> Result<Login, ChatError> {
        let user = self.users.find_by_login(login.clone()).await?;
        Ok(user.map_or(login, |user| Login::Username(user.username)))
    }

    /// Logs in with a name or an address. An unknown user costs as much as a wrong password, and reads
    /// the same.
    ///
    /// # Errors
    /// `unauthorized`; `unavailable` where the store or the hasher can't just now.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn login(&self, login: Login, password: String) -> Result<Grant, ChatError> {
        let password = Password::attempt(password);
        let user = self.users.find_by_login(login).await?;
        let hash = user.as_ref().map(|user| user.password.clone());
        let matches = self.passwords.verify(password, hash).await?;
        match user {
            Some(user) if matches => self.grant(user),
            Some(_) | None => Err(ChatError::Unauthorized(Unauthorized::Credentials)),
        }
    }

    /// Finds out who a token belongs to; the user must exist.
    ///
    /// # Errors
    /// `unauthorized`; `unavailable` where the user is not in memory and the store can't just now.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn authenticate(&self, token: &str) -> Result<Identity, ChatError> {
        let claims = self.tokens.verify(token, self.clock.now())?;
        let name = self.people.name(claims.user).await?;
        let username = name.ok_or(ChatError::Unauthorized(Unauthorized::UnknownUser))?;
        Ok(Identity { user: claims.user, username, expires_at: claims.expires_at })
    }

    /// A user's own profile.
    ///
    /// # Errors
    /// `not_found` where there is no such user; `unavailable`.
    #[tracing::instrument(level = "debug", skip_all, fields(%user))]
    pub async fn profile(&self, user: UserId) -> Result<UserProfile, ChatError> {
        let user = self.users.find(user).await?.ok_or(ChatError::NotFound(Missing::User))?;
        Ok(self.presence.profile(user))
    }

    /// Spares the hasher what can't succeed; the insert decides all the same.
    async fn refuse_taken(&self, username: &Username, email: &Email) -> Result<(), ChatError> {
        let by_name = Login::Username(username.as_str().to_owned());
        let by_email = Login::Email(email.as_str().to_owned());
        for (login, field) in [(by_name, TakenField::Username), (by_email, TakenField::Email)] {
            if self.users.find_by_login(login).await?.is_some() {
                return Err(ChatError::Conflict(field.into()));
            }
        }
        Ok(())
    }

    fn grant(&self, user: User) -> Result<Grant, ChatError> {
        let token = self.tokens.issue(user.id, &user.username, self.clock.now())?;
        Ok(Grant { token, user: self.presence.profile(user) })
    }
}

#[cfg(test)]
mod tests;
