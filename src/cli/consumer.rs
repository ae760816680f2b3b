//! `linkgate consumer list | add | disable | enable | purge`: who may sign.
//!
//! What the configuration names is the configuration's: commands change only the others, and delete what the
//! configuration named once.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use clap::{Args, Subcommand};
use ipnet::IpNet;

use crate::clock::Clock;
use crate::config::{ConsumerConfig, PublicKeyConfig, parse_consumer_key, parse_public_key};
use crate::model::{Consumer, ConsumerSource};
use crate::oauth::{
    AllowedCallback, Callback, ConsumerKey, PublicKey, Secret, SignatureMethod, Token, VerificationKey,
};
use crate::server::store::with_store;
use crate::setting::parse_network;
use crate::store::Store;

use super::config::ConfigFile;
use super::output::{table, yes_or_no};
use super::print;

/// Consumers: who may sign
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  linkgate consumer list
  linkgate consumer add Stash:8277239845 --name Bitbucket --public-key-file bitbucket.pem \\
      --callback https://bitbucket.example.com
  linkgate consumer disable Stash:8277239845
  linkgate consumer enable Stash:8277239845
  linkgate consumer purge Stash:8277239845

A consumer that the configuration names is changed there.")]
pub(super) enum ConsumerCommand {
    /// List the consumers, those of the configuration too
    List(ConfigFile),
    /// Register a consumer
    Add(Box<AddConsumer>),
    /// Stop a consumer: it can do nothing, and keeps its tokens
    Disable(Named),
    /// Let a stopped consumer act again
    Enable(Named),
    /// Delete a consumer and all its tokens
    Purge(Named),
}

/// Which consumer.
#[derive(Args, Debug)]
pub(super) struct Named {
    /// The consumer key
    #[arg(value_parser = parse_consumer_key)]
    key: ConsumerKey,
    #[command(flatten)]
    config: ConfigFile,
}

/// What the new consumer is and may.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linkgate consumer add Stash:8277239845 --name Bitbucket --public-key-file bitbucket.pem \\
      --callback https://bitbucket.example.com --two-legged --impersonation
  linkgate consumer add bitbucket-form --name Bitbucket --generate-secret \\
      --callback https://bitbucket.example.com
  linkgate consumer add ci --shared-secret-file - < secret.txt")]
pub(super) struct AddConsumer {
    /// The consumer key, as the consumer has it
    #[arg(value_parser = parse_consumer_key)]
    key: ConsumerKey,
    /// The name to show to people; without it, the key
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    proof: Proof,
    /// A signature method that it may use; without it, HMAC-SHA1 or RSA-SHA1. Repeatable
    #[arg(long = "method", value_name = "METHOD", value_parser = parse_method)]
    methods: Vec<SignatureMethod>,
    /// Where its users may return: `https://host[:port][/path]`, `*` for any port. Repeatable; none: by a code to copy
    #[arg(long = "callback", value_name = "URL", value_parser = AllowedCallback::parse)]
    callbacks: Vec<AllowedCallback>,
    /// Used when it names no callback
    #[arg(long, value_name = "URL", value_parser = |text: &str| Callback::parse(text).map_err(|problem| problem.advice()))]
    default_callback: Option<Callback>,
    /// Let it call as itself
    #[arg(long)]
    two_legged: bool,
    /// Whom the application sees when it calls as itself
    #[arg(long, value_name = "USER", requires = "two_legged")]
    two_legged_user: Option<String>,
    /// Let it name a user in `xoauth_requestor_id`
    #[arg(long, requires = "two_legged")]
    impersonation: bool,
    /// Leave session handles and lifetimes out of access-token answers
    #[arg(long)]
    no_session_handles: bool,
    /// Refuse a body without `oauth_body_hash`
    #[arg(long)]
    require_body_hash: bool,
    /// An address or network that it may call from. Repeatable; none: any
    #[arg(long = "address", value_name = "NETWORK", value_parser = parse_network)]
    addresses: Vec<IpNet>,
    /// Register it without letting it act yet
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    config: ConfigFile,
}

/// What it signs with. A secret is never on the command line, where every user of the machine could read it.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Proof {
    /// A file with its RSA public key, `-` for standard input. Repeatable while a key is rotated
    #[arg(long = "public-key-file", value_name = "FILE")]
    public_key_files: Vec<PathBuf>,
    /// Its RSA public key, pasted
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// A file with the secret that it shares with us, `-` for standard input
    #[arg(long, value_name = "FILE")]
    shared_secret_file: Option<PathBuf>,
    /// Make a shared secret, and print it once
    #[arg(long)]
    generate_secret: bool,
}

impl ConsumerCommand {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(config) => list(config).await,
            Self::Add(add) => add.run().await,
            Self::Disable(named) => change(named, Change::Disable).await,
            Self::Enable(named) => change(named, Change::Enable).await,
            Self::Purge(named) => change(named, Change::Purge).await,
        }
    }
}

impl AddConsumer {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        ensure!(
            !config.consumers.iter().any(|consumer| consumer.key == self.key),
            "{} is in {} already, and only changed there",
            self.key,
            self.config.path.display()
        );
        let made = self.proof.generate_secret;
        let consumer = self.into_consumer(config.is_https_only())?;
        with_store(&config, async |store| {
            Ok(store.add_consumer(&consumer, Clock::System.now()).await?)
        })
        .await?;
        let mut text = format!(
            "{} is registered; a running linkgate knows it within seconds\n",
            consumer.key
        );
        if let (true, [VerificationKey::Hmac(secret)]) = (made, consumer.keys.as_slice()) {
            text = format!("{text}its shared secret, shown this once: {}\n", secret.expose());
        }
        print(&text)
    }

    /// The rules are those of the configuration.
    fn into_consumer(self, is_https_only: bool) -> anyhow::Result<Consumer> {
        let (public_keys, shared_secret) = self.proof.keys()?;
        let written = ConsumerConfig {
            key: self.key,
            name: self.name,
            public_key: None,
            public_key_file: None,
            public_keys,
            shared_secret,
            signature_methods: Some(self.methods).filter(|methods| !methods.is_empty()),
            callbacks: self.callbacks,
            default_callback: self.default_callback,
            two_legged: self.two_legged,
            two_legged_user: self.two_legged_user,
            impersonation: self.impersonation,
            session_handles: !self.no_session_handles,
            require_body_hash: self.require_body_hash,
            addresses: self.addresses,
            enabled: !self.disabled,
        };
        let mut refusal = None;
        let consumer = written.resolve(ConsumerSource::Command, is_https_only, |key, text| {
            refusal.get_or_insert(anyhow!("{key}: {}", text.replace('\n', "; ")));
        });
        refusal.map_or(Ok(consumer), Err)
    }
}

impl Proof {
    fn keys(&self) -> anyhow::Result<(Option<Vec<PublicKeyConfig>>, Option<Secret>)> {
        if self.generate_secret {
            let random = Token::generate("", &mut super::rng());
            return Ok((None, Some(Secret::new(random.as_str()))));
        }
        if let Some(file) = &self.shared_secret_file {
            let text = zeroize::Zeroizing::new(read(file)?);
            let secret = text.trim_end_matches(['\r', '\n']);
            ensure!(
                !secret.is_empty(),
                "the shared secret in {} is empty",
                file.display()
            );
            return Ok((None, Some(Secret::new(secret))));
        }
        let parse = |text: &str| parse_public_key(text).map_err(|why| anyhow!(why));
        let pasted = self.public_key.iter();
        let pasted = pasted.map(|text| parse(text).context("--public-key cannot be used"));
        let in_files = self.public_key_files.iter().map(|file| {
            let cannot = || format!("{} cannot be used", file.display());
            parse(&read(file)?).with_context(cannot)
        });
        let entry = |key: anyhow::Result<PublicKey>| {
            let pem = Some(warned(key?));
            Ok(PublicKeyConfig { file: None, pem })
        };
        let keys: anyhow::Result<_> = pasted.chain(in_files).map(entry).collect();
        Ok((Some(keys?), None))
    }
}

fn warned(key: PublicKey) -> PublicKey {
    for warning in key.warnings_at(Clock::System.now()) {
        eprintln!("warning: {warning}");
    }
    key
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        return std::io::read_to_string(std::io::stdin()).context("standard input cannot be read");
    }
    super::read(file)
}

fn parse_method(text: &str) -> Result<SignatureMethod, String> {
    let names = SignatureMethod::ALL.map(SignatureMethod::name).join(", ");
    text.parse().map_err(|_| format!("one of {names}"))
}

/// Lists what the store has, and what the configuration will put into it.
async fn list(config: ConfigFile) -> anyhow::Result<()> {
    let config = config.load()?;
    let stored = with_store(&config, async |store| Ok(store.consumers().await?)).await?;
    let configured = &config.consumers;
    let fingerprint = |key: &VerificationKey| match key {
        VerificationKey::Hmac(_) => "(shared secret)".to_owned(),
        VerificationKey::Rsa(key) => key.fingerprint(),
    };
    let row = |consumer: &Consumer, source: &str| {
        [
            consumer.key.to_string(),
            consumer.name.clone(),
            joined(consumer.methods.iter().map(|method| method.name())),
            joined(consumer.callbacks.iter().map(AllowedCallback::as_str)),
            source.to_owned(),
            yes_or_no(consumer.enabled),
            joined(consumer.keys.iter().map(fingerprint)),
        ]
    };
    let source = |consumer: &Consumer| match consumer.source {
        ConsumerSource::Command => "command",
        ConsumerSource::Config if configured.iter().any(|other| other.key == consumer.key) => "config",
        ConsumerSource::Config => "config, removed",
    };
    let known = stored.iter().map(|consumer| row(consumer, source(consumer)));
    let to_come = configured.iter().filter(|consumer| !stored.contains(consumer));
    let to_come = to_come.map(|consumer| row(consumer, "config, not loaded yet"));
    let headings = [
        "key",
        "name",
        "methods",
        "callbacks",
        "source",
        "enabled",
        "fingerprint",
    ];
    print(&table(headings, known.chain(to_come)))
}

fn joined<T: Into<String>>(words: impl Iterator<Item = T>) -> String {
    words.map(Into::into).collect::<Vec<_>>().join(" ")
}

/// What to do with a consumer.
#[derive(Clone, Copy)]
enum Change {
    Disable,
    Enable,
    Purge,
}

/// Changes a consumer, unless the configuration names it, which is the truth for it.
async fn change(Named { key, config: file }: Named, change: Change) -> anyhow::Result<()> {
    let config = file.load()?;
    let configured = config.consumers.iter().position(|consumer| consumer.key == key);
    if let Some(at) = configured {
        let remedy = match change {
            Change::Disable => "write enabled = false there, and reload linkgate (SIGHUP)",
            Change::Enable => "write enabled = true there, and reload linkgate (SIGHUP)",
            Change::Purge => "remove it there and reload linkgate (SIGHUP), which disables it; then purge it",
        };
        let file = file.path.display();
        bail!("{key} is consumers[{at}] of {file}, and only changed there: {remedy}");
    }
    let became = with_store(&config, async |store| apply(store, &key, change).await).await?;
    print(&format!("{key} {became}\n"))
}

async fn apply(store: &Store, key: &ConsumerKey, change: Change) -> anyhow::Result<&'static str> {
    let Some(consumer) = store.consumer(key).await? else {
        bail!("there is no consumer {key}; `linkgate consumer list` shows them");
    };
    let now = Clock::System.now();
    Ok(match change {
        Change::Enable if consumer.source == ConsumerSource::Config => bail!(
            "{key} was removed from the configuration; write it there again, or purge it and add it by command"
        ),
        Change::Enable if store.set_consumer_enabled(key, true, now).await? => "is enabled",
        Change::Enable => "was enabled before",
        Change::Disable if store.set_consumer_enabled(key, false, now).await? => {
            "is disabled; it keeps its tokens"
        }
        Change::Disable => "was disabled before",
        Change::Purge if store.purge_consumer(key, now).await? => "is deleted, with all its tokens",
        Change::Purge => "was deleted before",
    })
}
