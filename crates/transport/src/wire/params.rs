//! What REST requests carry: bodies and queries, and what they mean.

use chat_domain::{HistoryPosition, HistoryRequest, Registration, model::InvalidInput, ports::Login};
use serde::Deserialize;

use super::reading::{parse_id, whole};

/// Body of `POST /api/auth/register`.
#[derive(Deserialize)]
pub(crate) struct RegisterBody {
    username: String,
    email: String,
    password: String,
}

impl From<RegisterBody> for Registration {
    fn from(body: RegisterBody) -> Self {
        Self { username: body.username, email: body.email, password: body.password }
    }
}

/// Body of `POST /api/auth/login`.
#[derive(Deserialize)]
pub(crate) struct LoginBody {
    email: Option<String>,
    username: Option<String>,
    password: String,
}

impl LoginBody {
    /// The login that it names, and the password.
    ///
    /// # Errors
    /// Neither or both of `email` and `username`.
    pub(crate) fn into_parts(self) -> Result<(Login, String), InvalidInput> {
        match (self.email, self.username) {
            (Some(email), None) => Ok((Login::Email(email), self.password)),
            (None, Some(username)) => Ok((Login::Username(username), self.password)),
            (None, None) => Err(InvalidInput::new("email", "is missing")),
            (Some(_), Some(_)) => Err(InvalidInput::new("username", "must not stand beside email")),
        }
    }
}

/// Query of `GET /api/users`.
#[derive(Deserialize)]
pub(crate) struct ListUsersQuery {
    pub(crate) q: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub(crate) limit: Option<u32>,
    pub(crate) after: Option<String>,
}

/// Query of `GET /api/chat/conversations` and `GET /api/blocks`, and payload of `get_conversations` and `get_blocked`.
#[derive(Deserialize)]
pub(crate) struct ListParams {
    #[serde(default, deserialize_with = "whole")]
    pub(crate) limit: Option<u32>,
    pub(crate) after: Option<String>,
}

/// Which page of history: query of `GET /api/chat/history/:userId`, and part of `get_chat_history`.
#[derive(Deserialize)]
pub(crate) struct HistoryParams {
    #[serde(default, deserialize_with = "whole")]
    pub(super) limit: Option<u32>,
    #[serde(default, deserialize_with = "whole")]
    pub(super) skip: Option<u64>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl TryFrom<HistoryParams> for HistoryRequest {
    type Error = InvalidInput;

    fn try_from(params: HistoryParams) -> Result<Self, InvalidInput> {
        let position = match (params.skip, params.before, params.after) {
            (skip, None, None) => HistoryPosition::Newest { skip: skip.unwrap_or(0) },
            (None, Some(id), None) => HistoryPosition::Before(parse_id("before", &id)?),
            (None, None, Some(id)) => HistoryPosition::After(parse_id("after", &id)?),
            (_, _, Some(_)) => {
                return Err(InvalidInput::new("after", "must not stand beside skip or before"));
            }
            (_, Some(_), _) => return Err(InvalidInput::new("before", "must not stand beside skip")),
        };
        Ok(Self { limit: params.limit, position })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::reading::{parse_body, parse_query},
        *,
    };

    #[test]
    fn only_one_position_of_a_page_may_be_named() {
        let query = |text| parse_query::<HistoryParams>(text).and_then(HistoryRequest::try_from);
        assert!(query("limit=5&skip=10").is_ok());
        for (text, field) in [
            ("skip=1&before=0123456789abcdef01234567", "before"),
            ("before=0123456789abcdef01234567&after=0123456789abcdef01234567", "after"),
            ("limit=5&limit=6", "limit"),
            ("limit=five", "limit"),
            ("skip=-1", "skip"),
            ("after=x", "after"),
        ] {
            assert_eq!(query(text).unwrap_err().field, field, "{text}");
        }
    }

    #[test]
    fn a_login_is_by_email_or_by_username() {
        let login = |body: &str| parse_body::<LoginBody>(body.as_bytes()).and_then(LoginBody::into_parts);
        let (by, password) = login(r#"{"email":"a@b.example","password":"x"}"#).unwrap();
        assert!(matches!(by, Login::Email(email) if email == "a@b.example") && password == "x");
        assert!(matches!(login(r#"{"username":"ann","password":"x"}"#), Ok((Login::Username(_), _))));
        for (body, field) in [
            (r#"{"password":"x"}"#, "email"),
            (r#"{"email":"a","username":"b","password":"x"}"#, "username"),
            (r#"{"username":"b","password":"x"} {}"#, "body"),
            (r#"{"username":"b","username":"c","password":"x"}"#, "username"),
        ] {
            assert_eq!(login(body).err().map(|error| error.field), Some(field.into()), "{body}");
        }
    }
}
