//! What this disk takes for the least durable write there is: one 4 KiB append and fdatasync.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::stats::Histogram;
use chat_client::ClientError as LoadError;
use chat_client::clock;

const BLOCK: [u8; 4096] = [0x5A; 4096];

/// A file that is appended to; removed at the end.
pub(crate) struct FsyncProbe {
    file: File,
    path: PathBuf,
}

impl FsyncProbe {
    /// Creates the file in `dir`, which should be on the store's disk.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(crate) fn create(dir: &Path) -> Result<FsyncProbe, LoadError> {
        let path = dir.join(format!("fsync-probe-{}", std::process::id()));
        let file = OpenOptions::new().create_new(true).append(true).open(&path);
        let file = file.map_err(LoadError::io(format!("create {}", path.display())))?;
        Ok(FsyncProbe { file, path })
    }

    /// Appends and syncs `times` times in a row; blocks the thread meanwhile.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn measure(&mut self, times: u32, into: &mut Histogram) -> Result<(), LoadError> {
        for _ in 0..times {
            let start = clock::nanos();
            let done = self.file.write_all(&BLOCK).and_then(|()| self.file.sync_data());
            done.map_err(LoadError::io(format!("append to {}", self.path.display())))?;
            into.record(clock::nanos() - start);
        }
        Ok(())
    }
}

impl Drop for FsyncProbe {
    fn drop(&mut self) {
        // A file left behind is no reason to fail a run that has its figures.
        let _ = std::fs::remove_file(&self.path);
    }
}
