//! Secrets: `x` or `x_file`, never both, decided while reading.

use crate::oauth::Secret;

use super::remark::Place;
use super::section::Section;

/// Reads a secret from `key` or from the file that `key_file` names, without the newline at its end.
///
/// A variable wins over the file's other spelling: `LINKGATE__STORE__PASSWORD` replaces a `password_file`.
pub(super) fn secret(section: &Section<'_>, key: &str) -> Option<Secret> {
    let file_key = format!("{key}_file");
    match (section.has(key), section.has(&file_key)) {
        (false, false) => None,
        (true, false) => section.get::<String>(key).map(Secret::new),
        (false, true) => from_file(section, &file_key),
        (true, true) => match (section.place_of(key), section.place_of(&file_key)) {
            (Place::Variable(_), Place::File(_) | Place::At { .. }) => {
                section.get::<String>(key).map(Secret::new)
            }
            (Place::File(_) | Place::At { .. }, Place::Variable(_)) => from_file(section, &file_key),
            _ => {
                let wrong = format!("{key} is given as well");
                section.wrong(&file_key, wrong, &format!("keep {key} or {file_key}, not both"));
                None
            }
        },
    }
}

/// As [`secret`], and remarks when neither is given.
pub(super) fn required_secret(section: &Section<'_>, key: &str, remedy: &str) -> Option<Secret> {
    let file_key = format!("{key}_file");
    if !section.has(key) {
        section.needs(&file_key, remedy);
    }
    secret(section, key)
}

fn from_file(section: &Section<'_>, file_key: &str) -> Option<Secret> {
    let text = section.file(file_key)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        section.wrong(
            file_key,
            "the file is empty",
            "write the secret into it, on one line",
        );
        return None;
    }
    Some(Secret::new(line))
}
