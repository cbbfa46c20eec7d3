//! Tokens: what is issued, what is accepted, and every refusal.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;

const SECRET: &[u8] = b"a secret of the tests, 32 bytes and more";
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_500);
const USER: &str = "65a1b2c3d4e5f60718293a4b";

fn tokens() -> Hs256 {
    Hs256::new(SECRET, 3_600)
}

fn user() -> UserId {
    USER.parse().unwrap()
}

/// Signs any header and claims, as an attacker or an older application may.
fn signed(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_secret(secret);
    let algorithm = match header["alg"].as_str() {
        Some("HS384") => Algorithm::HS384,
        _ => Algorithm::HS256,
    };
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn verify(claims: &Value) -> Result<Claims, TokenError> {
    tokens().verify(&signed(&json!({"alg": "HS256", "typ": "JWT"}), claims, SECRET), NOW)
}

fn verify_header(header: &Value) -> Result<Claims, TokenError> {
    let tokens = tokens();
    tokens.verify(&signed(header, &json!({"sub": USER, "exp": 1_800_001_000}), SECRET), NOW)
}

#[test]
fn what_is_issued_carries_the_documented_claims_and_is_accepted_until_it_ends() {
    let tokens = tokens();
    let issued = tokens.issue(user(), "alice", NOW).unwrap();
    assert_eq!(issued.expires_in, 3_600);
    let claims = issued.token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["sub"], USER);
    assert_eq!(claims["userId"], USER);
    assert_eq!(claims["username"], "alice");
    assert_eq!(claims["iat"], 1_800_000_000);
    assert_eq!(claims["exp"], 1_800_003_600);
    assert_eq!(claims["jti"].as_str().unwrap().len(), 32);
    assert_eq!(claims.as_object().unwrap().len(), 6);

    let read = tokens.verify(&issued.token, NOW).unwrap();
    assert_eq!(read.user, user());
    assert_eq!(read.expires_at, Timestamp::from_millis(1_800_003_600_000));
    assert_eq!(read.issued_at, Some(Timestamp::from_millis(1_800_000_000_000)));
    assert_eq!(read.token_id.as_deref(), claims["jti"].as_str());
}

#[test]
fn every_token_has_a_name_of_its_own() {
    let tokens = tokens();
    let [one, other] = [(); 2].map(|()| tokens.issue(user(), "alice", NOW).unwrap().token);
    assert_ne!(tokens.verify(&one, NOW).unwrap().token_id, tokens.verify(&other, NOW).unwrap().token_id);
}

#[test]
fn the_leeway_is_ten_seconds_on_both_ends_of_the_callers_clock() {
    let tokens = tokens();
    let claims = json!({"sub": USER, "nbf": 1_000, "exp": 2_000});
    let token = signed(&json!({"alg": "HS256"}), &claims, SECRET);
    let at = |millis| tokens.verify(&token, Timestamp::from_millis(millis)).map(|claims| claims.user);
    assert_eq!(at(989_999), Err(TokenError::Invalid));
    assert_eq!(at(990_000), Ok(user()));
    assert_eq!(at(2_009_999), Ok(user()));
    assert_eq!(at(2_010_000), Err(TokenError::Expired));
}

#[test]
fn tokens_of_older_applications_are_accepted() {
    for claims in [
        json!({"userId": USER, "username": "alice", "iat": 1_799_999_999, "exp": 1_800_086_399}),
        json!({"id": USER, "iat": 1_799_999_999.25, "exp": 1_800_086_399.75}),
        json!({"_id": USER, "exp": 1.8001e9, "nbf": 1.7e9}),
        json!({"sub": USER.to_uppercase(), "exp": 1_800_000_001}),
        json!({"sub": USER, "exp": 1e300, "aud": "chat", "iss": "app", "jti": 7}),
    ] {
        assert_eq!(verify(&claims).map(|claims| claims.user), Ok(user()), "{claims}");
    }
}

#[test]
fn fractions_of_exp_count() {
    let read = verify(&json!({"sub": USER, "exp": 1_800_000_000.25})).unwrap();
    assert_eq!(read.expires_at, Timestamp::from_millis(1_800_000_000_250));
}

#[test]
fn the_first_present_user_claim_decides_and_a_wrong_one_is_not_passed_over() {
    let other = "ffffffffffffffffffffffff";
    let claims = json!({"sub": USER, "userId": other, "id": other, "_id": other, "exp": 1_800_001_000});
    assert_eq!(verify(&claims).unwrap().user, user());
    let claims = json!({"id": USER, "_id": other, "exp": 1_800_001_000});
    assert_eq!(verify(&claims).unwrap().user, user());
    for sub in [json!("alice"), json!(7), json!(null), json!(""), json!({"$ne": null}), json!([USER])] {
        let claims = json!({"sub": sub, "userId": USER, "exp": 1_800_001_000});
        assert_eq!(verify(&claims), Err(TokenError::Invalid), "{claims}");
    }
}

#[test]
fn claims_of_wrong_types_or_without_a_user_or_an_end_are_refused() {
    for claims in [
        json!({"sub": USER}),
        json!({"sub": USER, "exp": null}),
        json!({"sub": USER, "exp": "1800001000"}),
        json!({"sub": USER, "exp": true}),
        json!({"sub": USER, "exp": [1_800_001_000]}),
        json!({"sub": USER, "exp": 1_800_001_000, "nbf": "1700000000"}),
        json!({"sub": USER, "exp": 1_800_001_000, "nbf": null}),
        json!({"sub": USER, "exp": 1_800_001_000, "nbf": 1_800_000_011}),
        json!({"sub": USER, "exp": 1_800_001_000, "nbf": 1e300}),
        json!({"sub": USER, "exp": 1_800_001_000, "iat": "1700000000"}),
        json!({"exp": 1_800_001_000, "username": "alice"}),
        json!([USER, 1_800_001_000]),
        json!("text"),
    ] {
        assert_eq!(verify(&claims), Err(TokenError::Invalid), "{claims}");
    }
    for exp in [json!(1_799_999_990), json!(0), json!(-1e300)] {
        assert_eq!(verify(&json!({"sub": USER, "exp": exp})), Err(TokenError::Expired), "{exp}");
    }
}

#[test]
fn other_algorithms_and_critical_extensions_are_refused() {
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "None", "typ": "JWT"}),
        json!({"alg": "RS256"}),
        json!({"alg": "HS384"}),
        json!({"alg": "ES256"}),
        json!({"alg": "hs256"}),
        json!({"typ": "JWT"}),
        json!({"alg": "HS256", "crit": ["exp"]}),
        json!({"alg": "HS256", "crit": ["b64"], "b64": false}),
        json!({"alg": "HS256", "crit": []}),
    ] {
        assert_eq!(verify_header(&header), Err(TokenError::Invalid), "{header}");
    }
    let unsigned = signed(&json!({"alg": "none"}), &json!({"sub": USER, "exp": 1_800_001_000}), SECRET);
    let (unsigned, _signature) = unsigned.rsplit_once('.').unwrap();
    assert_eq!(tokens().verify(&format!("{unsigned}."), NOW), Err(TokenError::Invalid));
}

#[test]
fn another_secret_a_changed_byte_and_garbage_are_refused() {
    let tokens = tokens();
    let token = tokens.issue(user(), "alice", NOW).unwrap().token;
    assert_eq!(Hs256::new(b"another secret", 60).verify(&token, NOW), Err(TokenError::Invalid));

    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let forged = URL_SAFE_NO_PAD.encode(claims.replace(USER, "000000000000000000000000"));
    assert_eq!(tokens.verify(&format!("{header}.{forged}.{signature}"), NOW), Err(TokenError::Invalid));

    let long = "x".repeat(1 << 20);
    for garbage in ["", ".", "..", "...", "a.b", "a.b.c", "é.é.é", "\0", message, &format!("{token}="), &long]
    {
        assert_eq!(tokens.verify(garbage, NOW), Err(TokenError::Invalid));
    }
}

#[test]
fn a_claim_given_twice_is_refused() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"{USER}","exp":1,"exp":1800001000}}"#));
    let message = format!("{header}.{claims}");
    let key = EncodingKey::from_secret(SECRET);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    assert_eq!(tokens().verify(&format!("{message}.{signature}"), NOW), Err(TokenError::Invalid));
}

#[test]
fn debug_shows_no_secret() {
    assert_eq!(format!("{:?}", tokens()), "Hs256 { ttl_seconds: 3600, .. }");
}
