//! The layers of the package: which module may import which, which `lib.rs` describes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Module by module, what it may import from this package. An arrow only points down.
const MAY_USE: &str = "
oauth:
characters:
network:
applinks: characters
setting:
branding: setting
model: oauth
clock: oauth
telemetry:
blocking:
tls: oauth setting
http: network telemetry tls
store: applinks model oauth setting
login: blocking model oauth clock http setting tls
provider: network characters blocking store model oauth clock setting
gateway: provider model oauth clock http setting tls
links: blocking gateway applinks store model oauth clock http setting tls
config: links gateway login provider store branding applinks model oauth setting telemetry tls
web: characters applinks branding links gateway provider login model oauth clock http telemetry tls
server: config web applinks links gateway provider login store oauth clock http telemetry tls
demo: server config store oauth clock http telemetry
cli: characters config demo server web applinks links login store model oauth clock http setting telemetry tls
";

/// What the pure folders must not name.
const IMPURE: &[&str] = &[
    "tokio",
    "axum",
    "sqlx",
    "tracing",
    "std::time",
    "SystemTime",
    "rand::rng",
    "std::fs",
    "std::net::Tcp",
];

#[test]
fn every_import_points_down() {
    let lines = MAY_USE.lines().filter_map(|line| line.split_once(':'));
    let allowed: BTreeMap<&str, Vec<&str>> = lines
        .map(|(module, used)| (module, used.split_whitespace().collect()))
        .collect();
    let mut broken = Vec::new();
    for file in sources() {
        let room = room_of(&file);
        let text = fs::read_to_string(&file).expect("a source file can be read");
        if room == "lib" || room == "main" {
            continue;
        }
        let may = allowed
            .get(room.as_str())
            .unwrap_or_else(|| panic!("{room} has no place in MAY_USE"));
        for used in uses(&text) {
            if used != room && !may.contains(&used.as_str()) {
                broken.push(format!("{} uses crate::{used}", file.display()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "these imports point up or sideways:\n{}",
        broken.join("\n")
    );
}

#[test]
fn pure_folders_stay_pure() {
    let mut broken = Vec::new();
    for file in sources() {
        if !["oauth", "model", "applinks", "branding"].contains(&room_of(&file).as_str()) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file can be read");
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for word in IMPURE.iter().filter(|word| line.contains(**word)) {
                broken.push(format!("{} names {word}: {}", file.display(), line.trim()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "pure code names impure things:\n{}",
        broken.join("\n")
    );
}

#[test]
fn only_the_commands_and_the_server_read_the_configuration() {
    let readers: Vec<_> = sources()
        .into_iter()
        .filter(|file| !["config", "cli", "demo", "server", "lib", "main"].contains(&room_of(file).as_str()))
        .filter(|file| {
            uses(&fs::read_to_string(file).expect("a source file can be read")).contains(&"config".to_owned())
        })
        .collect();
    assert!(readers.is_empty(), "these read the configuration: {readers:?}");
}

/// Words in comments that name no actor, and metaphors.
const BANNED: &[&str] = &[
    "nobody",
    "whoever",
    "somebody",
    "stranger",
    "dance",
    "trip",
    "conversation",
    "lane",
    "ear",
    "door",
];

#[test]
fn comments_name_their_actors() {
    let mut found = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).expect("a source file can be read");
        for line in text.lines().filter(|line| line.trim_start().starts_with("//")) {
            let mut words = line.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
            if words.any(|word| BANNED.contains(&&*word)) {
                found.push(format!("{}: {}", file.display(), line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "write who does what:\n{}", found.join("\n"));
}

#[test]
fn a_type_name_is_unique() {
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in sources() {
        let text = fs::read_to_string(&file).expect("a source file can be read");
        for line in text.lines().filter(|line| line.starts_with("pub")) {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words.any(|word| ["struct", "enum", "trait", "type"].contains(&word)) {
                let name = words.next().unwrap_or_default().to_owned();
                files.entry(name).or_default().push(file.clone());
            }
        }
    }
    files.retain(|_, files| files.len() > 1);
    assert!(files.is_empty(), "one name, several types: {files:#?}");
}

/// A folder's `mod.rs` names its files and is named by them: a circle is one of other files.
#[test]
fn files_do_not_import_each_other_in_circles() {
    let files: BTreeMap<Vec<String>, PathBuf> = sources()
        .into_iter()
        .map(|file| (module_of(&file), file))
        .collect();
    let mut imports: BTreeMap<&[String], Vec<&[String]>> = BTreeMap::new();
    for (module, file) in &files {
        let text = fs::read_to_string(file).expect("a source file can be read");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let imported = imported_modules(text, module).into_iter().filter_map(|path| {
            let found = (1..=path.len())
                .rev()
                .find_map(|length| files.get_key_value(&path[..length]));
            found
                .filter(|(_, file)| !file.ends_with("mod.rs"))
                .map(|(module, _)| &**module)
        });
        imports.insert(module, imported.filter(|other| other != module).collect());
    }
    // What imports nothing that is left can be in no circle.
    loop {
        let left: Vec<_> = imports.keys().copied().collect();
        imports.retain(|_, imported| {
            imported.retain(|module| left.contains(module));
            !imported.is_empty()
        });
        if imports.len() == left.len() {
            break;
        }
    }
    assert!(
        imports.is_empty(),
        "these files are in circles, or import such: {:#?}",
        imports.keys()
    );
}

/// The module of a file below `src`.
fn module_of(file: &Path) -> Vec<String> {
    let inside = file
        .strip_prefix(root().join("src"))
        .expect("a source file stands under src");
    let inside = inside.with_extension("");
    let names = inside.iter().map(|name| name.to_string_lossy().into_owned());
    names
        .filter(|name| !["mod", "lib", "main"].contains(&&**name))
        .collect()
}

/// The paths that `use` names, each from the root of the package.
fn imported_modules(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let uses = text
        .split(';')
        .filter_map(|item| item.rsplit_once("use ").map(|(_, path)| path));
    let mut found = Vec::new();
    for path in uses {
        // `a::{b, c::{d, e}}` names a::b, a::c::d and a::c::e.
        let mut prefixes = vec![Vec::new()];
        let mut current: Vec<String> = Vec::new();
        for word in path
            .replace("::", " :: ")
            .replace('{', " { ")
            .replace('}', " } ")
            .replace(',', " , ")
            .split_whitespace()
        {
            match word {
                "::" => {}
                "{" => prefixes.push(current.clone()),
                "}" => drop(prefixes.pop()),
                "," => current = prefixes.last().cloned().unwrap_or_default(),
                name => current.push(name.to_owned()),
            }
            found.push(current.clone());
        }
    }
    found
        .into_iter()
        .filter_map(|path| absolute(&path, module))
        .collect()
}

fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "super" => {
            let up = path.iter().take_while(|name| *name == "super").count();
            let parent = module.get(..module.len().checked_sub(up)?)?;
            Some([parent, &path[up..]].concat())
        }
        _ => None,
    }
}

/// The first path segment after `crate::`, wherever it stands in a line of code.
fn uses(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| {
            line.split("crate::")
                .skip(1)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// The folder, or the file, directly under `src`.
fn room_of(file: &Path) -> String {
    let inside = file
        .strip_prefix(root().join("src"))
        .expect("a source file stands under src");
    let first = inside.components().next().expect("a file has a name");
    Path::new(first.as_os_str())
        .file_stem()
        .expect("a room has a name")
        .to_string_lossy()
        .into_owned()
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join("src")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("src can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 20, "the walk found the sources");
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
