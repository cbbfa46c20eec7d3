//! What is built of what: settings into adapters, adapters into the chat.

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use chat_auth::{BcryptHasher, Hs256};
use chat_domain::{
    Chat, Delivery, Deps,
    ports::{Clock, CommitListener, EventBus},
};
use chat_embedded_adapter::{LocalBus, Options, Store};

use crate::{
    control::Desk,
    failure::Failure,
    settings::{Secret, Settings, kept_secret},
    system::{RandomIds, SystemClock},
};

/// The chat and what it stands on.
pub(crate) struct Built {
    pub(crate) chat: Arc<Chat>,
    pub(crate) store: Arc<Store>,
    pub(crate) bus: Arc<LocalBus>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Built {
    /// What control requests are served with.
    pub(crate) fn desk(&self) -> Desk {
        Desk { chat: Arc::clone(&self.chat), store: Arc::clone(&self.store) }
    }
}

/// Opens the store and builds the chat on it. Blocks until the store is ready.
///
/// # Errors
/// The folder, the store or a thread is not to be had.
pub(crate) fn chat(settings: &Settings) -> Result<Built, Failure> {
    let folder = data_folder(settings)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let bus = Arc::new(LocalBus::new());
    let listener: Arc<dyn CommitListener> = Arc::new(Delivery::new(bus.clone()));
    let store = Store::open(Options::new(&folder), Arc::clone(&clock), listener);
    let store = Arc::new(store.map_err(|error| Failure::run("the store does not open", error))?);
    let bcrypt = &settings.bcrypt;
    let passwords = BcryptHasher::new(bcrypt.cost, bcrypt.threads, bcrypt.queue);
    let tokens = Hs256::new(secret(settings)?.expose(), settings.token_ttl_seconds);
    let chat = Chat::new(Deps {
        users: store.clone(),
        log: store.clone(),
        messages: store.clone(),
        conversations: store.clone(),
        passwords: Arc::new(passwords.map_err(|error| Failure::run("bcrypt", error))?),
        tokens: Arc::new(tokens),
        bus: Arc::clone(&bus) as Arc<dyn EventBus>,
        clock: Arc::clone(&clock),
        ids: Arc::new(RandomIds::new(Arc::clone(&clock))?),
        limits: settings.limits.clone(),
        settings: settings.chat.clone(),
    });
    Ok(Built { chat: Arc::new(chat), store, bus, clock })
}

/// The secret that was given, else the one kept in the data folder.
///
/// # Errors
/// The folder can't be written to.
pub(crate) fn secret(settings: &Settings) -> Result<Secret, Failure> {
    match &settings.secret {
        Some(given) => Ok(given.clone()),
        None => kept_secret(&data_folder(settings)?),
    }
}

/// Restores a backup into the data folder.
///
/// # Errors
/// The folder holds a store, or the file is no backup.
pub(crate) fn restore(settings: &Settings, file: &Path) -> Result<(), Failure> {
    let folder = data_folder(settings)?;
    chat_embedded_adapter::restore(file, &folder)
        .map_err(|error| Failure::run("the backup is not restored", error))
}

/// The data folder, made for its owner only if it was not there, as an absolute path.
fn data_folder(settings: &Settings) -> Result<PathBuf, Failure> {
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
