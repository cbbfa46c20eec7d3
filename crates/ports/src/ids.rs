//! The port for new ids.

use crate::model::ObjectId;

/// Makes ids.
pub trait IdSource: Send + Sync {
    /// A new id. MUST be unique over all processes and restarts.
    fn next_id(&self) -> ObjectId;
}
