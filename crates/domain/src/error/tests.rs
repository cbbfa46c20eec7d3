//! The table of errors: complete, consistent, and the same in the documentation.

use std::{collections::HashSet, error::Error as _, fs, path::Path};

use chat_ports::StoreError;

use super::*;

/// One error of every kind that clients can tell apart.
fn samples() -> Vec<ChatError> {
    vec![
        ChatError::invalid("limit", "must be 1 to 100"),
        ChatError::Unauthorized(Unauthorized::Credentials),
        ChatError::Unauthorized(Unauthorized::NoToken),
        ChatError::Unauthorized(Unauthorized::UnknownUser),
        ChatError::Unauthorized(TokenError::Expired.into()),
        ChatError::Forbidden("This origin may not connect."),
        ChatError::NotFound(Missing::User),
        ChatError::NotFound(Missing::Message),
        ChatError::NotFound(Missing::Path),
        ChatError::Conflict(Conflict::UsernameTaken),
        ChatError::Conflict(Conflict::EmailTaken),
        ChatError::Conflict(Conflict::ClientIdReused),
        ChatError::PayloadTooLarge { max_bytes: 65_536 },
        ChatError::UnsupportedMediaType,
        ChatError::RateLimited { retry_after: Duration::from_millis(1_200) },
        ChatError::unavailable("disk /dev/sda1 is full"),
        ChatError::internal("table messages: row 7"),
    ]
}

#[test]
fn every_code_has_a_name_of_its_own_and_an_error_that_gives_it() {
    let names: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), ErrorCode::ALL.len());
    let given: HashSet<_> = samples().iter().map(ChatError::code).collect();
    assert_eq!(given.len(), ErrorCode::ALL.len());
}

#[test]
fn errors_say_when_to_try_again_exactly_where_the_table_says_that_it_makes_sense() {
    for error in samples() {
        assert_eq!(error.retry_after().is_some(), error.code().is_retryable(), "{error}");
    }
}

#[test]
fn clients_hear_nothing_of_the_inside_and_the_log_hears_all() {
    for error in samples().into_iter().skip(15) {
        let told = format!("{}{:?}", error.message(), error.details());
        assert!(!told.contains("sda1") && !told.contains("row"), "{told}");
        assert!(error.source().is_some());
    }
}

#[test]
fn details_name_what_was_wrong() {
    let details = |error: ChatError| error.details().unwrap();
    assert_eq!(details(ChatError::invalid("limit", "must be 1 to 100")), "limit: must be 1 to 100");
    assert!(details(ChatError::Conflict(Conflict::UsernameTaken)).starts_with("username:"));
    assert!(details(ChatError::Conflict(Conflict::EmailTaken)).starts_with("email:"));
    assert!(details(ChatError::Conflict(Conflict::ClientIdReused)).starts_with("clientId:"));
    assert_eq!(details(ChatError::PayloadTooLarge { max_bytes: 9 }), "at most 9 bytes");
    let wait = ChatError::RateLimited { retry_after: Duration::from_millis(1_200) };
    assert_eq!(details(wait), "wait 2 seconds");
}

#[test]
fn what_ports_answer_has_a_code() {
    let corrupt = || StoreError::Corrupt { collection: "users", id: "1".into(), field: "email" };
    let table: [(ChatError, ErrorCode); 11] = [
        (StoreError::Timeout.into(), ErrorCode::Unavailable),
        (StoreError::Unavailable("full".into()).into(), ErrorCode::Unavailable),
        (StoreError::Internal("syntax".into()).into(), ErrorCode::Internal),
        (corrupt().into(), ErrorCode::Internal),
        (AppendError::ClientIdTaken.into(), ErrorCode::Conflict),
        (AppendError::Store(StoreError::Timeout).into(), ErrorCode::Unavailable),
        (InsertUserError::Taken(TakenField::Email).into(), ErrorCode::Conflict),
        (InsertUserError::Store(corrupt()).into(), ErrorCode::Internal),
        (PasswordError::Busy.into(), ErrorCode::Unavailable),
        (PasswordError::Failed("cost".into()).into(), ErrorCode::Internal),
        (TokenError::Signing.into(), ErrorCode::Internal),
    ];
    for (error, code) in table {
        assert_eq!(error.code(), code, "{error}");
    }
    for refused in [TokenError::Invalid, TokenError::Expired] {
        assert_eq!(ChatError::from(refused).code(), ErrorCode::Unauthorized);
    }
    let retry_after = ChatError::from(StoreError::Timeout).retry_after();
    assert_eq!(retry_after, Some(Duration::from_secs(1)));
}

/// Where the table stands in the page.
const BEGIN: &str = "<!-- table: begin -->\n";
const END: &str = "<!-- table: end -->\n";

fn table() -> String {
    let mut table = String::from("| code | HTTP | again? | when |\n|---|---|---|---|\n");
    for code in ErrorCode::ALL {
        let again = if code.is_retryable() { "yes" } else { "no" };
        let (name, status) = (code.as_str(), code.http_status());
        table += &format!("| `{name}` | {status} | {again} | {} |\n", code.when());
    }
    table
}

/// `UPDATE_DOCS=1 cargo test -p chat-domain` writes the table instead.
#[test]
fn the_documentation_prints_this_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert_eq!(written, table(), "docs/errors.md is out of date: run with UPDATE_DOCS=1");
}
