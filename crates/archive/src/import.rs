//! From a file into a store.

use std::{
    fs::File,
    io::{BufReader, Seek, SeekFrom},
    path::Path,
};

use chat_ports::{
    Archive, Extent, message_difference,
    model::{Block, Message, User},
    user_difference,
};

use crate::{
    error::{FileError, ImportError},
    line::Line,
    page::{PAGE_BYTES, PAGE_ITEMS, Walk},
    progress::{Progress, Step, Summary},
    scan::{Position, Scanner},
    tally::Tally,
    twins::Hashes,
};

const BUFFER: usize = 1 << 20;
/// Lines between two words about progress.
const STRIDE: u64 = 1_000;

/// Puts an archive into an empty store, or into one that holds the beginning of it since an interrupted
/// import; then goes on behind that. The whole file is checked before anything is changed, and at the end the
/// whole store is compared with it.
///
/// Nobody else may be writing to the store.
///
/// # Errors
/// The file or the store can't be used for it: nothing was changed. Or the store failed on the way: the same call
/// goes on where it stopped.
pub async fn import(
    archive: &dyn Archive,
    file: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, ImportError> {
    let extent = archive.extent().await?;
    let (checked, begun) = check(file, &extent, archive.holds_case_twins(), progress)?;
    let begun = begun.filter(|at| (at.last_user, at.last_message) == (extent.last_user, extent.last_message));
    let occupied = ImportError::Occupied { users: extent.users, messages: extent.messages };
    let begun = begun.ok_or(occupied)?;
    let resumed = (extent.users > 0).then_some((extent.users, extent.messages));
    put(archive, file, begun, progress).await?;
    let (wanted, stored) = (checked.tally, compare(archive, file, progress).await?);
    let ((users, messages, blocks), content) = (stored.counts(), stored.content());
    if stored.counts() != wanted.counts() || content != wanted.content() {
        return Err(ImportError::Differs { users, messages });
    }
    Ok(Summary { users, messages, blocks, content, resumed })
}

/// Goes through the whole file. Gives its end, and the position at which as much lies behind as the store
/// holds.
fn check(
    path: &Path,
    extent: &Extent,
    holds_case_twins: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Position, Option<Position>), ImportError> {
    let (mut begun, mut hashes) = (None, Hashes::default());
    let end = open(path, Position::default())?.finish(|line, position| {
        let tally = &position.tally;
        let stored = (extent.users, extent.messages, extent.blocks);
        if tally.counts() == stored && !matches!(line, Line::End(_)) {
            begun = Some(position.clone());
        }
        if let Line::User(user) = line
            && !holds_case_twins
        {
            hashes.add(user);
        }
        if position.lines.is_multiple_of(STRIDE) {
            progress(tally.progress(Step::Checking));
        }
    })?;
    if let Some(mut suspects) = hashes.suspects() {
        open(path, Position::default())?.finish(|line, _| {
            if let Line::User(user) = line {
                suspects.look(user);
            }
        })?;
        let (found, more) = suspects.found();
        if !found.is_empty() {
            return Err(ImportError::Twins { found, more });
        }
    }
    Ok((end, begun))
}

/// A page that is being filled.
#[derive(Default)]
struct Page {
    users: Vec<User>,
    messages: Vec<Message>,
    blocks: Vec<Block>,
    bytes: usize,
}

/// Puts what stands behind a position.
async fn put(
    archive: &dyn Archive,
    path: &Path,
    begun: Position,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ImportError> {
    let (mut file, mut page) = (open(path, begun)?, Page::default());
    while let Some(line) = file.next()? {
        match line {
            Line::Header(_) | Line::End(_) => {}
            Line::User(user) => page.users.push(user),
            Line::Message(message) => {
                page.bytes += message.text.len();
                page.messages.push(message);
            }
            Line::Block(block) => page.blocks.push(block),
        }
        if page.is_full() {
            page.put(archive).await?;
            progress(file.position.tally.progress(Step::Importing));
        }
    }
    page.put(archive).await?;
    progress(file.position.tally.progress(Step::Importing));
    Ok(())
}

impl Page {
    fn is_full(&self) -> bool {
        self.users.len().max(self.messages.len()).max(self.blocks.len()) >= PAGE_ITEMS
            || self.bytes >= PAGE_BYTES
    }

    /// Puts what is in it, users first, blocks last, and empties it.
    async fn put(&mut self, archive: &dyn Archive) -> Result<(), ImportError> {
        let Self { users, messages, blocks, bytes: _ } = std::mem::take(self);
        if !users.is_empty() {
            archive.put_users(users).await?;
        }
        if !messages.is_empty() {
            archive.put_messages(messages).await?;
        }
        if !blocks.is_empty() {
            archive.put_blocks(blocks).await?;
        }
        Ok(())
    }
}

/// Counts and hashes what stands in the store, and looks beside it into the file, so that a difference has a name.
async fn compare(
    archive: &dyn Archive,
    path: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Tally, ImportError> {
    let (mut file, mut walk) = (open(path, Position::default())?, Walk::new(archive));
    let (mut tally, mut bytes) = (Tally::default(), Vec::new());
    // The header is not in the store.
    file.next()?;
    loop {
        let page = walk.next().await?;
        if page.is_empty() {
            break;
        }
        for stored in page {
            bytes.clear();
            stored.encode(&mut bytes)?;
            tally.add(&stored, &bytes);
            difference(file.next()?, &stored)?;
        }
        progress(tally.progress(Step::Comparing));
    }
    let Extent { users, messages, blocks, .. } = archive.extent().await?;
    if (users, messages, blocks) != tally.counts() {
        return Err(ImportError::Differs { users, messages });
    }
    Ok(tally)
}

/// Whether a line of the file and what stands in the store instead are the same user or message with another
/// content. Other differences are told by counts and hash.
fn difference(line: Option<Line>, stored: &Line) -> Result<(), ImportError> {
    match (line, stored) {
        (Some(Line::User(user)), Line::User(stored)) if user.id == stored.id => {
            let id = user.id;
            let field = user_difference(&user, stored);
            field.map_or(Ok(()), |field| Err(ImportError::UserDiffers { id, field }))
        }
        (Some(Line::Message(message)), Line::Message(stored)) if message.id == stored.id => {
            let id = message.id;
            let field = message_difference(&message, stored);
            field.map_or(Ok(()), |field| Err(ImportError::MessageDiffers { id, field }))
        }
        _ => Ok(()),
    }
}

fn open(path: &Path, position: Position) -> Result<Scanner<BufReader<File>>, FileError> {
    let open = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(position.offset))?;
        Ok(file)
    };
    let file = open().map_err(|source| FileError::Io { path: path.to_owned(), source })?;
    Ok(Scanner::new(BufReader::with_capacity(BUFFER, file), path, position))
}
