//! What can go wrong, by blame, and what clients are told of it.

mod code;

use std::{error::Error, time::Duration};

use chat_ports::{
    AppendError, BlockError, InsertUserError, PasswordError, StoreError, TakenField, TokenError,
    model::InvalidInput,
};

pub use code::ErrorCode;

/// After which time a client may try again what a dependency could not do.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A use case that did not do what it was asked.
///
/// [`message`](Self::message) and [`details`](Self::details) are safe for clients; `Display` and
/// `source()` are for the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The caller's: a field breaks a rule.
    #[error("invalid input: {0}")]
    InvalidInput(#[from] InvalidInput),
    /// The caller's: not known to be who they must be.
    #[error("unauthorized: {0}")]
    Unauthorized(#[source] Unauthorized),
    /// The caller's: not allowed. The text is shown to clients.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// The state's: what the request names is not there, or not the caller's.
    #[error("no such {0}")]
    NotFound(Missing),
    /// The state's: what the request wants to be is something else already.
    #[error("conflict: {0}")]
    Conflict(Conflict),
    /// A limit's: a body or packet is too large.
    #[error("over {max_bytes} bytes")]
    PayloadTooLarge {
        /// The limit that was hit.
        max_bytes: usize,
    },
    /// The caller's: a body of another type than JSON.
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// A limit's: too many requests.
    #[error("over the rate limit for another {retry_after:?}")]
    RateLimited {
        /// When there is room again.
        retry_after: Duration,
    },
    /// A dependency's: it can't just now. The outcome of a write may be unknown.
    #[error("unavailable: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Ours: a defect, or something stored that can't be read.
    #[error("internal: {0}")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

/// Why somebody is not known to be who they must be. For the log; clients hear less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unauthorized {
    /// An unknown user or a wrong password: nobody is told which.
    #[error("unknown user or wrong password")]
    Credentials,
    /// No token was sent.
    #[error("no token")]
    NoToken,
    /// The token is refused.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token's user does not exist.
    #[error("the token's user does not exist")]
    UnknownUser,
}

/// What is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// A user.
    User,
    /// A message, or one that is not the caller's to touch.
    Message,
    /// A path of the REST interface.
    Path,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Message => "message",
            Self::Path => "path",
        })
    }
}

/// What stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The username belongs to somebody.
    #[error("username: is taken")]
    UsernameTaken,
    /// The address belongs to somebody.
    #[error("email: is taken")]
    EmailTaken,
    /// The `clientId` names another text to the same receiver.
    #[error("clientId: was used before for another text to this receiver")]
    ClientIdReused,
}

impl ChatError {
    /// The refusal of a field.
    pub fn invalid(field: &'static str, rule: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::InvalidInput(InvalidInput::new(field, rule))
    }

    /// A dependency that can't just now; the source is for the log.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// A defect; the source is for the log.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The code for programs.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidInput(_) => ErrorCode::InvalidInput,
            Self::Unauthorized(_) => ErrorCode::Unauthorized,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::Conflict(_) => ErrorCode::Conflict,
            Self::PayloadTooLarge { .. } => ErrorCode::PayloadTooLarge,
            Self::UnsupportedMediaType => ErrorCode::UnsupportedMediaType,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::Unavailable(_) => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// The text for people. Says nothing of the inside.
    #[must_use]
    pub const fn message(&self) -> &str {
        match self {
            Self::InvalidInput(_) => "Something in the request is not as it must be.",
            Self::Unauthorized(Unauthorized::Credentials) => "The user name, e-mail or password is wrong.",
            Self::Unauthorized(Unauthorized::NoToken) => "Please log in: this needs a token.",
            Self::Unauthorized(Unauthorized::Token(_) | Unauthorized::UnknownUser) => {
                "Please log in again: the token is not valid or has ended."
            }
            Self::Forbidden(text) => text,
            Self::NotFound(Missing::User) => "There is no such user.",
            Self::NotFound(Missing::Message) => "There is no such message, or it is not yours.",
            Self::NotFound(Missing::Path) => "There is nothing at this path.",
            Self::Conflict(Conflict::UsernameTaken) => "This username is taken.",
            Self::Conflict(Conflict::EmailTaken) => "There is an account with this e-mail address.",
            Self::Conflict(Conflict::ClientIdReused) => "This clientId was used for another message.",
            Self::PayloadTooLarge { .. } => "This is larger than the server takes.",
            Self::UnsupportedMediaType => "The body must be JSON.",
            Self::RateLimited { .. } => "That was too much at once. Please wait a moment.",
            Self::Unavailable(_) => "The server can't do this just now. Trying again is safe.",
            Self::Internal(_) => "Something went wrong on the server.",
        }
    }

    /// What exactly, where that helps the caller: the field and its rule, the limit, the wait.
    #[must_use]
    pub fn details(&self) -> Option<String> {
        match self {
            Self::InvalidInput(invalid) => Some(invalid.to_string()),
            Self::Conflict(conflict) => Some(conflict.to_string()),
            Self::PayloadTooLarge { max_bytes } => Some(format!("at most {max_bytes} bytes")),
            Self::RateLimited { retry_after } => {
                Some(format!("wait {} seconds", retry_after.as_millis().div_ceil(1000)))
            }
            Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::UnsupportedMediaType
            | Self::Unavailable(_)
            | Self::Internal(_) => None,
        }
    }

    /// When trying again makes sense; `None` where it does not.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => Some(*retry_after),
            Self::Unavailable(_) => Some(RETRY_AFTER),
            Self::InvalidInput(_)
            | Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::PayloadTooLarge { .. }
            | Self::UnsupportedMediaType
            | Self::Internal(_) => None,
        }
    }
}

impl From<StoreError> for ChatError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Timeout => Self::unavailable(error),
            StoreError::Corrupt { .. } | StoreError::Internal(_) | _ => Self::internal(error),
        }
    }
}

impl From<AppendError> for ChatError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::ClientIdTaken => Self::Conflict(Conflict::ClientIdReused),
            AppendError::Store(error) => error.into(),
            unknown => Self::internal(unknown),
        }
    }
}

impl From<BlockError> for ChatError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::TooMany => Self::Forbidden("You have blocked as many users as one may."),
            BlockError::Store(error) => error.into(),
            unknown => Self::internal(unknown),
        }
    }
}

impl From<InsertUserError> for ChatError {
    fn from(error: InsertUserError) -> Self {
        match error {
            InsertUserError::Taken(field) => Self::Conflict(field.into()),
            InsertUserError::Store(error) => error.into(),
            unknown => Self::internal(unknown),
        }
    }
}

impl From<TakenField> for Conflict {
    fn from(field: TakenField) -> Self {
        match field {
            TakenField::Username => Self::UsernameTaken,
            TakenField::Email => Self::EmailTaken,
        }
    }
}

impl From<PasswordError> for ChatError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::unavailable(error),
            PasswordError::Failed(_) | _ => Self::internal(error),
        }
    }
}

impl From<TokenError> for ChatError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Signing => Self::internal(error),
            TokenError::Invalid | TokenError::Expired | _ => Self::Unauthorized(error.into()),
        }
    }
}

#[cfg(test)]
mod tests;
