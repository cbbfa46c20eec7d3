//! What a fuzz target and the replay of its seeds check of recovery tickets. Not part of the interface.

use crate::{RecoveryTicket, model::UserId};

/// What is sealed in a ticket: read by its user alone, and written the same.
pub fn tickets(data: &[u8]) {
    let owner = data.first_chunk().copied().unwrap_or_default();
    let user = UserId::from_bytes(owner);
    if let Some(ticket) = RecoveryTicket::decode(user, data) {
        assert_eq!((ticket.user, ticket.encode().as_slice()), (user, data));
    }
    let other = UserId::from_bytes(owner.map(|byte| !byte));
    assert_eq!(RecoveryTicket::decode(other, data), None, "it is somebody else's");
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn every_seed_passes_its_target() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/tickets");
        let paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!paths.is_empty());
        paths.iter().for_each(|path| super::tickets(&fs::read(path).unwrap()));
    }
}
