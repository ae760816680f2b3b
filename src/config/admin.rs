//! `[admin]`: who may see the administration pages.

use super::section::Section;

/// Who may see the administration pages.
#[derive(Clone, Debug, Default)]
pub struct Admin {
    /// Subjects, as the login names them.
    pub subjects: Vec<String>,
}

impl Admin {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self {
            subjects: section.list("subjects"),
        }
    }
}
