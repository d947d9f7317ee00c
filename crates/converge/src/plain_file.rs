//! Files that the operator names and that are read as a whole: plain files of a sensible size, so
//! that a pipe is not waited for and a device does not fill the memory.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// More than the scripts and catalogs of ten thousand tables.
const BYTES_MAX: u64 = 256 << 20;
const OTHERS_WRITE: u32 = 0o002;

/// Reads a plain file as a whole; links are followed, since the operator named them.
///
/// # Errors
/// Where it is no plain file or too large, and those of the file system.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("is not a plain file"));
    }
    if metadata.len() > BYTES_MAX {
        return Err(io::Error::other("is larger than 256 MiB"));
    }
    fs::read(path)
}

/// The same for text in UTF-8.
///
/// # Errors
/// Those of [`read`], and where it is not UTF-8.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Whether any account may change the file.
pub(crate) fn is_writable_by_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.mode() & OTHERS_WRITE != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn devices_and_directories_are_no_plain_files_and_links_to_files_are() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("f"), directory.path().join("l"));
        fs::write(&file, "é").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read_text(&link).unwrap(), "é");
        for path in [Path::new("/dev/zero"), directory.path()] {
            assert!(read(path).is_err(), "{}", path.display());
        }
        assert!(!is_writable_by_others(&file));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(is_writable_by_others(&file));
        fs::write(&file, [0xff]).unwrap();
        assert!(read_text(&file).is_err());
    }
}
