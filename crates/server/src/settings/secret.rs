//! The secret that tokens are signed with: given, or made once and kept in the data folder.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use zeroize::Zeroizing;

use super::{Environment, SettingsError};
use crate::failure::Failure;

/// Fewest bytes of a secret in production, and of the kept one: as many as HS256's hash has (RFC 7518,
/// section 3.2).
const MIN_BYTES: usize = 32;

/// The kept secret's file in the data folder.
const FILE: &str = "jwt-secret";

const HOW: &str = "make one with `chat-server gen-secret`";

/// A secret. Never shown.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret's bytes, for the signer.
    pub(crate) fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A new secret: 48 random bytes in hex.
///
/// # Errors
/// The system has no randomness.
pub(crate) fn generate() -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new([0; 48]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| Failure::run("no random bytes", error))?;
    let hex = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
    Ok(Zeroizing::new(bytes.iter().flat_map(hex).flatten().collect()))
}

/// Checks a given secret. What is only unwise in development comes back as a line for the log.
pub(super) fn check(
    given: Option<&str>,
    environment: Environment,
) -> Result<(Option<Secret>, Option<String>), SettingsError> {
    let weakness = match given {
        None => Some("is not set".to_owned()),
        Some(secret) if is_default(secret) => Some("is a well-known default".to_owned()),
        Some(secret) if secret.len() < MIN_BYTES => {
            Some(format!("has {} bytes; it needs {MIN_BYTES} or more", secret.len()))
        }
        Some(_) => None,
    };
    let secret = given.map(|secret| Secret(Zeroizing::new(secret.to_owned())));
    match (weakness, environment) {
        (Some(weakness), Environment::Production) => {
            Err(SettingsError::new("JWT_SECRET", format!("{weakness}: {HOW}")))
        }
        (Some(weakness), Environment::Development) if given.is_some() => {
            Ok((secret, Some(format!("JWT_SECRET {weakness}; production refuses it: {HOW}"))))
        }
        _ => Ok((secret, None)),
    }
}

/// Whether a secret is one that everybody knows, or says itself that it is to be replaced. Case and
/// punctuation don't count.
fn is_default(secret: &str) -> bool {
    const KNOWN: &[&str] = &[
        "secret",
        "jwtsecret",
        "secretkey",
        "jwtsecretkey",
        "mysecret",
        "mysecretkey",
        "supersecret",
        "supersecretkey",
        "supersecretjwtkey",
        "topsecret",
        "default",
        "password",
        "test",
        "testsecret",
        "dev",
        "devsecret",
        "developmentsecret",
        "keyboardcat",
        "shhhhh",
        "example",
        "fallbacksecret",
    ];
    const PLACEHOLDERS: &[&str] = &[
        "changeme",
        "changethis",
        "changeit",
        "changeinproduction",
        "replaceme",
        "replacethis",
        "replacewith",
        "yoursecret",
        "yourjwtsecret",
        "yoursupersecret",
        "yourverysecret",
        "youraccesstoken",
        "insertsecret",
        "dontuseinproduction",
        "notforproduction",
    ];
    let folded: String =
        secret.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    KNOWN.contains(&folded.as_str()) || PLACEHOLDERS.iter().any(|text| folded.contains(text))
}

/// The secret kept in a folder, made at the first call. Two processes that make it at once agree.
///
/// # Errors
/// The folder can't be written to, or the file is too short to be a secret.
pub(crate) fn kept(folder: &Path) -> Result<Secret, Failure> {
    let file = folder.join(FILE);
    if !file.exists() {
        make(&file).map_err(|error| Failure::run(file.display(), error))?;
    }
    let text =
        Zeroizing::new(fs::read_to_string(&file).map_err(|error| Failure::run(file.display(), error))?);
    let secret = text.trim();
    if secret.len() < MIN_BYTES {
        return Err(Failure::run(file.display(), "too short for a secret; delete it, and a new one is made"));
    }
    Ok(Secret(Zeroizing::new(secret.to_owned())))
}

/// Writes a new secret under another name and links it, so that nobody ever reads half of it.
fn make(file: &Path) -> io::Result<()> {
    let secret = generate().map_err(io::Error::other)?;
    let mut drawn = [0; 4];
    getrandom::fill(&mut drawn).map_err(io::Error::other)?;
    let draft = file.with_extension(format!("{:08x}.new", u32::from_ne_bytes(drawn)));
    let written = write_private(&draft, secret.as_bytes()).and_then(|()| match fs::hard_link(&draft, file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    // Best effort: without its draft a folder is only tidier.
    let _removed = fs::remove_file(&draft);
    written
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
