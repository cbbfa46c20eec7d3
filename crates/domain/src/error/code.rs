//! The table of error codes: name, HTTP status, whether to try again, and when each is given.

/// Builds [`ErrorCode`] and everything that is said of a code from one table.
macro_rules! codes {
    ($($code:ident, $name:literal, $status:literal, $retryable:literal, $when:literal;)*) => {
        /// What went wrong, for programs. `docs/errors.md` prints the table that this is made of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $when] $code,)*
        }

        impl ErrorCode {
            /// Every code, in the order of the HTTP statuses.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// The HTTP status of an answer with this code.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$code => $status,)* }
            }

            /// Whether the same request may succeed later: such errors say after which time.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$code => $retryable,)* }
            }

            /// When it is given, for the documentation.
            #[must_use]
            pub const fn when(self) -> &'static str {
                match self { $(Self::$code => $when,)* }
            }
        }
    };
}

codes! {
    InvalidInput, "invalid_input", 400, false,
        "Malformed JSON, a missing or wrong field, a bad id; `details` names the field and the rule.";
    Unauthorized, "unauthorized", 401, false,
        "No token, a bad or expired token, a wrong password (one text for unknown user and wrong password).";
    Forbidden, "forbidden", 403, false,
        "One of the two blocks the other; a foreign origin; one socket too many; one user too many to block; a message too old to be edited.";
    NotFound, "not_found", 404, false,
        "No such user, message or path; a message that is not yours.";
    Conflict, "conflict", 409, false,
        "The username or e-mail is taken; a `clientId` used again, to the same receiver, for another text.";
    PayloadTooLarge, "payload_too_large", 413, false,
        "A body or packet over its limit; `details` says the limit.";
    UnsupportedMediaType, "unsupported_media_type", 415, false,
        "A body that is not JSON.";
    RateLimited, "rate_limited", 429, true,
        "Too many requests; `details` says the wait in seconds, over HTTP `Retry-After` too.";
    Internal, "internal", 500, false,
        "A fault of the server; the text says nothing of the inside, the log has it.";
    Unavailable, "unavailable", 503, true,
        "The store is unreachable, too slow or full, or the server is draining. The outcome of a send may be unknown: sending again with the same `clientId` is always safe.";
}
