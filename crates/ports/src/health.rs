//! The port that tells whether the store works.

use async_trait::async_trait;

use crate::StoreError;

/// Tells whether the store can take and give data just now.
#[async_trait]
pub trait StoreHealth: Send + Sync {
    /// Asks the store.
    ///
    /// # Errors
    /// The store can't be read or can't be written to.
    async fn check(&self) -> Result<(), StoreError>;
}
