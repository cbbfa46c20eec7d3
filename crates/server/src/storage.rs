//! The store that the settings name: MongoDB where `MONGODB_URI` is set, else the embedded one.

use std::{path::PathBuf, sync::Arc, time::Duration};

use chat_domain::ports::{
    Archive, Blocks, Changes, Clock, CommitListener, Conversations, MessageLog, Messages, Replays,
    StoreHealth, Users,
};
use chat_embedded_adapter::{Options as EmbeddedOptions, Store as EmbeddedStore};
use chat_mongo_adapter::{Options as MongoOptions, Store as MongoStore};

use crate::{failure::Failure, folder, settings::Settings};

/// An open store. Clones are the same store.
#[derive(Clone)]
pub(crate) enum Storage {
    /// In the data folder.
    Embedded(Arc<EmbeddedStore>),
    /// On a MongoDB server, which may be away.
    Mongo(Arc<MongoStore>),
}

/// The ports of a store.
pub(crate) struct StorePorts {
    pub(crate) users: Arc<dyn Users>,
    pub(crate) log: Arc<dyn MessageLog>,
    pub(crate) messages: Arc<dyn Messages>,
    pub(crate) conversations: Arc<dyn Conversations>,
    pub(crate) changes: Arc<dyn Changes>,
    pub(crate) replays: Arc<dyn Replays>,
    pub(crate) blocks: Arc<dyn Blocks>,
    pub(crate) health: Arc<dyn StoreHealth>,
}

impl Storage {
    /// Opens the store. The embedded one works from then on; MongoDB is sought in the background.
    ///
    /// # Errors
    /// The embedded store does not open, or there is no thread for MongoDB's driver.
    pub(crate) fn open(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, Failure> {
        if let Some(options) = mongo_options(settings) {
            let store = MongoStore::open(options, clock, listener);
            return Ok(Self::Mongo(store.map_err(|error| Failure::run("MongoDB", error))?));
        }
        let options = EmbeddedOptions::new(folder::data(settings)?);
        let store = EmbeddedStore::open(options, clock, listener);
        let store = store.map_err(|error| Failure::run("the store does not open", error))?;
        Ok(Self::Embedded(Arc::new(store)))
    }

    /// Waits until the store has worked for the first time.
    ///
    /// # Errors
    /// What waiting can't mend: the settings are wrong.
    pub(crate) async fn ready(&self) -> Result<(), Failure> {
        match self {
            Self::Embedded(_) => Ok(()),
            Self::Mongo(store) => store.ready().await.map_err(|error| Failure::Settings(error.to_string())),
        }
    }

    pub(crate) fn ports(&self) -> StorePorts {
        match self {
            Self::Embedded(store) => StorePorts::of(store),
            Self::Mongo(store) => StorePorts::of(store),
        }
    }

    /// The store as it is moved.
    pub(crate) fn archive(&self) -> Arc<dyn Archive> {
        match self {
            Self::Embedded(store) => store.clone(),
            Self::Mongo(store) => store.clone(),
        }
    }

    /// After which time what is known of a block is read again: never where nobody else writes to the store.
    pub(crate) const fn blocks_fresh_for(&self) -> Option<Duration> {
        match self {
            Self::Embedded(_) => None,
            Self::Mongo(_) => Some(Duration::from_secs(5)),
        }
    }

    /// The name of its kind.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Embedded(_) => "embedded",
            Self::Mongo(_) => "mongodb",
        }
    }

    /// Backs the store up to a new file.
    ///
    /// # Errors
    /// One line for people.
    pub(crate) async fn backup(&self, file: PathBuf) -> Result<(), String> {
        match self {
            Self::Embedded(store) => store.backup(file).await.map_err(|error| error.to_string()),
            Self::Mongo(_) => Err("the store is MongoDB: back it up with its own tools (mongodump)".into()),
        }
    }

    /// Writes what waits and closes the store; blocks.
    pub(crate) fn close(&self) {
        match self {
            Self::Embedded(store) => store.close(),
            Self::Mongo(store) => store.close(),
        }
    }
}

impl StorePorts {
    fn of<S>(store: &Arc<S>) -> Self
    where
        S: Users + MessageLog + Messages + Conversations + Changes + Replays + Blocks + StoreHealth + 'static,
    {
        Self {
            users: store.clone(),
            log: store.clone(),
            messages: store.clone(),
            conversations: store.clone(),
            changes: store.clone(),
            replays: store.clone(),
            blocks: store.clone(),
            health: store.clone(),
        }
    }
}

/// Refuses an embedded store that opening would begin: a folder that was mistyped would be read as an empty store.
///
/// # Errors
/// There is none in the data folder.
pub(crate) fn must_exist(settings: &Settings) -> Result<(), Failure> {
    if settings.mongodb.is_some() || settings.data_dir.join("log.db").exists() {
        return Ok(());
    }
    let folder = settings.data_dir.display();
    Err(Failure::run(format_args!("DATA_DIR {folder}"), "there is no store in it"))
}

/// How MongoDB is used, where it is.
pub(crate) fn mongo_options(settings: &Settings) -> Option<MongoOptions> {
    let mut options = MongoOptions::new(settings.mongodb.clone()?);
    options.operation_timeout = settings.chat.send_timeout;
    Some(options)
}
