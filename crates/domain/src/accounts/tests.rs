//! Accounts against mocked ports.

use chat_ports::{
    Claims, InsertUserError, PasswordError, StoreError, TokenError,
    mocks::MockTokens,
    model::{PasswordHash, SocketId},
};
use chat_testkit::SequentialIds;
use futures_executor::block_on;

use super::*;
use crate::{
    ErrorCode,
    support::{Mocks, identity, user, user_id},
};

fn registration() -> Registration {
    Registration { username: "Anna".into(), email: "anna@example.org".into(), password: "long enough".into() }
}

fn issuing(tokens: &mut MockTokens) {
    tokens.expect_issue().returning(|user, name, _| {
        Ok(IssuedToken { token: format!("token of {user} {name}"), expires_in: 60 })
    });
}

#[test]
fn registering_hashes_the_password_and_logs_in() {
    let mut mocks = Mocks::new();
    mocks.users.expect_find_by_login().times(2).returning(|_| Ok(None));
    mocks
        .passwords
        .expect_hash()
        .withf(|password| password.expose() == "long enough")
        .times(1)
        .returning(|_| Ok(PasswordHash::new("hashed")));
    mocks.users.expect_insert().times(1).returning(|new| {
        assert_eq!(new.password.expose(), "hashed");
        let stored = user(9, new.username.as_str());
        Ok(User { id: new.id, email: new.email.as_str().into(), created_at: new.created_at, ..stored })
    });
    issuing(&mut mocks.tokens);
    let now = mocks.clock.now();
    let grant = block_on(mocks.chat().accounts.register(registration())).unwrap();
    assert_eq!(grant.token.token, format!("token of {} Anna", grant.user.user.id));
    assert_eq!((&*grant.user.user.username, &*grant.user.email), ("Anna", "anna@example.org"));
    assert_eq!((grant.user.created_at, grant.user.user.last_seen), (now, None));
}

#[test]
fn who_has_just_registered_is_known_without_a_look_up() {
    let mut mocks = Mocks::new();
    mocks.users.expect_find_by_login().returning(|_| Ok(None));
    mocks.passwords.expect_hash().returning(|_| Ok(PasswordHash::new("hashed")));
    mocks.users.expect_insert().returning(|new| Ok(User { id: new.id, ..user(9, "Anna") }));
    issuing(&mut mocks.tokens);
    mocks.tokens.expect_verify().returning(|_, now| Ok(Claims::new(SequentialIds::new().user(), now)));
    let chat = mocks.chat();
    let grant = block_on(chat.accounts.register(registration())).unwrap();
    let who = block_on(chat.accounts.authenticate("token")).unwrap();
    assert_eq!((who.user, &*who.username), (grant.user.user.id, "Anna"));
}

#[test]
fn a_registration_is_refused_for_its_first_bad_field_before_any_port_is_asked() {
    let chat = Mocks::new().chat();
    let bad = |username: &str, email: &str, password: &str| {
        let (username, email, password) = (username.into(), email.into(), password.into());
        block_on(chat.accounts.register(Registration { username, email, password })).unwrap_err()
    };
    for (error, field) in [
        (bad("a", "none", "short"), "username"),
        (bad("anna", "none", "short"), "email"),
        (bad("anna", "a@b", "short"), "password"),
        (bad("anna", "a@b", &"x".repeat(73)), "password"),
    ] {
        assert_eq!(error.code(), ErrorCode::InvalidInput);
        assert!(error.details().unwrap().starts_with(&format!("{field}: ")), "{error}");
    }
}

#[test]
fn a_taken_name_or_address_is_refused_before_anything_is_hashed() {
    for (taken_name, details) in [(true, "username: "), (false, "email: ")] {
        let mut mocks = Mocks::new();
        mocks.users.expect_find_by_login().returning(move |login| {
            Ok((matches!(login, Login::Username(_)) == taken_name).then(|| user(1, "anna")))
        });
        let error = block_on(mocks.chat().accounts.register(registration())).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Conflict);
        assert!(error.details().unwrap().starts_with(details), "{error}");
    }
}

#[test]
fn who_loses_the_race_for_a_name_is_told_so() {
    let mut mocks = Mocks::new();
    mocks.users.expect_find_by_login().returning(|_| Ok(None));
    mocks.passwords.expect_hash().returning(|_| Ok(PasswordHash::new("hashed")));
    mocks.users.expect_insert().returning(|_| Err(InsertUserError::Taken(TakenField::Username)));
    let error = block_on(mocks.chat().accounts.register(registration())).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Conflict);
}

#[test]
fn attempts_on_an_account_count_by_its_name_however_it_is_named() {
    let mut mocks = Mocks::new();
    mocks.users.expect_find_by_login().returning(|login| {
        let (Login::Username(name) | Login::Email(name)) = login;
        Ok(name.to_lowercase().starts_with("anna").then(|| user(1, "Anna")))
    });
    let chat = mocks.chat();
    let counted = |login| block_on(chat.accounts.counted_as(login)).unwrap();
    let anna = Login::Username("Anna".into());
    assert_eq!(counted(Login::Email("anna@example.org".into())), anna);
    assert_eq!(counted(Login::Username("ANNA".into())), anna);
    let nobody = Login::Email("nobody@example.org".into());
    assert_eq!(counted(nobody.clone()), nobody);
}

#[test]
fn a_busy_hasher_means_trying_again() {
    let mut mocks = Mocks::new();
    mocks.users.expect_find_by_login().returning(|_| Ok(None));
    mocks.passwords.expect_hash().returning(|_| Err(PasswordError::Busy));
    mocks.passwords.expect_verify().returning(|_, _| Err(PasswordError::Busy));
    let chat = mocks.chat();
    let errors = [
        block_on(chat.accounts.register(registration())).unwrap_err(),
        block_on(chat.accounts.login(Login::Username("anna".into()), "x".into())).unwrap_err(),
    ];
    assert!(
        errors.iter().all(|error| error.code() == ErrorCode::Unavailable && error.retry_after().is_some())
    );
}

#[test]
fn logging_in_compares_with_the_stored_hash() {
    let mut mocks = Mocks::new();
    let login = Login::Email("ANNA@example.org".into());
    let asked = login.clone();
    mocks
        .users
        .expect_find_by_login()
        .withf(move |login| *login == asked)
        .returning(|_| Ok(Some(user(1, "anna"))));
    mocks
        .passwords
        .expect_verify()
        .withf(|password, hash| {
            password.expose() == "old" && hash.as_ref().is_some_and(|hash| hash.expose() == "hash")
        })
        .returning(|_, _| Ok(true));
    issuing(&mut mocks.tokens);
    // A password of an older application may be shorter than new ones.
    let grant = block_on(mocks.chat().accounts.login(login, "old".into())).unwrap();
    assert_eq!(grant.user.user.id, user_id(1));
    assert_eq!(grant.token.expires_in, 60);
}

#[test]
fn an_unknown_user_costs_as_much_and_reads_the_same_as_a_wrong_password() {
    let errors = [None, Some(user(1, "anna"))].map(|found| {
        let mut mocks = Mocks::new();
        let exists = found.is_some();
        mocks.users.expect_find_by_login().returning(move |_| Ok(found.clone()));
        let verify = mocks.passwords.expect_verify().times(1);
        // Whatever the hasher says of nobody's password.
        verify.withf(move |_, hash| hash.is_some() == exists).returning(move |_, _| Ok(!exists));
        let login = Login::Username("anna".into());
        block_on(mocks.chat().accounts.login(login, "wrong".into())).unwrap_err()
    });
    let [unknown, wrong] = errors.map(|error| (error.code(), error.message().to_owned(), error.details()));
    assert_eq!(unknown.0, ErrorCode::Unauthorized);
    assert_eq!(unknown, wrong);
}

#[test]
fn a_token_names_its_user_and_the_store_is_asked_once() {
    let mut mocks = Mocks::new();
    let end = Timestamp::from_millis(77);
    mocks
        .tokens
        .expect_verify()
        .withf(|token, _| token == "good")
        .returning(move |_, _| Ok(Claims::new(user_id(1), end)));
    mocks.users.expect_find().times(1).returning(|_| Ok(Some(user(1, "anna"))));
    let accounts = mocks.chat().accounts;
    for _ in 0..3 {
        let who = block_on(accounts.authenticate("good")).unwrap();
        assert_eq!(who, Identity { expires_at: end, ..identity(&user(1, "anna")) });
    }
}

#[test]
fn a_refused_token_costs_no_look_up() {
    for refusal in [TokenError::Invalid, TokenError::Expired] {
        let mut mocks = Mocks::new();
        mocks.tokens.expect_verify().returning(move |_, _| Err(refusal));
        let error = block_on(mocks.chat().accounts.authenticate("bad")).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unauthorized);
    }
}

#[test]
fn a_token_of_nobody_is_refused_and_that_is_not_remembered() {
    let mut mocks = Mocks::new();
    mocks.tokens.expect_verify().returning(|_, now| Ok(Claims::new(user_id(1), now)));
    mocks.users.expect_find().times(1).returning(|_| Ok(None));
    mocks.users.expect_find().times(1).returning(|_| Ok(Some(user(1, "anna"))));
    let accounts = mocks.chat().accounts;
    let error = block_on(accounts.authenticate("good")).unwrap_err();
    assert!(matches!(error, ChatError::Unauthorized(Unauthorized::UnknownUser)), "{error}");
    assert!(block_on(accounts.authenticate("good")).is_ok());
}

#[test]
fn a_store_that_is_away_is_not_the_tokens_fault() {
    let mut mocks = Mocks::new();
    mocks.tokens.expect_verify().returning(|_, now| Ok(Claims::new(user_id(1), now)));
    mocks.users.expect_find().returning(|_| Err(StoreError::Timeout));
    let error = block_on(mocks.chat().accounts.authenticate("good")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
}

#[test]
fn a_token_that_can_not_be_signed_is_our_fault() {
    let mut mocks = Mocks::new();
    mocks.users.expect_find_by_login().returning(|_| Ok(Some(user(1, "anna"))));
    mocks.passwords.expect_verify().returning(|_, _| Ok(true));
    mocks.tokens.expect_issue().returning(|_, _, _| Err(TokenError::Signing));
    let login = Login::Username("anna".into());
    let error = block_on(mocks.chat().accounts.login(login, "password".into())).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Internal);
}

#[test]
fn a_profile_shows_live_presence() {
    let anna = User { is_online: true, last_seen: Some(Timestamp::from_millis(5)), ..user(1, "anna") };
    let mocks = Mocks::new().knowing(std::slice::from_ref(&anna));
    let now = mocks.clock.now();
    let chat = mocks.chat();
    let stale = block_on(chat.accounts.profile(anna.id)).unwrap();
    assert_eq!((stale.user.is_online, stale.user.last_seen), (false, anna.last_seen));
    chat.presence.connect(&identity(&anna), SocketId::new("s1"), &Arc::default());
    let live = block_on(chat.accounts.profile(anna.id)).unwrap();
    assert_eq!((live.user.is_online, live.user.last_seen), (true, Some(now)));
    assert_eq!(
        (live.email, live.created_at, live.updated_at),
        (anna.email, anna.created_at, anna.updated_at)
    );
}

#[test]
fn the_profile_of_nobody_is_not_found() {
    let error = block_on(Mocks::new().knowing(&[]).chat().accounts.profile(user_id(1))).unwrap_err();
    assert!(matches!(error, ChatError::NotFound(Missing::User)), "{error}");
}

#[test]
fn secrets_do_not_show_in_debug() {
    let shown = format!("{:?}", registration());
    assert!(!shown.contains("long enough") && !shown.contains("example.org"), "{shown}");
}
