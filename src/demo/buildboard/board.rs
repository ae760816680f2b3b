//! What Buildboard keeps: projects, who owns them, and their builds.

use serde_json::{Value, json};

/// All projects and builds.
#[derive(Clone, Debug)]
pub(super) struct Board {
    builds: Vec<Build>,
}

/// One build.
#[derive(Clone, Debug)]
pub(super) struct Build {
    pub(super) number: usize,
    pub(super) owner: String,
    pub(super) project: String,
    pub(super) branch: String,
    pub(super) note: String,
    pub(super) labels: Vec<String>,
    pub(super) state: &'static str,
}

impl Board {
    /// The projects of a user; nobody has none.
    pub(super) fn projects_of(user: &str) -> Vec<&'static str> {
        PROJECTS
            .iter()
            .filter(|(_, owner)| *owner == user)
            .map(|(project, _)| *project)
            .collect()
    }

    /// The builds of a user, newest first.
    pub(super) fn builds_of(&self, user: &str) -> impl Iterator<Item = &Build> {
        let builds = self.builds.iter().rev();
        builds.filter(move |build| build.owner == user)
    }

    /// Starts a build; `None`: the user has no such project.
    pub(super) fn start(
        &mut self,
        user: &str,
        project: &str,
        branch: &str,
        note: &str,
        labels: Vec<String>,
    ) -> Option<&Build> {
        let project = Self::projects_of(user).into_iter().find(|own| *own == project)?;
        if self.builds.len() >= LIMIT {
            self.builds.remove(0);
        }
        let number = self.builds.last().map_or(1, |build| build.number + 1);
        self.builds.push(Build {
            number,
            owner: user.to_owned(),
            project: project.to_owned(),
            branch: branch.to_owned(),
            note: note.to_owned(),
            labels,
            state: "running",
        });
        self.builds.last()
    }
}

impl Build {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "number": self.number,
            "project": self.project,
            "branch": self.branch,
            "note": self.note,
            "labels": self.labels,
            "state": self.state,
            "startedBy": self.owner,
        })
    }

    /// Whether a word stands in it; every build mentions the empty word.
    pub(super) fn mentions(&self, word: &str) -> bool {
        [&self.project, &self.branch, &self.note]
            .into_iter()
            .any(|text| text.contains(word))
    }
}

impl Default for Board {
    fn default() -> Self {
        let build =
            |number: usize, (owner, project, branch, note, state): (&str, &str, &str, &str, &'static str)| {
                Build {
                    number,
                    owner: owner.to_owned(),
                    project: project.to_owned(),
                    branch: branch.to_owned(),
                    note: note.to_owned(),
                    labels: Vec::new(),
                    state,
                }
            };
        let builds = PAST.into_iter().enumerate();
        Self {
            builds: builds.map(|(at, past)| build(at + 1, past)).collect(),
        }
    }
}

const PROJECTS: [(&str, &str); 4] = [
    ("rocket", "alice"),
    ("observatory", "alice"),
    ("bakery", "bob"),
    ("bicycle", "bob"),
];

const PAST: [(&str, &str, &str, &str, &str); 5] = [
    ("alice", "rocket", "main", "Ignition sequence", "passed"),
    ("bob", "bakery", "main", "More croissants", "passed"),
    (
        "alice",
        "observatory",
        "feature/mirror",
        "Polish the mirror",
        "failed",
    ),
    ("bob", "bicycle", "release/2", "Second gear", "passed"),
    ("alice", "rocket", "feature/orbit", "Raise the apogee", "passed"),
];

/// The oldest builds are forgotten beyond this.
const LIMIT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_own_projects_and_builds() {
        let mut board = Board::default();
        assert_eq!(Board::projects_of("alice"), ["rocket", "observatory"]);
        assert_eq!(Board::projects_of("bob"), ["bakery", "bicycle"]);
        assert_eq!(board.builds_of("alice").count(), 3);
        assert_eq!(board.builds_of("").count(), 0);

        assert!(board.start("bob", "rocket", "main", "", Vec::new()).is_none());
        let build = board
            .start("alice", "rocket", "main", "Zündung 🚀", Vec::new())
            .unwrap();
        assert_eq!((build.number, build.note.as_str()), (6, "Zündung 🚀"));
        assert_eq!(board.builds_of("alice").next().unwrap().number, 6);
    }
}
