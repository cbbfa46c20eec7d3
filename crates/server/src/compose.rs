//! What is built of what: settings into adapters, adapters into the chat.

use std::{path::Path, sync::Arc};

use chat_auth::{BcryptHasher, HmacSeals, Hs256};
use chat_domain::{
    Chat, ChatSettings, Delivery, Deps,
    ports::{Clock, CommitListener, EventBus},
};
use chat_embedded_adapter::LocalBus;

use crate::{
    control::Desk,
    failure::Failure,
    folder,
    settings::Settings,
    storage::{Storage, StorePorts},
    system::{RandomIds, SystemClock},
};

/// The chat and what it stands on.
pub(crate) struct Built {
    pub(crate) chat: Arc<Chat>,
    pub(crate) store: Storage,
    pub(crate) bus: Arc<LocalBus>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Built {
    /// What control requests are served with.
    pub(crate) fn desk(&self) -> Desk {
        Desk { chat: Arc::clone(&self.chat), store: self.store.clone() }
    }
}

/// Opens the store and builds the chat on it. Blocks until an embedded store is ready.
///
/// # Errors
/// The folder, the store or a thread is not to be had.
pub(crate) fn chat(settings: &Settings) -> Result<Built, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let bus = Arc::new(LocalBus::new());
    let listener: Arc<dyn CommitListener> = Arc::new(Delivery::new(bus.clone()));
    let secret = folder::secret(settings)?;
    let store = Storage::open(settings, Arc::clone(&clock), listener)?;
    let StorePorts { users, log, messages, conversations, changes, replays, blocks, health: _ } =
        store.ports();
    let bcrypt = &settings.bcrypt;
    let passwords = BcryptHasher::new(bcrypt.cost, bcrypt.threads, bcrypt.queue);
    let chat = Chat::new(Deps {
        users,
        log,
        messages,
        conversations,
        changes,
        replays: Some(replays),
        blocks,
        passwords: Arc::new(passwords.map_err(|error| Failure::run("bcrypt", error))?),
        tokens: Arc::new(Hs256::new(secret.expose(), settings.token_ttl_seconds)),
        seals: Arc::new(HmacSeals::new(secret.expose())),
        bus: Arc::clone(&bus) as Arc<dyn EventBus>,
        clock: Arc::clone(&clock),
        ids: Arc::new(RandomIds::new(Arc::clone(&clock))?),
        limits: settings.limits.clone(),
        settings: ChatSettings { blocks_fresh_for: store.blocks_fresh_for(), ..settings.chat.clone() },
    });
    Ok(Built { chat: Arc::new(chat), store, bus, clock })
}

/// Restores a backup into the data folder.
///
/// # Errors
/// The folder holds a store, or the file is no backup.
pub(crate) fn restore(settings: &Settings, file: &Path) -> Result<(), Failure> {
    let folder = folder::data(settings)?;
    chat_embedded_adapter::restore(file, &folder)
        .map_err(|error| Failure::run("the backup is not restored", error))
}
