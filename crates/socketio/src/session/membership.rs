//! Which namespaces a session has joined or asked for.

use smallvec::SmallVec;

use crate::packet::Namespace;

/// Most sessions have one, which takes no allocation.
#[derive(Debug, Default)]
pub(super) struct Memberships(SmallVec<[Membership; 1]>);

#[derive(Debug)]
struct Membership {
    nsp: Namespace,
    /// False from the client's CONNECT to the embedder's answer.
    joined: bool,
}

impl Memberships {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the namespace was asked for, answered or not.
    pub(super) fn contains(&self, nsp: &str) -> bool {
        self.0.iter().any(|membership| &*membership.nsp == nsp)
    }

    pub(super) fn is_joined(&self, nsp: &str) -> bool {
        self.0.iter().any(|membership| membership.joined && &*membership.nsp == nsp)
    }

    pub(super) fn any_joined(&self) -> bool {
        self.0.iter().any(|membership| membership.joined)
    }

    pub(super) fn ask(&mut self, nsp: Namespace) {
        self.0.push(Membership { nsp, joined: false });
    }

    /// Joins what was asked for; false if nothing was.
    pub(super) fn join(&mut self, nsp: &str) -> bool {
        let asked = self.0.iter_mut().find(|membership| !membership.joined && &*membership.nsp == nsp);
        asked.map(|membership| membership.joined = true).is_some()
    }

    /// Forgets a namespace if its state is `joined`; false if there is none.
    pub(super) fn remove(&mut self, nsp: &str, joined: bool) -> bool {
        let before = self.0.len();
        self.0.retain(|membership| membership.joined != joined || &*membership.nsp != nsp);
        self.0.len() < before
    }
}
