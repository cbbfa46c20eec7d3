//! `export` and `import`: moves all that a store holds into a file, and into another store.

use std::{
    future::Future,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chat_archive::{Progress, Step, Summary};
use chat_domain::ports::{Archive, Clock, CommitListener, Committed};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    commands::{STORE_PATIENCE, block_on, print},
    failure::Failure,
    migrate,
    settings::Settings,
    storage::{self, Storage},
    system::SystemClock,
};

/// How often a line says how far it is.
const EVERY: Duration = Duration::from_secs(2);

/// Nobody is connected to a store that is moved.
struct Nobody;

impl CommitListener for Nobody {
    fn committed(&self, _: Vec<Committed>) {}
}

/// Exports the store into a new file.
///
/// # Errors
/// There is no store, a server runs on it, the file can't be written, or the store failed.
pub(crate) fn export(settings: &Settings, file: &Path) -> Result<(), Failure> {
    storage::must_exist(settings)?;
    let done = with_store(settings, async |store| {
        let (source, now) = (store.kind(), SystemClock.now());
        let mut told = Told::default();
        let done = chat_archive::export(&*store.archive(), file, source, now, &mut |at| told.tell(at)).await;
        done.map_err(|error| Failure::run("the store is not exported", error))
    })?;
    print(format_args!("exported {} to {}", Words(&done), file.display()))
}

/// Imports a file into an empty store.
///
/// # Errors
/// The file is damaged, the store is not empty, a server runs on it, or the store failed.
pub(crate) fn import(settings: &Settings, file: &Path) -> Result<(), Failure> {
    let done = with_store(settings, async |store| {
        let archive: Arc<dyn Archive> = store.archive();
        let mut told = Told::default();
        let done = chat_archive::import(&*archive, file, &mut |at| told.tell(at)).await;
        done.map_err(|error| Failure::run("the file is not imported", error))
    })?;
    print(format_args!("imported {} from {}; the store holds the same", Words(&done), file.display()))
}

/// Does something with the store that the settings name, brought up to date, and closes it.
fn with_store<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&Storage) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if settings.mongodb.is_some() {
        // Before it is opened, because it may take long, and tells how far it is.
        migrate::apply(settings)?;
    }
    block_on(async {
        let store = Storage::open(settings, Arc::new(SystemClock), Arc::new(Nobody))?;
        let done = when_ready(&store, work(&store)).await;
        let closed = spawn_blocking(move || store.close()).await;
        closed.map_err(|error| Failure::run("the store was not closed in order", error)).and(done)
    })?
}

async fn when_ready<T>(
    store: &Storage,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let ready = timeout(STORE_PATIENCE, store.ready()).await;
    ready.map_err(|_elapsed| Failure::run("MONGODB_URI", "the server does not answer"))??;
    work.await
}

/// Says how far it is, now and then.
#[derive(Default)]
struct Told(Option<Instant>);

impl Told {
    fn tell(&mut self, at: Progress) {
        let now = SystemClock.instant();
        let since = *self.0.get_or_insert(now);
        if now.saturating_duration_since(since) < EVERY {
            return;
        }
        self.0 = Some(now);
        let step = match at.step {
            Step::Exporting => "exporting",
            Step::Checking => "checking the file",
            Step::Importing => "importing",
            Step::Comparing => "comparing",
            _ => "working",
        };
        // Who does not listen any more will hear of the end by the exit code.
        let _unheard = print(format_args!("{step}: {} users, {} messages", at.users, at.messages));
    }
}

/// A summary in words.
struct Words<'a>(&'a Summary);

impl std::fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Summary { users, messages, blocks, content, resumed } = self.0;
        write!(f, "{users} users and {messages} messages")?;
        if *blocks > 0 {
            write!(f, " and {blocks} blocks")?;
        }
        write!(f, " (sha256 {content}")?;
        if let Some((users, messages)) = resumed {
            write!(f, "; {users} users and {messages} messages of them by an earlier try")?;
        }
        f.write_str(")")
    }
}
