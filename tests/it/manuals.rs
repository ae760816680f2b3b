//! The README and the manuals: every key, code and title is explained, links lead somewhere, and the commands of the README work.
//!
//! `config::reference` loads the configurations that they show.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

use linkgate::oauth::Problem;
use strum::VariantNames as _;
use tempfile::TempDir;
use tokio::task::block_in_place;

use crate::support::{Browser, Credentials, Program, Running, code, reserved};

/// A page in Markdown.
pub(crate) struct Page {
    /// Its path from the root of the repository.
    pub(crate) name: String,
    text: String,
}

/// The README and all manuals.
pub(crate) fn manuals() -> Vec<Page> {
    let mut found = vec![PathBuf::from("README.md")];
    for folder in ["config", "tests", ".github"] {
        find_pages(Path::new(folder), &mut found);
    }
    assert!(found.len() >= 13, "{found:?}");
    let page = |path: PathBuf| Page {
        name: path.to_str().unwrap().to_owned(),
        text: fs::read_to_string(root().join(path)).unwrap(),
    };
    found.into_iter().map(page).collect()
}

fn find_pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() && !path.ends_with("node_modules") {
            find_pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

impl Page {
    fn of(name: &str) -> Self {
        let found = manuals().into_iter().find(|page| page.name == name);
        found.unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// The code blocks of a language, without the indentation of a list.
    pub(crate) fn blocks(&self, language: &str) -> Vec<String> {
        let (mut blocks, mut open) = (Vec::new(), None);
        for line in self.text.lines() {
            let indent = line.len() - line.trim_start().len();
            match &mut open {
                None if line.trim() == format!("```{language}") => open = Some((indent, String::new())),
                None => {}
                Some((_, block)) if line.trim() == "```" => {
                    blocks.push(std::mem::take(block));
                    open = None;
                }
                Some((outer, block)) => {
                    block.push_str(line.get(*outer..).unwrap_or_default());
                    block.push('\n');
                }
            }
        }
        blocks
    }

    /// The lines outside of code blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut in_code = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            in_code ^= is_fence;
            !in_code && !is_fence
        })
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let words = line.trim_start_matches('#').trim().to_lowercase();
                let kept = words
                    .chars()
                    .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
                kept.map(|c| if c == ' ' { '-' } else { c }).collect()
            })
            .collect()
    }

    /// Whether it names a key: in backquotes, or with a value in a code block.
    fn explains(&self, key: &str) -> bool {
        let is_set = |line: &str| line.trim_start().starts_with(&format!("{key} = "));
        self.text.contains(&format!("`{key}`")) || self.text.lines().any(is_set)
    }

    /// Whether a row of one of its tables begins with this cell.
    fn has_row(&self, cell: &str) -> bool {
        self.prose().any(|line| line.starts_with(&format!("| {cell} |")))
    }
}

#[test]
fn the_readme_is_short() {
    let words = Page::of("README.md").text.split_whitespace().count();
    assert!(words <= 2500, "{words} words");
}

#[test]
fn every_configuration_key_is_in_a_manual() {
    let reference = fs::read_to_string(root().join("config/linkgate.toml")).unwrap();
    let pages = manuals();
    let (mut section, mut keys) = ("", 0);
    for line in reference.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_start_matches('[').split(']').next().unwrap();
            continue;
        }
        let Some((key, _)) = line.trim_start_matches(['#', ' ']).split_once(" = ") else {
            continue;
        };
        if !key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            continue;
        }
        keys += 1;
        let is_known = |page: &Page| page.text.contains(&format!("[{section}]")) && page.explains(key);
        let explained = pages.iter().filter(|page| page.name.starts_with("config/"));
        assert!(
            explained.into_iter().any(is_known),
            "no manual explains {section}.{key}"
        );
    }
    assert!(keys > 90, "{keys}");
}

#[test]
fn every_error_is_in_the_manual() {
    let manual = Page::of("config/errors.md");
    let gateway = source("src/gateway/error.rs");
    let links = source("src/links/error.rs");
    let codes = |text: &str, is_code: fn(&str, &str) -> bool, least: usize| {
        let mut rest = text.split('"');
        let mut found = BTreeSet::new();
        // Outside of a literal, the literal, and what follows it.
        while let (Some(_), Some(literal)) = (rest.next(), rest.next()) {
            let after = rest.clone().next().unwrap_or_default();
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            if literal.bytes().all(is_word) && is_code(literal, after) {
                found.insert(literal.to_owned());
            }
        }
        assert!(found.len() >= least, "{found:?}");
        found
    };
    let gateway = codes(&gateway, |code, _| code.contains('_') || code == "internal", 22);
    let links = codes(&links, |_, after| after.starts_with(')'), 13);
    let codes = gateway.iter().chain(&links).map(String::as_str);
    for code in codes.chain(Problem::VARIANTS.iter().copied()) {
        assert!(manual.has_row(&format!("`{code}`")), "no row for {code}");
    }
}

#[test]
fn every_title_of_an_error_page_is_in_the_manual() {
    let manual = Page::of("config/errors.md");
    let texts = source("templates/i18n/en.ftl");
    let messages = texts.split("\nerror-").skip(1);
    let titles: Vec<_> = messages
        .map(|message| {
            let (_, title) = message.split_once(".title = ").unwrap();
            let title = title.lines().next().unwrap();
            title.replace("{ $", "{").replace(" }", "}")
        })
        .collect();
    assert!(titles.len() >= 39, "{titles:?}");
    for title in titles {
        assert!(manual.has_row(&title), "no row for {title}");
    }
}

#[test]
fn links_lead_somewhere() {
    let pages = manuals();
    let mut links = 0;
    for page in &pages {
        let targets = page.prose().flat_map(|line| line.split("](").skip(1));
        for target in targets.map(|rest| rest.split(')').next().unwrap()) {
            if target.contains("://") {
                continue;
            }
            links += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => PathBuf::from(&page.name),
                file => normal(&Path::new(&page.name).with_file_name("").join(file)),
            };
            assert!(root().join(&path).exists(), "{}: {target}", page.name);
            let aimed = pages.iter().find(|page| Path::new(&page.name) == path);
            let has_anchor = aimed.is_some_and(|page| page.anchors().contains(anchor));
            assert!(anchor.is_empty() || has_anchor, "{}: {target}", page.name);
        }
    }
    assert!(links > 60, "{links}");
}

#[test]
fn every_manual_is_named_in_the_readme() {
    let readme = Page::of("README.md");
    for page in manuals().iter().filter(|page| page.name.starts_with("config/")) {
        assert!(
            readme.text.contains(&format!("]({})", page.name)),
            "{}",
            page.name
        );
    }
}

#[test]
fn the_readme_shows_the_quick_start() {
    let quick_start = source("config/quickstart.toml");
    for block in Page::of("README.md").blocks("toml") {
        assert!(quick_start.contains(&block), "{block}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fifteen_minutes_end_with_an_answered_call() {
    let blocks = Page::of("README.md").blocks("sh");
    let [build, files, application, serve, call] = blocks.as_slice() else {
        panic!("the README has {} blocks of commands", blocks.len());
    };
    for (block, command) in [
        (application, "python3 application.py"),
        (serve, "linkgate serve"),
        (call, "python3 call.py"),
    ] {
        assert!(block.trim().ends_with(command), "{block}");
    }
    let home = tempfile::tempdir().unwrap();
    run(&format!("{build}{files}"), home.path());
    let folder = moved(&home.path().join("linkgate-try"));
    let inside = reserved();
    let _application = Python::start(folder.path(), &["application.py", &inside.port().to_string()]);
    let quick_start = fs::read_to_string(folder.path().join("linkgate.toml")).unwrap();
    let linkgate = Program::serve(folder, |address, admin| {
        let listen = format!("[server]\nlisten = \"{address}\"\nadmin_listen = \"{admin}\"");
        let text = quick_start.replace("127.0.0.1:9080", &address.to_string());
        text.replace("127.0.0.1:8080", &inside.to_string())
            .replace("[server]", &listen)
    });

    let mut call = Python::start(&linkgate.file(""), &["call.py", linkgate.base()]);
    let (_, token) = call.first_line.split_once("oauth_token=").unwrap();
    let token = Credentials {
        token: token.trim().to_owned(),
        secret: String::new(),
    };
    let mut browser = Browser::new(linkgate.address());
    let shown = browser.decide(&token, "alice", "approve").await;
    let (printed, is_done) = call.finish(&code(&shown));
    assert!(is_done, "{printed}{}", linkgate.log());
    assert!(printed.contains("\n200\nHello, alice."), "{printed}");
    assert!(printed.contains("Remote-User: alice\n"), "{printed}");
}

/// A running script of `config/examples/first-call`.
struct Python {
    child: Running,
    output: BufReader<ChildStdout>,
    first_line: String,
}

impl Python {
    /// Starts it, and waits for the first line that it prints.
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new("python3");
        command.args(arguments).current_dir(folder).stderr(Stdio::null());
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut first_line = String::new();
        block_in_place(|| output.read_line(&mut first_line)).unwrap();
        Self {
            child: Running(child),
            output,
            first_line,
        }
    }

    /// Answers its question; what else it prints, and whether it succeeds.
    fn finish(&mut self, answer: &str) -> (String, bool) {
        let mut input = self.child.0.stdin.take().unwrap();
        writeln!(input, "{answer}").unwrap();
        let mut printed = String::new();
        block_in_place(|| self.output.read_to_string(&mut printed)).unwrap();
        (printed, self.child.0.wait().unwrap().success())
    }
}

/// Runs the commands that need no other address, from the root of the repository, with the program of this build.
fn run(commands: &str, home: &Path) {
    let program = Path::new(env!("CARGO_BIN_EXE_linkgate")).parent().unwrap();
    let commands = commands.strip_prefix("cargo build\n").unwrap();
    let commands = commands.replace("$PWD/target/debug", program.to_str().unwrap());
    let mut shell = Command::new("sh");
    shell
        .args(["-ec", &commands])
        .env("HOME", home)
        .current_dir(root());
    let output = block_in_place(|| shell.output()).unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A temporary folder with the files of another.
fn moved(from: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::rename(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}

fn source(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
