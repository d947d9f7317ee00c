//! The file contract between the stages: records, CSV dialect, file names, manifest.
//!
//! The only owner of the question how NULL is written; knows no types and no servers.

mod chunk_search;
mod csv_reader;
mod csv_writer;
mod error;
mod export_plan;
mod file;
mod file_name;
mod key_range;
mod manifest;
mod plain_name;
mod record;

pub use csv_reader::CsvReader;
pub use csv_writer::CsvWriter;
pub use error::Error;
pub use export_plan::{ChunkDone, ConvertedChunk, ExportPlan, Journal, PlannedTable};
pub use file::{
    Blake3Reader, FileSummary, PartialFile, open, open_for_lines, read, write_atomically,
};
pub use file_name::{chunk_file_name, file_stem, table_file_name};
pub use key_range::KeyRange;
pub use manifest::{
    ColumnEntry, Coordinates, FileEntry, MANIFEST_FILE, Manifest, SnapshotMethod, SourceEntry,
    Stage, TableEntry,
};
pub use plain_name::is_plain_name;
pub use record::Record;
