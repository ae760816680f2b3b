//! What all sections of a file share: where it is, when it is read, and what there is to say about it.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::oauth::Timestamp;

use super::remark::Remark;

/// One reading of one file.
#[derive(Debug)]
pub(super) struct Reading {
    /// Where relative paths start.
    pub(super) directory: PathBuf,
    /// For what expires.
    pub(super) now: Timestamp,
    mistakes: RefCell<Vec<Remark>>,
    warnings: RefCell<Vec<Remark>>,
}

impl Reading {
    /// Begins to read a file.
    pub(super) fn new(file: &Path, now: Timestamp) -> Self {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        Self {
            directory: file.parent().unwrap_or(Path::new("/")).to_owned(),
            now,
            mistakes: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// Notes a mistake: the configuration cannot be used.
    pub(super) fn mistake(&self, remark: Remark) {
        self.mistakes.borrow_mut().push(remark);
    }

    /// Notes what can be used and may yet be unwise.
    pub(super) fn warning(&self, remark: Remark) {
        self.warnings.borrow_mut().push(remark);
    }

    /// All mistakes, and all warnings.
    pub(super) fn into_remarks(self) -> (Vec<Remark>, Vec<Remark>) {
        (self.mistakes.into_inner(), self.warnings.into_inner())
    }
}

/// Says why a file cannot be read.
pub(super) fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "does not exist".to_owned(),
        ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        ErrorKind::InvalidData => "is not a text file".to_owned(),
        ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}
