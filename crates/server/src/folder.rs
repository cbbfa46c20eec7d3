//! The data folder.

use std::{fs::DirBuilder, io, os::unix::fs::DirBuilderExt, path::PathBuf};

use crate::{
    failure::Failure,
    settings::{Secret, Settings, kept_secret},
};

/// The data folder, made for its owner only if it was not there, as an absolute path.
///
/// # Errors
/// It can't be made.
pub(crate) fn data(settings: &Settings) -> Result<PathBuf, Failure> {
    let folder = &settings.data_dir;
    let made = match DirBuilder::new().recursive(true).mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(io::Error::new(io::ErrorKind::NotADirectory, "is not a folder"))
        }
        made => made,
    };
    made.and_then(|()| folder.canonicalize())
        .map_err(|error| Failure::run(format_args!("DATA_DIR {}", folder.display()), error))
}

/// The secret that was given, else the one kept in the data folder.
///
/// # Errors
/// The folder can't be written to.
pub(crate) fn secret(settings: &Settings) -> Result<Secret, Failure> {
    match &settings.secret {
        Some(given) => Ok(given.clone()),
        None => kept_secret(&data(settings)?),
    }
}
