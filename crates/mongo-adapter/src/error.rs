//! What the driver's errors mean here, and what of them may be shown.
//!
//! Errors of a server may quote documents and keys (names, addresses, texts), so nothing of their texts
//! leaves this module: code and code name do.

use std::io;

use chat_ports::StoreError;
use mongodb::error::{Error as DriverError, ErrorKind, WriteFailure};

/// A key that is there already.
const DUPLICATE_KEY: [i32; 3] = [11000, 11001, 12582];
const MAX_TIME_EXPIRED: i32 = 50;
const NAMESPACE_NOT_FOUND: i32 = 26;
const NOT_IMPLEMENTED: i32 = 238;
const UNAUTHORIZED: i32 = 13;
const AUTHENTICATION_FAILED: i32 = 18;
/// Out of time, interrupted, a lock or a network within the cluster, no write concern in time, stale shard routing.
const INTERRUPTED: [i32; 13] = [MAX_TIME_EXPIRED, 6, 7, 24, 46, 64, 89, 112, 262, 9001, 11601, 13388, 63];
/// The server is no primary (any more), shuts down, or recovers.
const NOT_PRIMARY: [i32; 8] = [10107, 13435, 10058, 11600, 11602, 13436, 189, 91];

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The system gives no threads.
    #[error("can't start the threads of the store: {0}")]
    Threads(#[source] io::Error),
}

/// Why a store won't ever work with these settings. Each is one line for an operator, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The server refused the credentials.
    #[error("MONGODB_URI: {0} refused the user or the password")]
    Credentials(String),
    /// The user may not do what the store has to.
    #[error("MONGODB_URI: the user may not read and write {0}: it needs the role readWrite there")]
    Forbidden(String),
    /// The server's version.
    #[error("MONGODB_URI: the server is too old; MongoDB 4.4 or later is needed")]
    TooOld,
    /// The connection string means something that can't be used.
    #[error("MONGODB_URI: {0}")]
    Settings(String),
    /// The migrations can't be applied by this build.
    #[error("MONGODB_URI: {0}")]
    Migrations(String),
    /// The store was closed before it worked.
    #[error("the store was closed")]
    Closed,
}

/// What went wrong in an operation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The driver or the server says so.
    #[error("{}", describe(.0))]
    Driver(Box<DriverError>),
    /// It took longer than it may.
    #[error("no answer in time")]
    Late,
    /// Another answer than the protocol has; which part of it is wrong.
    #[error("the server's answer has no usable {0}")]
    Answer(&'static str),
    /// The store's own words, as they are answered.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DriverError> for Fault {
    fn from(error: DriverError) -> Self {
        Self::Driver(Box::new(error))
    }
}

impl Fault {
    /// The server's code.
    pub(crate) fn code(&self) -> Option<i32> {
        match self {
            Self::Driver(error) => code(error),
            Self::Late | Self::Answer(_) | Self::Store(_) => None,
        }
    }

    /// Whether a unique key is there already.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.code().is_some_and(is_duplicate_code)
    }

    /// Whether the server does not know the command or option (FerretDB).
    pub(crate) fn is_not_implemented(&self) -> bool {
        self.code() == Some(NOT_IMPLEMENTED)
    }

    /// Whether the collection does not exist.
    pub(crate) fn is_missing_collection(&self) -> bool {
        self.code() == Some(NAMESPACE_NOT_FOUND)
    }

    /// Whether it tells that the server is away, so that others will fail as well.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Late => true,
            Self::Driver(error) => is_unreachable(error) || code(error).is_some_and(is_not_primary),
            Self::Answer(_) | Self::Store(_) => false,
        }
    }

    /// Whether the server understood and said no, so that asking again changes nothing.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Driver(error) if is_refusal(error))
    }

    /// What waiting can't mend, if it is that.
    pub(crate) fn permanent(&self, uri: &crate::MongoUri) -> Option<StartError> {
        let Self::Driver(error) = self else { return None };
        match (&*error.kind, code(error)) {
            (ErrorKind::Authentication { .. }, _) | (_, Some(AUTHENTICATION_FAILED)) => {
                Some(StartError::Credentials(uri.masked()))
            }
            (_, Some(UNAUTHORIZED)) => Some(StartError::Forbidden(uri.database().to_owned())),
            (ErrorKind::InvalidTlsConfig { .. }, _) => {
                Some(StartError::Settings("its TLS options can't be used (files, formats)".into()))
            }
            (ErrorKind::InvalidArgument { .. }, _) => {
                Some(StartError::Settings("its options can't be used together".into()))
            }
            (ErrorKind::IncompatibleServer { .. }, _) => Some(StartError::TooOld),
            _ => None,
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error,
            Fault::Late => Self::Timeout,
            Fault::Driver(ref error) if code(error) == Some(MAX_TIME_EXPIRED) => Self::Timeout,
            Fault::Driver(ref error) if is_refusal(error) => Self::Internal(fault.to_string().into()),
            Fault::Answer(_) => Self::Internal(fault.to_string().into()),
            Fault::Driver(_) => Self::Unavailable(fault.to_string().into()),
        }
    }
}

/// The store is closed, or was never opened.
pub(crate) fn unavailable(why: &'static str) -> StoreError {
    StoreError::Unavailable(why.into())
}

/// A document's field that can't be read.
pub(crate) fn corrupt(collection: &'static str, id: impl ToString, field: &'static str) -> StoreError {
    StoreError::Corrupt { collection, id: id.to_string(), field }
}

/// Whether a unique key is there already.
pub(crate) fn is_duplicate_code(code: i32) -> bool {
    DUPLICATE_KEY.contains(&code)
}

/// Whether the server is no primary (any more), shuts down, or recovers.
pub(crate) fn is_not_primary(code: i32) -> bool {
    NOT_PRIMARY.contains(&code)
}

/// Whether the same may succeed later: another primary, an interruption, a limit of time.
pub(crate) fn is_passing(code: i32) -> bool {
    is_not_primary(code) || INTERRUPTED.contains(&code)
}

fn code(error: &DriverError) -> Option<i32> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the driver's enum is not exhaustive; the others have no code"
    )]
    match &*error.kind {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => Some(concern.code),
        ErrorKind::InsertMany(many) => {
            let write = many.write_errors.iter().flatten().next().map(|write| write.code);
            write.or_else(|| many.write_concern_error.as_ref().map(|concern| concern.code))
        }
        _ => None,
    }
}

fn is_unreachable(error: &DriverError) -> bool {
    matches!(
        &*error.kind,
        ErrorKind::Io(_)
            | ErrorKind::ServerSelection { .. }
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::Shutdown
    )
}

/// Whether the server understood and said no, so that asking again changes nothing.
fn is_refusal(error: &DriverError) -> bool {
    let refused = matches!(
        &*error.kind,
        ErrorKind::Command(_) | ErrorKind::Write(_) | ErrorKind::InsertMany(_) | ErrorKind::Bson(_)
    );
    refused && !code(error).is_some_and(is_passing) && !error.contains_label("RetryableWriteError")
}

/// One line without anything that a document may hold.
fn describe(error: &DriverError) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver's enum is not exhaustive")]
    match &*error.kind {
        ErrorKind::Command(command) => format!("error {} {}", command.code, command.code_name),
        ErrorKind::Write(_) | ErrorKind::InsertMany(_) => {
            format!("write error {}", code(error).unwrap_or_default())
        }
        ErrorKind::Io(error) => format!("{}", error.kind()),
        ErrorKind::ServerSelection { .. } => "no server takes the operation".to_owned(),
        ErrorKind::ConnectionPoolCleared { .. } => "the connection was lost".to_owned(),
        ErrorKind::DnsResolve { .. } => "the host's name can't be resolved".to_owned(),
        ErrorKind::Authentication { .. } => "the credentials were refused".to_owned(),
        ErrorKind::InvalidResponse { .. } => "an invalid answer".to_owned(),
        _ => "the driver failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    /// The server's answer to a command, as the driver tells it.
    fn command(code: i32) -> Fault {
        let answer =
            doc! { "code": code, "codeName": "Name", "errmsg": "dup key: { email: \"a@example.org\" }" };
        let error = bson::deserialize_from_document(answer).unwrap();
        DriverError::from(ErrorKind::Command(error)).into()
    }

    fn io(kind: io::ErrorKind) -> Fault {
        DriverError::from(ErrorKind::Io(io::Error::from(kind).into())).into()
    }

    #[test]
    fn an_errors_text_has_its_code_and_nothing_of_a_document() {
        for code in [11000, 13, 50, 121, 10107] {
            let fault = command(code);
            let texts = [fault.to_string(), format!("{}", StoreError::from(fault))];
            assert!(texts.iter().all(|text| !text.contains("example.org")), "{texts:?}");
        }
        assert_eq!(command(121).to_string(), "error 121 Name");
    }

    #[test]
    fn a_fault_is_unavailable_late_or_a_defect() {
        for code in [10107, 13435, 11600, 11602, 189, 91] {
            assert!(command(code).is_outage(), "{code}");
            assert!(matches!(StoreError::from(command(code)), StoreError::Unavailable(_)), "{code}");
        }
        for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof, io::ErrorKind::TimedOut] {
            assert!(io(kind).is_outage());
            assert!(matches!(StoreError::from(io(kind)), StoreError::Unavailable(_)));
        }
        assert!(matches!(StoreError::from(Fault::Late), StoreError::Timeout));
        assert!(matches!(StoreError::from(command(50)), StoreError::Timeout));
        for code in [2, 9, 121] {
            assert!(command(code).is_refusal() && !command(code).is_outage());
            assert!(matches!(StoreError::from(command(code)), StoreError::Internal(_)), "{code}");
        }
        assert!(command(11000).is_duplicate() && !command(121).is_duplicate());
    }

    #[test]
    fn only_what_waiting_can_not_mend_is_permanent() {
        let uri = crate::MongoUri::parse("mongodb://me:pass@h/chat").unwrap();
        let permanent = |fault: Fault| fault.permanent(&uri);
        assert_eq!(permanent(command(18)), Some(StartError::Credentials("mongodb://***@h/chat".into())));
        assert_eq!(permanent(command(13)), Some(StartError::Forbidden("chat".into())));
        for passing in [command(10107), command(50), io(io::ErrorKind::ConnectionRefused), Fault::Late] {
            assert_eq!(permanent(passing), None);
        }
    }
}
