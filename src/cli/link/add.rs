//! `linkgate link add`: another side's key, from its consumer-info into the configuration.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use tempfile::NamedTempFile;

use crate::clock::Clock;
use crate::config::Config;
use crate::http::client::Connector;
use crate::links::connector;
use crate::oauth::{PublicUrl, VerificationKey};
use crate::setting::FromFile;
use crate::tls::Roots;

use super::super::config::ConfigFile;
use super::super::{print, read};
use super::inspect::{Found, instructions};

/// Fetch another side's key, show it, and write it into the configuration
#[derive(Args, Debug)]
#[command(after_help = super::EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(in crate::cli) struct AddLink {
    /// Its base URL
    #[arg(value_parser = parse_url)]
    url: PublicUrl,
    /// Write it without asking
    #[arg(long)]
    yes: bool,
    /// Let it call as itself
    #[arg(long)]
    two_legged: bool,
    /// Let it name a user in such calls
    #[arg(long, requires = "two_legged")]
    impersonation: bool,
    /// Where its users may return, if not to its base URL; can be repeated
    #[arg(long = "callback", value_name = "URL")]
    callbacks: Vec<String>,
    /// Let the application call it, too: write an entry of `[[links]]`
    #[arg(long)]
    outgoing: bool,
    /// The name of that entry
    #[arg(long, value_name = "NAME", default_value = "bitbucket")]
    name: String,
    /// The issuers of its certificate, PEM; otherwise the operating system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFile,
}

impl AddLink {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let found = Found::fetch(&self.connector()?, &self.url).await?;
        print(&described(&found, &self.url))?;
        let known = is_known(&config, &found)?;
        let linked = config.links.iter().any(|link| link.url == self.url);
        let mut entries = String::new();
        if !known {
            entries.push_str(&self.consumer(&found));
        }
        if self.outgoing && !linked {
            ensure!(config.applinks.keys().next().is_some(), NO_KEY);
            entries.push_str(&self.link(&found)?);
        }
        if entries.is_empty() {
            print("It is in the configuration already, with this key. Nothing was changed.\n\n")?;
        } else {
            let file = &self.config.path;
            print(&format!("This is written to {}:\n\n{entries}\n", file.display()))?;
            ensure!(self.yes || confirmed()?, "nothing was written");
            append(file, &entries)?;
            print("Written. Restart linkgate; for a consumer alone a SIGHUP is enough.\n\n")?;
        }
        print(&instructions(&self.config.load()?))
    }

    fn connector(&self) -> anyhow::Result<Connector> {
        let roots = |path: &PathBuf| -> anyhow::Result<_> {
            let pem = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
            let content = Roots::parse(&pem).with_context(|| format!("{} cannot be used", path.display()))?;
            let path = path.clone();
            Ok(FromFile { path, content })
        };
        let roots = self.ca_file.as_ref().map(roots).transpose()?;
        Ok(connector(roots.as_ref(), Duration::from_secs(5))?)
    }

    fn consumer(&self, found: &Found) -> String {
        let callbacks = match self.callbacks.as_slice() {
            [] => vec![self.url.origin().to_owned()],
            given => given.to_vec(),
        };
        let mut entry = format!(
            "# {url}, {fingerprint}\n[[consumers]]\nkey = {key}\nname = {name}\npublic_key = {public_key}\n\
             callbacks = {callbacks}\n",
            url = self.url.as_str(),
            fingerprint = found.public_key.fingerprint(),
            key = toml(&*found.info.key),
            name = toml(&*found.info.name),
            public_key = toml(found.public_key.to_base64()),
            callbacks = toml(callbacks),
        );
        for (switch, key) in [
            (self.two_legged, "two_legged"),
            (self.impersonation, "impersonation"),
        ] {
            if switch {
                let _ = writeln!(entry, "{key} = true");
            }
        }
        entry
    }

    fn link(&self, found: &Found) -> anyhow::Result<String> {
        let mut entry = format!(
            "\n[[links]]\nname = {}\ntitle = {}\nurl = {}\n",
            toml(&*self.name),
            toml(&*found.info.name),
            toml(self.url.as_str())
        );
        if let Some(file) = &self.ca_file {
            let file = std::path::absolute(file)?;
            let _ = writeln!(entry, "ca_file = {}", toml(file.display().to_string()));
        }
        Ok(entry)
    }
}

/// Whether the configuration has this consumer with this key. Another key is reported, and never overwritten: another server
/// may have answered.
fn is_known(config: &Config, found: &Found) -> anyhow::Result<bool> {
    let Some(consumer) = config.consumers.iter().find(|consumer| consumer.key == found.key) else {
        return Ok(false);
    };
    let key = VerificationKey::Rsa(found.public_key.clone());
    if consumer.keys.contains(&key) {
        return Ok(true);
    }
    let ours = consumer.keys.iter().map(|key| match key {
        VerificationKey::Rsa(key) => key.fingerprint(),
        VerificationKey::Hmac(_) => "a shared secret".to_owned(),
    });
    bail!(
        "the consumer {} is registered with another key: it shows {}, and the configuration has {}.\n\
         Nothing was changed. Ask its administrator whether the key was changed. If it was, write both into its entry:\n\n\
         public_keys = [{{ pem = {} }}, ...the one that is there]\n",
        found.key,
        found.public_key.fingerprint(),
        ours.collect::<Vec<_>>().join(", "),
        toml(found.public_key.to_base64()),
    );
}

fn described(found: &Found, url: &PublicUrl) -> String {
    let (info, public_key) = (&found.info, &found.public_key);
    let mut lines = vec![url.as_str().to_owned()];
    lines.extend(found.manifest.as_ref().map(|manifest| {
        let version = manifest.version.as_deref().unwrap_or("of unknown version");
        format!(
            "  application   {} ({} {version})",
            manifest.name, manifest.type_id
        )
    }));
    lines.push(format!("  name          {}", info.name));
    lines.push(format!("  consumer key  {}", info.key));
    lines.push(format!("  public key    RSA, {} bits", public_key.bits()));
    lines.push(format!("  fingerprint   {}", public_key.fingerprint()));
    let mut note = |text: &str| lines.push(format!("  note          {text}"));
    if !url.is_secure() {
        note("it came over http: compare the fingerprint with its administrator");
    }
    if public_key.bits() < 2048 {
        note("the key is short: ask for one of 2048 bits or more");
    }
    found.remarks.iter().for_each(|remark| note(remark));
    lines.join("\n") + "\n\n"
}

/// A value as TOML writes it.
fn toml(value: impl Into<toml::Value>) -> String {
    value.into().to_string()
}

/// Puts entries at the end of a file, at once or not at all. A configuration that would not work is not written.
fn append(file: &Path, entries: &str) -> anyhow::Result<()> {
    let file = fs::canonicalize(file).with_context(|| format!("{} cannot be found", file.display()))?;
    let before = read(&file)?;
    let mode = fs::metadata(&file)?.permissions().mode() & 0o777;
    let cannot = || format!("{} cannot be replaced", file.display());
    let directory = file.parent().unwrap_or(Path::new("/"));
    let mut draft = NamedTempFile::new_in(directory).with_context(cannot)?;
    write!(draft, "{}\n\n{entries}", before.trim_end()).with_context(cannot)?;
    fs::set_permissions(draft.path(), Permissions::from_mode(mode)).with_context(cannot)?;
    draft.as_file().sync_all().with_context(cannot)?;
    if let Err(error) = Config::load(draft.path(), std::env::vars_os(), Clock::System.now()) {
        let [draft, file] = [draft.path(), &file].map(|path| path.display().to_string());
        let said = error.to_string().replace(&draft, &file);
        bail!("nothing was written, because it would not work:\n{said}");
    }
    if fs::read_to_string(&file)? != before {
        bail!("{} was changed meanwhile; nothing was written", file.display());
    }
    draft.persist(&file).with_context(cannot)?;
    Ok(())
}

fn confirmed() -> anyhow::Result<bool> {
    let mut stdout = std::io::stdout();
    write!(stdout, "Write it? [y/N] ").and_then(|()| stdout.flush())?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .context("the answer cannot be read; use --yes in scripts")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn parse_url(text: &str) -> anyhow::Result<PublicUrl> {
    PublicUrl::parse(text).map_err(|why| anyhow!(why))
}

const NO_KEY: &str = "linkgate has no key of its own to sign with. Make one, and what the application shows:\n\n\
    linkgate key generate --rsa --out link.pem\n    openssl rand -hex 24 > links.token; chmod 600 links.token\n\n\
and write into the configuration:\n\n    [applinks]\n    key_file = \"link.pem\"\n    token_file = \"links.token\"\n";
