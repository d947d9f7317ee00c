//! Files that appear under their final name only when they are complete.
//!
//! Counts and hashes what passes through; does not know what it is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::error::Error;

/// Files hold personal data: the owner alone may read them.
pub(crate) const FILE_MODE: u32 = 0o600;
/// Large enough that system calls do not count beside the work per byte.
const WRITE_BYTES: usize = 256 * 1024;

/// A file under a temporary name; [`PartialFile::finish`] gives it its own,
/// dropping it removes it.
#[derive(Debug)]
pub struct PartialFile {
    writer: Option<BufWriter<HashedFile>>,
    partial: PathBuf,
    path: PathBuf,
}

/// A file and the hash of what was written to it. Below the buffer, since large pieces are hashed
/// several times as fast as lines.
#[derive(Debug)]
struct HashedFile {
    file: File,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSummary {
    /// Size in bytes.
    pub bytes: u64,
    /// blake3 of the content, in hex.
    pub blake3: String,
}

impl PartialFile {
    /// Creates `<path>.partial`, replacing what an interrupted run left there.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = private_file(&partial).map_err(|e| Error::from(e).at(&partial))?;
        let file = HashedFile {
            file,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        };
        Ok(Self {
            writer: Some(BufWriter::with_capacity(WRITE_BYTES, file)),
            partial,
            path: path.to_owned(),
        })
    }

    /// Flushes to the disk and renames.
    ///
    /// # Errors
    /// Those of the file system; the file is then removed.
    pub fn finish(mut self) -> Result<FileSummary, Error> {
        self.complete().map_err(|e| Error::from(e).at(&self.path))
    }

    fn complete(&mut self) -> io::Result<FileSummary> {
        let writer = self.writer.as_mut().expect("a file is finished once");
        writer.flush()?;
        let written = writer.get_ref();
        written.file.sync_all()?;
        let summary = FileSummary {
            bytes: written.bytes,
            blake3: written.hasher.finalize().to_hex().to_string(),
        };
        fs::rename(&self.partial, &self.path)?;
        self.writer = None;
        sync_directory(&self.path)?;
        Ok(summary)
    }
}

impl Write for PartialFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let writer = self
            .writer
            .as_mut()
            .expect("nothing is written after the end");
        writer.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if self.writer.is_some() {
            // Nothing better can be done here: the next run replaces what stays.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Replaces a small file as a whole: readers see the old or the new content, never a half.
///
/// # Errors
/// Those of the file system.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut file = PartialFile::create(path)?;
    file.write_all(content)
        .map_err(|e| Error::from(e).at(path))?;
    file.finish().map(|_| ())
}

/// Opens a plain file for reading: a link is not followed, and a pipe is not waited for.
///
/// # Errors
/// Where it is no plain file, and those of the file system.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::NONBLOCK))
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("is not a plain file")),
    }
}

/// Reads a plain file as a whole.
///
/// # Errors
/// Those of [`open`], and of reading.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Opens a file to which lines are appended, and makes it where it is missing; a link is not
/// followed.
///
/// # Errors
/// Those of the file system.
pub fn open_for_lines(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(FILE_MODE)
        .custom_flags(flags(OFlags::empty()))
        .open(path)
}

/// Those of a file of a run, and some more.
fn flags(more: OFlags) -> i32 {
    (OFlags::NOFOLLOW | more).bits().cast_signed()
}

/// A reader that hashes what passes through it.
#[derive(Debug)]
pub struct Blake3Reader<R: Read> {
    inner: R,
    hasher: blake3::Hasher,
}

impl<R: Read> Blake3Reader<R> {
    /// Wraps a reader.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            hasher: blake3::Hasher::new(),
        }
    }

    /// The hash of all that was read so far, in hex.
    pub fn blake3(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}

impl<R: Read> Read for Blake3Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..bytes]);
        Ok(bytes)
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    // A leftover may have been made with other permissions, so it is not reused.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
}

/// A rename is durable once its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_dropped_file_never_appears() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.csv");
        let mut file = PartialFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_finished_file_is_private_and_hashed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.csv");
        let mut file = PartialFile::create(&path).unwrap();
        file.write_all(b"a\n").unwrap();
        let summary = file.finish().unwrap();
        assert_eq!(summary.bytes, 2);
        assert_eq!(summary.blake3, blake3::hash(b"a\n").to_hex().to_string());
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_plain_files_are_opened() {
        let directory = tempfile::tempdir().unwrap();
        let of = |name: &str| directory.path().join(name);
        fs::write(of("plain"), "a").unwrap();
        std::os::unix::fs::symlink("plain", of("link")).unwrap();
        // Whoever opens a pipe without a writer waits for one.
        let pipe = std::process::Command::new("mkfifo")
            .arg(of("pipe"))
            .status();
        assert!(pipe.unwrap().success());
        assert_eq!(read(&of("plain")).unwrap(), b"a");
        for name in ["link", "pipe", ".", "missing"] {
            assert!(open(&of(name)).is_err(), "{name}");
        }
        assert!(open_for_lines(&of("link")).is_err());
        let mut lines = open_for_lines(&of("lines")).unwrap();
        lines.write_all(b"b").unwrap();
        let mode = fs::metadata(of("lines")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn reading_hashes_the_same() {
        let mut reader = Blake3Reader::new(&b"abc"[..]);
        io::copy(&mut reader, &mut io::sink()).unwrap();
        assert_eq!(reader.blake3(), blake3::hash(b"abc").to_hex().to_string());
    }
}
