//! What may stand in a password file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use argon2::password_hash::phc::PasswordHash;
use argon2::{ARGON2ID_IDENT, Params};
use serde::Deserialize;
use toml::Spanned;

/// The users of a file, by name.
pub(super) struct Users {
    by_name: HashMap<String, Account>,
    /// Checked in place of a hash that does not exist, so that both take the same time.
    decoy: Option<PasswordHash>,
}

struct Account {
    display_name: String,
    /// `None`: nobody signs in with this name.
    password: Option<PasswordHash>,
}

impl Users {
    /// Reads the text of a file. The error is the byte where it stands, and a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, (Option<usize>, String)> {
        let file: File = toml::from_str(text)
            .map_err(|error| (error.span().map(|span| span.start), error.message().to_owned()))?;
        let mut by_name = HashMap::new();
        for row in file.users {
            let at = row.name.span().start;
            match by_name.entry(row.name.get_ref().clone()) {
                Entry::Occupied(_) => return Err((Some(at), "this name stands twice.".to_owned())),
                Entry::Vacant(place) => place.insert(Account::try_from(row)?),
            };
        }
        let decoy = by_name
            .values()
            .find_map(|account: &Account| account.password.clone());
        Ok(Self { by_name, decoy })
    }

    /// The hash to check a password against and, when the name may sign in, the name to show.
    /// `None`: nobody may sign in at all.
    pub(super) fn candidate(&self, name: &str) -> Option<(PasswordHash, Option<String>)> {
        let account = self.by_name.get(name);
        match account.and_then(|account| Some((account.password.clone()?, &account.display_name))) {
            Some((hash, display_name)) => Some((hash, Some(display_name.clone()))),
            None => Some((self.decoy.clone()?, None)),
        }
    }

    /// How many names there are, and how many of them may sign in.
    pub(super) fn count(&self) -> (usize, usize) {
        let accounts = self.by_name.values();
        let may_sign_in = accounts.filter(|account| account.password.is_some()).count();
        (self.by_name.len(), may_sign_in)
    }

    /// The name to show for a subject of this file.
    pub(super) fn display_name(&self, subject: &str) -> Option<&str> {
        self.by_name
            .get(subject)
            .map(|account| account.display_name.as_str())
    }
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Users").field(&self.by_name.len()).finish()
    }
}

impl TryFrom<Row> for Account {
    type Error = (Option<usize>, String);

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let at = row.name.span().start;
        let name = row.name.into_inner();
        if name.is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
            return Err((
                Some(at),
                "a name has 1 to 255 characters, none of them a control character.".to_owned(),
            ));
        }
        let password = match row.password {
            None if row.sign_in => {
                return Err((
                    Some(at),
                    "this user has no password. Write one (`linkgate user hash` makes it), or sign_in = false.".to_owned(),
                ));
            }
            None => None,
            Some(hash) => Some(read_hash(&hash)?).filter(|_| row.sign_in),
        };
        Ok(Self {
            display_name: row.display_name.unwrap_or(name),
            password,
        })
    }
}

fn read_hash(text: &Spanned<String>) -> Result<PasswordHash, (Option<usize>, String)> {
    PasswordHash::new(text.get_ref())
        .ok()
        .filter(|hash| {
            hash.algorithm == ARGON2ID_IDENT
                && hash.salt.is_some()
                && hash.hash.is_some()
                && Params::try_from(hash).is_ok_and(|params| params.m_cost() <= MOST_MEMORY)
        })
        .ok_or_else(|| {
            let why = "password must be an argon2id hash ($argon2id$...) of at most 1 GiB. \
                       `linkgate user hash` reads a password and prints one.";
            (Some(text.span().start), why.to_owned())
        })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    users: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: Spanned<String>,
    display_name: Option<String>,
    password: Option<Spanned<String>>,
    #[serde(default = "yes")]
    sign_in: bool,
}

const fn yes() -> bool {
    true
}

/// In KiB: whoever writes more has made a typing mistake that would stop the machine.
const MOST_MEMORY: u32 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$KbAq1NW2DCDyz9IUH8Qz4w$pQd53gk92cKU+g+NUjFDCNK2LP9ooRZpRVI0SVGdWwA";

    fn refused(text: &str) -> (usize, String) {
        let (at, why) = Users::parse(text).unwrap_err();
        let at = at.unwrap();
        (1 + text[..at].matches('\n').count(), why)
    }

    #[test]
    fn an_unknown_key_is_refused_where_it_stands() {
        let (line, why) = refused("[[users]]\nname = \"a\"\nsign_in = false\npasword = \"x\"\n");
        assert_eq!(line, 4);
        assert!(why.contains("unknown field `pasword`"), "{why}");
        assert_eq!(refused("[user]\n").0, 1);
    }

    #[test]
    fn what_is_no_argon2id_hash_is_refused_with_the_remedy() {
        for bad in [
            "alice-password",
            "$2y$10$abcdefghijklmnopqrstuuJ1fS1kT1W1oV1uF1x1n1g1a1q1w1e1r",
            &HASH.replace("argon2id", "argon2i"),
            &HASH.replace("m=19456", "m=4294967295"),
            "$argon2id$v=19$m=19456,t=2,p=1$KbAq1NW2DCDyz9IUH8Qz4w",
        ] {
            let (line, why) = refused(&format!("[[users]]\nname = \"a\"\npassword = \"{bad}\"\n"));
            assert_eq!(line, 3);
            assert!(why.contains("linkgate user hash"), "{why}");
            assert!(!why.contains(bad), "{why}");
        }
    }

    #[test]
    fn a_user_without_password_must_say_so() {
        assert_eq!(refused("\n[[users]]\nname = \"a\"\n").0, 3);
        assert_eq!(refused("[[users]]\nname = \"\"\nsign_in = false\n").0, 2);
    }

    #[test]
    fn a_name_stands_once() {
        let one = "[[users]]\nname = \"a\"\nsign_in = false\n";
        assert_eq!(
            refused(&format!("{one}{one}")),
            (5, "this name stands twice.".to_owned())
        );
    }

    #[test]
    fn somebody_unknown_is_checked_against_somebody_elses_hash() {
        let users = Users::parse(&format!("[[users]]\nname = \"a\"\npassword = \"{HASH}\"\n")).unwrap();
        let (known, display_name) = users.candidate("a").unwrap();
        assert_eq!(display_name.as_deref(), Some("a"));
        assert_eq!(users.candidate("b"), Some((known, None)));
        assert_eq!(Users::parse("").unwrap().candidate("a"), None);
    }
}
