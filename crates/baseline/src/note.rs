//! What a reviewer has to know beside the SQL: what was lost, left out, renamed, or is a choice.

use std::fmt::Write;

use catalog::visible;

/// A remark on a generated baseline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Of which kind.
    pub kind: NoteKind,
    /// What is lost, or why it was left out; notes with the same one are told together.
    pub reason: String,
    /// Such as `user.email`, or ``index `i` of `user` ``.
    pub what: String,
}

/// Kinds of notes, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// Something of the source has no counterpart in the output.
    NotTranslated,
    /// A unique key takes texts for equal in the source that are not equal here.
    Choice,
    /// A type holds less of what the source promised, or refuses less.
    Lost,
    /// Something has another name.
    Renamed,
    /// Something is not quite the same.
    Changed,
}

impl NoteKind {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::NotTranslated,
        Self::Choice,
        Self::Lost,
        Self::Renamed,
        Self::Changed,
    ];

    /// The heading in the output.
    pub fn title(self) -> &'static str {
        match self {
            Self::NotTranslated => "Not translated",
            Self::Choice => "Exact here, not so in the source",
            Self::Lost => "Lost",
            Self::Renamed => "Other names",
            Self::Changed => "Not quite the same",
        }
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotTranslated => "not_translated",
            Self::Choice => "choice",
            Self::Lost => "lost",
            Self::Renamed => "renamed",
            Self::Changed => "changed",
        }
    }
}

/// The notes as lines of SQL comments; nothing in them ends a comment early.
pub(crate) fn as_comments(notes: &[Note]) -> String {
    let mut text = String::new();
    for kind in NoteKind::ALL {
        let of_kind: Vec<&Note> = notes.iter().filter(|note| note.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let mut lines = format!("--\n-- {}:\n", kind.title());
        let mut reason = None;
        for note in of_kind {
            if reason != Some(&note.reason) {
                writeln!(lines, "--   {}:", visible(&note.reason)).expect("text takes text");
                reason = Some(&note.reason);
            }
            writeln!(lines, "--     {}", visible(&note.what)).expect("text takes text");
        }
        text.push_str(&lines);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_one_reason_stand_together_and_stay_in_their_comments() {
        let note = |what: &str| Note {
            kind: NoteKind::Lost,
            reason: "a\nb".to_owned(),
            what: what.to_owned(),
        };
        let comments = as_comments(&[note("t.c"), note("t.\r\ndrop table t; --")]);
        assert_eq!(
            comments,
            "--\n-- Lost:\n--   a\\nb:\n--     t.c\n--     t.\\r\\ndrop table t; --\n"
        );
    }
}
