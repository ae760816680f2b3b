//! `linkgate link add | list | show | check`: other sides, as the administrator of this one sees them.

mod add;

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use clap::Subcommand;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderName, Request, Response, StatusCode};
use unicode_security::{RestrictionLevel, RestrictionLevelDetection as _, skeleton};

use crate::applinks::{ConsumerInfo, RemoteManifest};
use crate::clock::Clock;
use crate::config::{Config, ListenAt};
use crate::http::client::Connector;
use crate::links::{Link, LinkConfig, Links, Users, connector};
use crate::oauth::{ConsumerKey, PrivateKey, PublicKey, PublicUrl, VerificationKey};
use crate::server::links;
use crate::server::store::with_store;
use crate::store::Store;

use super::config::ConfigFile;
use super::output::{cell, format_time, table, yes_or_no};
use super::print;

/// Links to other sides
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  linkgate link add https://bitbucket.example.com              Bitbucket may call us
  linkgate link add https://bitbucket.example.com --outgoing   and the application may call Bitbucket
  linkgate link show
  linkgate link list
  linkgate link check")]
pub(super) enum LinkCommand {
    /// Fetch another side's key, show it, and write it into the configuration
    Add(Box<add::AddLink>),
    /// List the links, and how their last calls went
    List(ConfigFile),
    /// Print what to enter at the other side, field by field
    Show(ConfigFile),
    /// Ask every other side whether it is there, which key it has, what time it is, and whether it knows us
    Check(ConfigFile),
}

impl LinkCommand {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run().await,
            Self::List(config) => list(config).await,
            Self::Show(config) => print(&instructions(&config.load()?)),
            Self::Check(config) => check(config).await,
        }
    }
}

/// Lists the links, and how their last calls went.
async fn list(config: ConfigFile) -> anyhow::Result<()> {
    let config = config.load()?;
    if config.links.is_empty() {
        return print("There are no links: `linkgate link add URL --outgoing` makes one.\n");
    }
    let (states, connections) = with_store(&config, async |store| {
        Ok((store.link_states().await?, store.link_connections(None).await?))
    })
    .await?;
    let rows = config.links.iter().map(|link| {
        let state = states.get(&link.name).cloned().unwrap_or_default();
        let connected = connections.iter().filter(|kept| kept.link == link.name).count();
        let problem = |(at, why)| format!("{} {why}", format_time(at));
        [
            link.name.clone(),
            link.url.as_str().to_owned(),
            <&str>::from(link.users).to_owned(),
            yes_or_no(link.itself),
            connected.to_string(),
            cell(state.reached_at.map(format_time)),
            cell(state.clock_difference.map(|ahead| format!("{ahead:+} s"))),
            cell(state.success_at.map(format_time)),
            cell(state.problem.map(problem)),
        ]
    });
    let headings = [
        "name",
        "url",
        "users",
        "itself",
        "connected",
        "reached",
        "clock",
        "last success",
        "last problem",
    ];
    print(&table(headings, rows))
}

/// What to enter at Bitbucket, for both directions as far as they are configured.
fn instructions(config: &Config) -> String {
    let mut text = outgoing(config);
    for link in &config.links {
        text.push_str(&incoming(config, link));
    }
    if !config.links.is_empty() {
        let at = match &config.applinks.listen {
            ListenAt::Tcp(address) => format!("http://{address}"),
            ListenAt::Unix(path) => format!("the socket {}", path.display()),
        };
        let _ = writeln!(
            text,
            "The application calls {at}/NAME/..., with Authorization: Bearer and the token of [applinks],\n\
             and X-Linkgate-User for whom."
        );
    }
    text
}

fn outgoing(config: &Config) -> String {
    let (url, name) = (&config.server.public_url, &config.branding.name);
    let fields = if config.applinks.consumer_info {
        format!(
            "  Application URL              {url}
  Outgoing authentication      OAuth: Bitbucket signs with its own key, nothing else to enter
",
            url = url.as_str(),
        )
    } else {
        format!(
            "  Application URL              {origin}
  Application Name             {name}
  Application Type             Generic Application
  Service Provider Name        {name}
  Consumer Key, Shared secret  of a [[consumers]] entry with a shared_secret
  Request Token URL            {own}/request-token
  Access Token URL             {own}/access-token
  Authorize URL                {own}/authorize
",
            origin = url.origin(),
            own = config.server.own_url("/oauth"),
        )
    };
    format!(
        "On Bitbucket: Administration > Application Links > Create link, type Atlassian product\n\n\
         Outgoing, so that Bitbucket calls {name}:\n{fields}"
    )
}

fn incoming(config: &Config, link: &LinkConfig) -> String {
    let key = config.applinks.keys().next().map(PrivateKey::public_key);
    let impersonate = link.users == Users::Impersonate;
    format!(
        "
On {url}, incoming, so that {name} calls it (link \"{link}\"):
  Consumer Key                 {consumer_key}
  Consumer Name                {name}
  Public Key                   {public_key}
  Consumer Callback URL        {own}/links/{link}/callback
  Allow 2-Legged OAuth         {two_legged}
  Allow user impersonation     {impersonation}
  (fingerprint, to compare)    {fingerprint}

",
        url = link.url.as_str(),
        name = config.branding.name,
        link = link.name,
        consumer_key = cell(config.applinks.consumer_key.as_ref()),
        public_key = cell(key.as_ref().map(PublicKey::to_base64)),
        own = config.server.own_url("/oauth"),
        two_legged = yes_or_no(link.itself || impersonate),
        impersonation = yes_or_no(impersonate),
        fingerprint = cell(key.as_ref().map(PublicKey::fingerprint)),
    )
}

/// Asks every remote application.
async fn check(config: ConfigFile) -> anyhow::Result<()> {
    let config = config.load()?;
    let failed = with_store(&config, async |store| check_links(&config, store).await).await?;
    if failed > 0 {
        bail!("{failed} of {} links do not work", config.links.len());
    }
    Ok(())
}

/// Returns how many do not work.
async fn check_links(config: &Config, store: &Store) -> anyhow::Result<usize> {
    let links = links::links(config, store, &Clock::System)?;
    if let Some(fingerprint) = links.identity.fingerprint() {
        let key = &links.identity.consumer_key;
        print(&format!("We are {key} with the key {fingerprint}\n"))?;
    }
    let mut failed = 0;
    for (link, configured) in links.all.iter().zip(&config.links) {
        let connector = connector(configured.ca_file.as_ref(), configured.connect_timeout)?;
        let mut text = format!("{} {}\n", link.name(), link.config.url.as_str());
        match Found::fetch(&connector, &link.config.url).await {
            Ok(found) => {
                let fingerprint = found.public_key.fingerprint();
                let _ = writeln!(text, "  ok      it is there; its key is {fingerprint}");
                if let Some(why) = unregistered(config, &found) {
                    let _ = writeln!(text, "  note    {why}");
                }
            }
            Err(error) => {
                let _ = writeln!(text, "  note    its consumer-info says nothing: {error:#}");
            }
        }
        failed += usize::from(!check_credentials(&links, link, &mut text).await);
        print(&text)?;
    }
    Ok(failed)
}

/// Whether the remote application knows linkgate's key; its response is written to `text`.
async fn check_credentials(links: &Links, link: &Link, text: &mut String) -> bool {
    let outcome = links.test_credentials(link).await;
    let states = links.states().await.unwrap_or_default();
    let state = states.get(link.name());
    if let Some(difference) = state.and_then(|state| state.clock_difference) {
        let mark = if difference.abs() < 60 { "ok  " } else { "note" };
        let _ = writeln!(text, "  {mark}    its clock differs from ours by {difference} s");
    }
    match outcome {
        Ok(()) => {
            text.push_str("  ok      it knows our key: it gave us a request token\n");
            true
        }
        Err(error) => {
            let _ = writeln!(text, "  FAILED  {error}");
            false
        }
    }
}

/// What is to be said of the key that it shows.
fn unregistered(config: &Config, found: &Found) -> Option<String> {
    let consumer = config.consumers.iter().find(|consumer| consumer.key == found.key);
    let shown = VerificationKey::Rsa(found.public_key.clone());
    match consumer {
        None => Some(format!(
            "its consumer {} is not registered here: `linkgate link add` does it",
            found.key
        )),
        Some(consumer) if consumer.keys.contains(&shown) => None,
        Some(_) => Some(
            "it shows another key than the one that is registered here: `linkgate link add` says more"
                .to_owned(),
        ),
    }
}

/// What another side shows of itself.
#[derive(Debug)]
struct Found {
    info: ConsumerInfo,
    key: ConsumerKey,
    public_key: PublicKey,
    /// What is remarkable, and no reason to refuse.
    remarks: Vec<String>,
    manifest: Option<RemoteManifest>,
}

impl Found {
    /// Fetches consumer-info, which must be there, and the manifest, which need not.
    async fn fetch(connector: &Connector, url: &PublicUrl) -> anyhow::Result<Self> {
        let base = url.as_str();
        let consumer_info = format!("{base}/plugins/servlet/oauth/consumer-info");
        let unusable = |part: &str| format!("{part}{consumer_info} cannot be used");
        let document = fetch(connector, &consumer_info, "application/xml").await;
        let document = document.with_context(|| unusable(""))?;
        let info = ConsumerInfo::parse(header(&document, CONTENT_TYPE), document.body());
        let info = info.with_context(|| unusable(""))?;
        let key = ConsumerKey::parse(&info.key)
            .ok_or_else(|| anyhow!("the consumer key in {consumer_info} is longer than any"))?;
        let public_key = PublicKey::parse(&info.public_key);
        let public_key = public_key.with_context(|| unusable("the public key in "))?;
        readable(&info.name).with_context(|| unusable("the name in "))?;
        readable(&info.key).with_context(|| unusable("the consumer key in "))?;
        let mut remarks = Vec::new();
        let manifest = match manifest(connector, base).await {
            Ok(manifest) => Some(manifest),
            Err(why) => {
                remarks.push(format!("there is no manifest that could be used: {why:#}"));
                None
            }
        };
        let own = manifest.as_ref().and_then(|manifest| manifest.url.as_deref());
        if let Some(own) = own.filter(|own| PublicUrl::parse(own).ok().as_ref() != Some(url)) {
            remarks.push(format!("it calls itself {own}, which may be the URL to use"));
        }
        Ok(Self {
            info,
            key,
            public_key,
            remarks,
            manifest,
        })
    }
}

async fn manifest(connector: &Connector, base: &str) -> anyhow::Result<RemoteManifest> {
    let url = format!("{base}/rest/applinks/1.0/manifest");
    let document = fetch(connector, &url, "application/json, application/xml;q=0.9").await?;
    let manifest = RemoteManifest::parse(header(&document, CONTENT_TYPE), document.body())?;
    let optional = [&manifest.version, &manifest.url].into_iter().flatten();
    for text in [&manifest.name, &manifest.type_id].into_iter().chain(optional) {
        readable(text)?;
    }
    Ok(manifest)
}

/// Rejects a text that an administrator may take for another one: with invisible characters, with letters of several scripts
/// (Unicode Technical Standard 39, section 5.2, "highly restrictive"), or with foreign letters that all look like ASCII.
fn readable(text: &str) -> anyhow::Result<()> {
    let is_relevant = |c: &char| !c.is_ascii() || c.is_ascii_alphanumeric();
    let letters: String = text.chars().filter(is_relevant).collect();
    let is_foreign = !text.is_ascii() && skeleton(text).all(|c| c.is_ascii());
    if is_foreign || !letters.check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        let shown: String = text.chars().flat_map(char::escape_default).collect();
        bail!("\"{shown}\" has invisible or look-alike characters");
    }
    Ok(())
}

async fn fetch(connector: &Connector, url: &str, accept: &str) -> anyhow::Result<Response<Bytes>> {
    let request = Request::get(url).header(ACCEPT, accept).body(Bytes::new())?;
    let response = connector.fetch(request, TIMEOUT, MAX_DOCUMENT_BYTES).await?;
    match response.status() {
        StatusCode::OK => Ok(response),
        status if status.is_redirection() => {
            let location = header(&response, LOCATION).unwrap_or("nowhere");
            let location: String = location.chars().take(200).collect();
            bail!(
                "it redirects to {location}, which is not followed: write the URL under which it answers itself"
            )
        }
        status => bail!("it answers {status}"),
    }
}

fn header(response: &Response<Bytes>, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// The time for a document; remote applications wait as long for those of linkgate.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest document. Real ones have two or three thousand bytes.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
