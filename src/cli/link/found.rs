//! What another side shows of itself.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{Request, Response, StatusCode};

use crate::applinks::{ConsumerInfo, RemoteManifest};
use crate::http::client::Connector;
use crate::oauth::{ConsumerKey, PublicKey, PublicUrl};

/// What another side shows of itself.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) info: ConsumerInfo,
    pub(super) key: ConsumerKey,
    pub(super) public_key: PublicKey,
    /// What is remarkable, and no reason to refuse.
    pub(super) remarks: Vec<String>,
    pub(super) manifest: Option<RemoteManifest>,
}

impl Found {
    /// Fetches consumer-info, which must be there, and the manifest, which need not.
    pub(super) async fn fetch(connector: &Connector, url: &PublicUrl) -> anyhow::Result<Self> {
        let base = url.as_str();
        let consumer_info = format!("{base}/plugins/servlet/oauth/consumer-info");
        let document = fetch(connector, &consumer_info, "application/xml")
            .await
            .with_context(|| format!("{consumer_info} cannot be used"))?;
        let info = ConsumerInfo::parse(content_type(&document), document.body())
            .with_context(|| format!("{consumer_info} cannot be used"))?;
        let key = ConsumerKey::parse(&info.key)
            .ok_or_else(|| anyhow!("the consumer key in {consumer_info} is longer than any"))?;
        let public_key = PublicKey::parse(&info.public_key)
            .with_context(|| format!("the public key in {consumer_info} cannot be used"))?;
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
    Ok(RemoteManifest::parse(content_type(&document), document.body())?)
}

async fn fetch(connector: &Connector, url: &str, accept: &str) -> anyhow::Result<Response<Bytes>> {
    let request = Request::get(url).header(ACCEPT, accept).body(Bytes::new())?;
    let response = connector.fetch(request, TIMEOUT, MAX_DOCUMENT_BYTES).await?;
    match response.status() {
        StatusCode::OK => Ok(response),
        status if status.is_redirection() => {
            let location = response.headers().get(LOCATION);
            let location = location.and_then(|location| location.to_str().ok());
            let location: String = location.unwrap_or("nowhere").chars().take(200).collect();
            bail!(
                "it redirects to {location}, which is not followed: write the URL under which it answers itself"
            )
        }
        status => bail!("it answers {status}"),
    }
}

fn content_type(response: &Response<Bytes>) -> Option<&str> {
    response.headers().get(CONTENT_TYPE)?.to_str().ok()
}

/// The time for a document; remote applications wait as long for those of linkgate.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest document. Real ones have two or three thousand bytes.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
