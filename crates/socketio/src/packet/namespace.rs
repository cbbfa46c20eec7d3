//! Names of namespaces and numbers of acknowledgements.

use std::fmt;
use std::sync::Arc;

/// A namespace's name, `/` or longer. Cheap to clone; `/` takes no memory.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Namespace(Option<Arc<str>>);

impl Namespace {
    /// The main namespace, `/`.
    pub const ROOT: Self = Self(None);

    /// A namespace of this name, which begins with `/`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self((name != "/").then(|| Arc::from(name)))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("/")
    }
}

impl std::ops::Deref for Namespace {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The number by which a client asks for an acknowledgement; it is given back digit for digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AckId(pub u64);

impl fmt::Display for AckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
