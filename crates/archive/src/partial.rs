//! The file while it is written: `FILE.partial`, for its owner only, taken up again after an interruption.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufReader, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{
    error::{ExportError, FileError},
    line::{Header, Line},
    progress::Step,
    scan::{Position, Scanner},
};

const BUFFER: usize = 1 << 20;

/// The file while it is written.
pub(crate) struct Partial {
    target: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
    bytes: Vec<u8>,
    pub(crate) position: Position,
}

impl Partial {
    /// Opens it behind the last whole line of an interrupted export of the same kind of store, or begins it.
    ///
    /// # Errors
    /// The target exists, or the file can't be used.
    pub(crate) fn open(
        target: &Path,
        header: Header,
        mut each: impl FnMut(crate::Progress),
    ) -> Result<Self, ExportError> {
        if target.exists() {
            return Err(ExportError::Exists(target.to_owned()));
        }
        let path = beside(target);
        let file = open_private(&path)?;
        let failed = |source| FileError::Io { path: path.clone(), source };
        let (found, position) = whole_lines(&file, &path, &mut each);
        if let Some(found) = &found
            && found.source != header.source
        {
            return Err(ExportError::OtherSource { path, source_kind: found.source.clone() });
        }
        file.set_len(position.offset).map_err(failed)?;
        (&file).seek(SeekFrom::Start(position.offset)).map_err(failed)?;
        let file = BufWriter::with_capacity(BUFFER, file);
        let mut partial = Self { target: target.to_owned(), path, file, bytes: Vec::new(), position };
        if found.is_none() {
            partial.write(&Line::Header(header))?;
        }
        Ok(partial)
    }

    /// Writes a line.
    ///
    /// # Errors
    /// It does not follow the one before it, or the file can't be written.
    pub(crate) fn write(&mut self, line: &Line) -> Result<(), FileError> {
        self.bytes.clear();
        let encoded = line.encode(&mut self.bytes).map_err(io::Error::from);
        encoded.and_then(|()| self.file.write_all(&self.bytes)).map_err(|source| self.failed(source))?;
        let lines = self.position.lines;
        let passed = self.position.pass(line, &self.bytes);
        passed.map_err(|what| FileError::Damaged { path: self.path.clone(), what, line: lines + 1 })
    }

    /// Makes a line so far be found again by the next try, whatever happens to the process.
    pub(crate) fn flush(&mut self) -> Result<(), FileError> {
        self.file.flush().map_err(|source| self.failed(source))
    }

    /// Closes it with its last line, brings it to disk, and gives it its name.
    pub(crate) fn finish(mut self) -> Result<(), ExportError> {
        self.write(&Line::End(self.position.tally.end()))?;
        self.flush()?;
        let synced = self.file.get_ref().sync_all();
        synced.map_err(|source| self.failed(source))?;
        claim(&self.target)?;
        fs::rename(&self.path, &self.target).map_err(|source| {
            drop(fs::remove_file(&self.target));
            self.failed(source)
        })?;
        Ok(sync_folder(&self.target)?)
    }

    /// Removes it.
    pub(crate) fn discard(self) -> Result<(), FileError> {
        fs::remove_file(&self.path).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> FileError {
        FileError::Io { path: self.path.clone(), source }
    }
}

/// Goes through what an earlier try has left, up to the first line that is not whole: nothing behind it counts.
fn whole_lines(
    file: &File,
    path: &Path,
    each: &mut impl FnMut(crate::Progress),
) -> (Option<Header>, Position) {
    let mut scanner = Scanner::new(BufReader::with_capacity(BUFFER, file), path, Position::default());
    let mut header = None;
    let mut position = scanner.position.clone();
    loop {
        match scanner.next() {
            Ok(Some(Line::Header(found))) => header = Some(found),
            Ok(Some(Line::User(_) | Line::Message(_) | Line::Block(_))) => {}
            // The last line is written anew: it was on its way to its name.
            Ok(Some(Line::End(_)) | None) | Err(_) => return (header, position),
        }
        position = scanner.position.clone();
        if position.lines.is_multiple_of(1_000) {
            each(position.tally.progress(Step::Checking));
        }
    }
}

fn open_private(path: &Path) -> Result<File, ExportError> {
    let failed = |source| FileError::Io { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ExportError::Busy(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source).into()),
    }
}

/// Takes the name, unless somebody has it: renaming would overwrite what was made meanwhile.
fn claim(target: &Path) -> Result<(), ExportError> {
    match OpenOptions::new().create_new(true).write(true).open(target) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(ExportError::Exists(target.to_owned()))
        }
        Err(source) => Err(FileError::Io { path: target.to_owned(), source }.into()),
    }
}

fn beside(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Makes the rename last.
fn sync_folder(target: &Path) -> Result<(), FileError> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| FileError::Io { path: folder.to_owned(), source })
}
