//! Tokens: what is signed by nobody is refused, and what is signed is read as a plain reading of its claims says. A test
//! of `chat-auth` replays the seeds through it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chat_auth::Hs256;
use chat_ports::{Claims, Tokens, model::Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

const SECRET: &[u8] = b"a secret of the fuzzer, 32 bytes and more";
/// The second at which all tokens are read.
const NOW: i64 = 1_800_000_000;
const LEEWAY: f64 = 10.0;

/// As a token, and, cut at the first line's end, as the header and the claims of one that is signed.
pub fn tokens(data: &[u8]) {
    let tokens = Hs256::new(SECRET, 3_600);
    let now = Timestamp::from_millis(NOW * 1_000);
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(tokens.verify(text, now).is_err(), "nobody signed it");
    }
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, claims) = data.split_at(cut);
    let claims = claims.get(1..).unwrap_or_default();
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = EncodingKey::from_secret(SECRET);
    let Ok(signature) = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256) else {
        return;
    };
    let token = format!("{message}.{signature}");
    if let Ok(read) = tokens.verify(&token, now) {
        check(header, claims, &read);
        let (rest, last) = token.split_at(token.len() - 1);
        let forged = format!("{rest}{}", if last == "A" { "E" } else { "A" });
        assert!(tokens.verify(&forged, now).is_err(), "the signature is not its own");
    }
}

/// What must hold of a token that was accepted.
fn check(header: &[u8], claims: &[u8], read: &Claims) {
    // What nobody reads is skipped over, also where it is no text.
    let json = |text| serde_json::from_slice::<Value>(text);
    let (Ok(header), Ok(claims)) = (json(header), json(claims)) else { return };
    assert_eq!(header.get("alg").and_then(Value::as_str), Some("HS256"));
    assert!(header.get("crit").is_none_or(Value::is_null), "extensions that nobody understands");
    let exp = claims.get("exp").and_then(Value::as_f64).expect("the end is a number");
    assert!(exp + LEEWAY > NOW as f64 - 0.001, "it is over: {exp}");
    if let Some(nbf) = claims.get("nbf") {
        assert!(nbf.as_f64().expect("a number") <= NOW as f64 + LEEWAY + 0.001, "it has not begun");
    }
    let user = ["sub", "userId", "id", "_id"].into_iter().find_map(|name| claims.get(name));
    let user = user.and_then(Value::as_str).expect("the first claim that is present names the user");
    assert_eq!(read.user.to_string(), user.to_ascii_lowercase());
}
