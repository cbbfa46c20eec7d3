//! Secrets: which are refused where, and how one is kept.

use std::os::unix::fs::PermissionsExt;

use super::*;

const GOOD: &str = "3f0d9a7c5b1e2846f0a9d8c7b6e5f4a3";

fn reason(given: Option<&str>) -> Option<String> {
    check(given, Environment::Production).err().map(|error| error.to_string())
}

#[test]
fn production_refuses_missing_short_and_well_known_secrets_and_says_how_to_make_one() {
    let long_default = "your-super-secret-jwt-key-change-this-in-production";
    for (given, why) in [
        (None, "is not set"),
        (Some("secret"), "is a well-known default"),
        (Some("Your_Secret_Key"), "is a well-known default"),
        (Some("change-me-change-me-change-me-change-me"), "is a well-known default"),
        (Some(long_default), "is a well-known default"),
        (Some("9f8e7d6c5b4a39281706f5e4d3c2b1a"), "has 31 bytes"),
    ] {
        let line = reason(given).unwrap();
        assert!(line.contains(why), "{line}");
        assert!(line.ends_with("make one with `chat-server gen-secret`"), "{line}");
        assert!(given.is_none_or(|secret| secret.len() < 7 || !line.contains(secret)), "{line}");
    }
    assert_eq!(reason(Some(GOOD)), None);
    assert_eq!(reason(Some(&generate().unwrap())), None);
}

#[test]
fn development_takes_any_secret_and_says_when_it_is_weak() {
    let (secret, notice) = check(Some("secret"), Environment::Development).unwrap();
    assert_eq!(secret.unwrap().expose(), b"secret");
    assert!(notice.unwrap().starts_with("JWT_SECRET is a well-known default; production refuses it"));
    let (secret, notice) = check(None, Environment::Development).unwrap();
    assert!(secret.is_none() && notice.is_none());
}

#[test]
fn new_secrets_are_96_hex_digits_and_differ() {
    let (one, other) = (generate().unwrap(), generate().unwrap());
    assert!(one.len() == 96 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(one != other);
}

#[test]
fn the_kept_secret_is_made_once_and_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let first = kept(folder.path()).unwrap();
    assert_eq!(first.expose(), kept(folder.path()).unwrap().expose());
    let file = folder.path().join(FILE);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn many_that_make_it_at_once_agree() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| kept(folder.path()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let secrets: Vec<_> = all.into_iter().map(|secret| secret.unwrap().expose().to_vec()).collect();
    assert!(secrets.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_kept_secret_that_was_cut_is_refused_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), "abc\n").unwrap();
    let line = kept(folder.path()).unwrap_err().to_string();
    assert!(line.contains(FILE) && line.contains("too short") && !line.contains("abc\n"), "{line}");
}
