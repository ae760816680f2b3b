//! Keys: names of tables and numbers of lists, as in `consumers[1].public_key`.

use std::fmt;

use serde_path_to_error::Segment;
use toml::Value;

/// The way from the root to a value.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyPath(pub(super) Vec<Step>);

#[derive(Clone, Debug)]
pub(super) enum Step {
    Name(String),
    Index(usize),
}

impl KeyPath {
    pub(super) fn of(path: &serde_path_to_error::Path, missing: Option<&str>) -> Self {
        let steps = path.iter().filter_map(|segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } => Some(Step::Name(key.clone())),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        Self(
            steps
                .chain(missing.map(|name| Step::Name(name.to_owned())))
                .collect(),
        )
    }

    pub(super) fn with(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// The value that contains it; `None` for the root.
    pub(super) fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// The last name.
    pub(super) fn name(&self) -> &str {
        let mut names = self.0.iter().rev().filter_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Index(_) => None,
        });
        names.next().unwrap_or_default()
    }

    /// Whether the value is the path of a file.
    pub(super) fn is_path(&self) -> bool {
        let name = self.name();
        name == "file"
            || name.ends_with("_file")
            || name.ends_with("_files")
            || self.without_indices() == "login.file.path"
    }

    pub(super) fn without_indices(&self) -> String {
        let names = self.0.iter().filter(|step| matches!(step, Step::Name(_)));
        Self(names.cloned().collect()).to_string()
    }

    pub(super) fn find<'a>(&self, root: &'a mut Value) -> Option<&'a mut Value> {
        self.0.iter().try_fold(root, |value, step| match step {
            Step::Name(name) => value.get_mut(name),
            Step::Index(at) => value.get_mut(at),
        })
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, step)| match step {
            Step::Name(name) if at > 0 => write!(f, ".{name}"),
            Step::Name(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
        })
    }
}
