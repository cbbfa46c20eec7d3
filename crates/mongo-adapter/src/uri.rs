//! The connection string: checked once, and never shown with its credentials.

use std::fmt;

use mongodb::options::ConnectionString;

/// A connection string that names a database. `Debug` and `Display` leave credentials and options out.
#[derive(Clone, PartialEq, Eq)]
pub struct MongoUri {
    text: String,
    masked: String,
    database: String,
}

/// Why a text is no connection string for this store. None of the texts holds a part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// It begins otherwise.
    #[error("it must begin with mongodb:// or mongodb+srv://")]
    Scheme,
    /// Nothing follows the scheme.
    #[error("it names no host")]
    NoHost,
    /// The path is empty.
    #[error("it names no database: add one after the hosts, as in mongodb://localhost:27017/chat")]
    NoDatabase,
    /// MongoDB's rules for names of databases.
    #[error(
        "its database's name is not allowed: at most 63 bytes, none of them / \\ . \" $ * < > : | ? or a space"
    )]
    BadDatabase,
    /// Another rule of connection strings; the driver's own words may quote the text.
    #[error(
        "its user, host or options break the rules of connection strings (mind that / : @ % in a password are written %2F %3A %40 %25)"
    )]
    Rejected,
}

impl MongoUri {
    /// Takes a `mongodb://` or `mongodb+srv://` connection string.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(UriError::Scheme)?;
        if !matches!(scheme, "mongodb" | "mongodb+srv") {
            return Err(UriError::Scheme);
        }
        let rest = rest.split_once('?').map_or(rest, |(before, _)| before);
        let (authority, path) = rest.rsplit_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) =
            authority.rsplit_once('@').map_or((None, authority), |(user, hosts)| (Some(user), hosts));
        if hosts.is_empty() {
            return Err(UriError::NoHost);
        }
        let parsed = ConnectionString::parse(text).map_err(|_may_quote_it| UriError::Rejected)?;
        let database = parsed.default_database.filter(|name| !name.is_empty() && !path.is_empty());
        let database = database.ok_or(UriError::NoDatabase)?;
        if database.len() > 63 || database.contains(|c: char| "/\\. \"$*<>:|?\0".contains(c)) {
            return Err(UriError::BadDatabase);
        }
        let mask = credentials.map_or("", |_| "***@");
        let masked = format!("{scheme}://{mask}{hosts}/{database}");
        Ok(Self { text: text.to_owned(), masked, database })
    }

    /// The database that it names.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Scheme, hosts and database: what may stand in a log.
    pub fn masked(&self) -> String {
        self.masked.clone()
    }

    /// The whole text, for the driver.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for MongoUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked)
    }
}

impl fmt::Debug for MongoUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_names_its_database_and_hides_its_credentials() {
        let cases = [
            ("mongodb://localhost/chat", "mongodb://localhost/chat"),
            (" mongodb://a:1,b:2/chat?replicaSet=r&authSource=admin\n", "mongodb://a:1,b:2/chat"),
            ("mongodb://me:p%40ss%2Fw@h:27017/chat?appName=secret", "mongodb://***@h:27017/chat"),
            ("mongodb+srv://me:pass@cluster.example.org/chat", "mongodb+srv://***@cluster.example.org/chat"),
        ];
        for (text, masked) in cases {
            let uri = MongoUri::parse(text).unwrap();
            assert_eq!(uri.database(), "chat");
            assert_eq!(
                (uri.masked(), uri.to_string(), format!("{uri:?}")),
                (masked.into(), masked.into(), masked.into())
            );
        }
    }

    #[test]
    fn what_is_no_connection_string_is_refused_by_the_rule_that_it_breaks() {
        let cases = [
            ("", UriError::Scheme),
            ("localhost:27017/chat", UriError::Scheme),
            ("postgres://localhost/chat", UriError::Scheme),
            ("mongodb:///chat", UriError::NoHost),
            ("mongodb://me:pass@/chat", UriError::NoHost),
            ("mongodb://localhost", UriError::NoDatabase),
            ("mongodb://localhost/", UriError::NoDatabase),
            ("mongodb://localhost/?replicaSet=r", UriError::NoDatabase),
            ("mongodb://me:p:w@localhost/chat", UriError::Rejected),
            ("mongodb://localhost/chat?w=-3", UriError::Rejected),
        ];
        for (text, error) in cases {
            assert_eq!(MongoUri::parse(text), Err(error), "{text}");
        }
        for name in ["a b", "a$b", &"x".repeat(64)] {
            let refused = MongoUri::parse(&format!("mongodb://localhost/{name}"));
            assert!(matches!(refused, Err(UriError::BadDatabase | UriError::Rejected)), "{name}");
        }
    }
}
