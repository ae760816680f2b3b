//! `linkgate consumer add`: a consumer that the configuration does not name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use ipnet::IpNet;

use crate::cli::config::ConfigFile;
use crate::clock::Clock;
use crate::model::{Consumer, ConsumerSource};
use crate::oauth::{
    Callback, CallbackPattern, ConsumerKey, PublicKey, PublicUrl, Secret, SignatureMethod, Token,
    VerificationKey,
};
use crate::server::store::open_existing;

use super::parse_key;

/// What the new consumer is and may.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Add {
    /// The consumer key, as the consumer has it
    #[arg(value_parser = parse_key)]
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
    #[arg(long = "callback", value_name = "URL", value_parser = CallbackPattern::parse)]
    callbacks: Vec<CallbackPattern>,
    /// Used when it names no callback
    #[arg(long, value_name = "URL", value_parser = parse_callback)]
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

/// What it signs with. A secret never stands on the command line, where every user of the machine could read it.
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

const EXAMPLES: &str = "\
Examples:
  linkgate consumer add Stash:8277239845 --name Bitbucket --public-key-file bitbucket.pem \\
      --callback https://bitbucket.example.com --two-legged --impersonation
  linkgate consumer add bitbucket-form --name Bitbucket --generate-secret \\
      --callback https://bitbucket.example.com
  linkgate consumer add ci --shared-secret-file - < secret.txt";

impl Add {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        ensure!(
            !config.consumers.iter().any(|consumer| consumer.key == self.key),
            "{} is in {} already, and only changed there",
            self.key,
            self.config.path.display()
        );
        let urls = [&config.server.public_url]
            .into_iter()
            .chain(&config.server.public_urls);
        let is_secure = urls.into_iter().all(PublicUrl::is_secure);
        let made = self.proof.generate_secret;
        let consumer = self.into_consumer(is_secure)?;
        let store = open_existing(&config).await?;
        let outcome = store.add_consumer(&consumer, Clock::System.now()).await;
        store.close().await;
        outcome?;
        let mut text = format!(
            "{} is registered; a running linkgate knows it within seconds\n",
            consumer.key
        );
        if let (true, [VerificationKey::Hmac(secret)]) = (made, consumer.keys.as_slice()) {
            text = format!("{text}its shared secret, shown this once: {}\n", secret.expose());
        }
        crate::cli::print(&text)
    }

    fn into_consumer(self, is_secure: bool) -> anyhow::Result<Consumer> {
        let keys = self.proof.keys()?;
        let methods = methods(self.methods, &keys, is_secure)?;
        if let Some(Callback::Url(url)) = &self.default_callback {
            let allowed = self.callbacks.iter().any(|pattern| pattern.allows(url));
            ensure!(allowed, "--default-callback is none that --callback allows");
        }
        Ok(Consumer {
            name: self.name.unwrap_or_else(|| self.key.to_string()),
            key: self.key,
            keys,
            methods,
            callbacks: self.callbacks,
            default_callback: self.default_callback,
            two_legged: self.two_legged,
            two_legged_user: self.two_legged_user,
            impersonation: self.impersonation,
            session_handles: !self.no_session_handles,
            require_body_hash: self.require_body_hash,
            addresses: self.addresses,
            enabled: !self.disabled,
            source: ConsumerSource::Command,
        })
    }
}

impl Proof {
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line is where randomness comes from"
    )]
    fn keys(&self) -> anyhow::Result<Vec<VerificationKey>> {
        if self.generate_secret {
            let random = Token::generate("", &mut rand::rng());
            return Ok(vec![VerificationKey::Hmac(Secret::new(random.as_str()))]);
        }
        if let Some(file) = &self.shared_secret_file {
            let text = zeroize::Zeroizing::new(read(file)?);
            let secret = text.trim_end_matches(['\r', '\n']);
            ensure!(
                !secret.is_empty(),
                "the shared secret in {} is empty",
                file.display()
            );
            return Ok(vec![VerificationKey::Hmac(Secret::new(secret))]);
        }
        let pasted = self
            .public_key
            .iter()
            .map(|text| PublicKey::read(text).context("--public-key cannot be used"));
        let in_files = self.public_key_files.iter().map(|file| {
            let text = read(file)?;
            PublicKey::read(&text).with_context(|| format!("{} cannot be used", file.display()))
        });
        pasted
            .chain(in_files)
            .map(|key| Ok(VerificationKey::Rsa(warned(key?))))
            .collect()
    }
}

fn warned(key: PublicKey) -> PublicKey {
    for warning in key.warnings_at(Clock::System.now()) {
        eprintln!("warning: {warning}");
    }
    key
}

fn methods(
    given: Vec<SignatureMethod>,
    keys: &[VerificationKey],
    is_secure: bool,
) -> anyhow::Result<BTreeSet<SignatureMethod>> {
    let is_rsa = keys.iter().any(|key| matches!(key, VerificationKey::Rsa(_)));
    let usual = if is_rsa {
        SignatureMethod::RsaSha1
    } else {
        SignatureMethod::HmacSha1
    };
    for method in &given {
        if method.is_rsa() != is_rsa {
            bail!(
                "{} does not go with this kind of key; {} does",
                method.name(),
                usual.name()
            );
        }
        if *method == SignatureMethod::Plaintext && !is_secure {
            bail!("PLAINTEXT sends the secret itself, and a public URL is http");
        }
    }
    Ok(if given.is_empty() {
        BTreeSet::from([usual])
    } else {
        given.into_iter().collect()
    })
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        return std::io::read_to_string(std::io::stdin()).context("standard input cannot be read");
    }
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn parse_method(text: &str) -> Result<SignatureMethod, String> {
    let names = SignatureMethod::ALL.map(SignatureMethod::name).join(", ");
    SignatureMethod::parse(text).ok_or_else(|| format!("one of {names}"))
}

fn parse_callback(text: &str) -> Result<Callback, String> {
    Callback::parse(text).map_err(|problem| problem.advice())
}

fn parse_network(text: &str) -> Result<IpNet, &'static str> {
    let single = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse()
        .or_else(|_| single())
        .map_err(|_| "an address or a network: 10.1.2.3 or 10.0.0.0/8")
}
