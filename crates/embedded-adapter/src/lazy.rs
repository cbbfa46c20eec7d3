//! A reading connection that comes back by itself.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::{
    fault::Fault,
    sqlite::{self, Role},
};

/// A connection that is opened when it is first needed, and again after it has been given up.
#[derive(Debug)]
pub(crate) struct Lazy {
    path: PathBuf,
    connection: Option<Connection>,
}

impl Lazy {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, connection: None }
    }

    /// The connection.
    pub(crate) fn get(&mut self) -> Result<&Connection, Fault> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            none => Ok(none.insert(sqlite::open(&self.path, Role::Reader, None)?)),
        }
    }

    /// The connection, if it is open.
    pub(crate) const fn opened(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Gives the connection up; the next use opens another.
    pub(crate) fn forget(&mut self) {
        self.connection = None;
    }
}
