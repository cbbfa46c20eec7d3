//! From a store into a file.

use std::path::Path;

use chat_ports::{Archive, StoreError, model::Timestamp};

use crate::{
    error::ExportError,
    line::{Header, VERSION},
    page::Walk,
    partial::Partial,
    progress::{Progress, Step, Summary},
    scan::Position,
    tally::Tally,
};

/// Writes everything that a store holds into a new file, with `source` as the kind of the store and `now` as the
/// time of the export. Until it is whole the file is `FILE.partial`; where an interrupted export has left that,
/// it goes on behind its last whole line, and compares at the end what stands before it with the store.
///
/// Nobody may be writing to the store.
///
/// # Errors
/// The file exists or can't be written, the store failed, or it was written to.
pub async fn export(
    archive: &dyn Archive,
    file: &Path,
    source: &str,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, ExportError> {
    let header = Header { version: VERSION, exported_at: now, source: source.to_owned() };
    let mut partial = Partial::open(file, header, &mut *progress)?;
    let earlier = partial.position.clone();
    let mut walk = Walk::behind(archive, &earlier);
    loop {
        let page = walk.next().await?;
        page.iter().try_for_each(|line| partial.write(line))?;
        partial.flush()?;
        progress(partial.position.tally.progress(Step::Exporting));
        if page.is_empty() {
            break;
        }
    }
    if !is_as_it_was(archive, &earlier, progress).await? {
        partial.discard()?;
        return Err(ExportError::Changed);
    }
    let (tally, extent) = (partial.position.tally.clone(), archive.extent().await?);
    if (extent.users, extent.messages, extent.blocks) != tally.counts() {
        partial.discard()?;
        return Err(ExportError::Incomplete { stored: extent.messages, walked: tally.messages });
    }
    partial.finish()?;
    let resumed = (earlier.tally.users > 0).then_some((earlier.tally.users, earlier.tally.messages));
    let (users, messages, blocks) = tally.counts();
    Ok(Summary { users, messages, blocks, content: tally.content(), resumed })
}

/// Whether the store still begins with what an earlier try has written.
async fn is_as_it_was(
    archive: &dyn Archive,
    earlier: &Position,
    progress: &mut dyn FnMut(Progress),
) -> Result<bool, StoreError> {
    let (mut walk, mut tally, mut bytes) = (Walk::new(archive), Tally::default(), Vec::new());
    let earlier_counts = earlier.tally.counts();
    while tally.counts() != earlier_counts {
        let page = walk.next().await?;
        if page.is_empty() {
            return Ok(false);
        }
        for line in page {
            bytes.clear();
            if line.encode(&mut bytes).is_err() {
                return Ok(false);
            }
            tally.add(&line, &bytes);
            if tally.counts() == earlier_counts {
                break;
            }
        }
        progress(tally.progress(Step::Comparing));
    }
    Ok(tally.content() == earlier.tally.content())
}
