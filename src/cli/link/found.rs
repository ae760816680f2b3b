//! What another side shows of itself.

use anyhow::{Context, anyhow};

use crate::applinks::{ConsumerInfo, PeerManifest};
use crate::links::Client;
use crate::oauth::{ConsumerKey, PublicKey, PublicUrl};

/// What another side shows of itself.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) info: ConsumerInfo,
    pub(super) key: ConsumerKey,
    pub(super) public_key: PublicKey,
    /// What is remarkable, and no reason to refuse.
    pub(super) remarks: Vec<String>,
    pub(super) manifest: Option<PeerManifest>,
}

impl Found {
    /// Fetches consumer-info, which must be there, and the manifest, which need not.
    pub(super) async fn at(client: &Client, url: &PublicUrl) -> anyhow::Result<Self> {
        let base = url.as_str();
        let consumer_info = format!("{base}/plugins/servlet/oauth/consumer-info");
        let fetched = client
            .fetch(&consumer_info, "application/xml")
            .await
            .with_context(|| format!("{consumer_info} cannot be used"))?;
        let info = ConsumerInfo::read(fetched.content_type(), &fetched.body)
            .with_context(|| format!("{consumer_info} cannot be used"))?;
        let key = ConsumerKey::parse(&info.key)
            .ok_or_else(|| anyhow!("the consumer key in {consumer_info} is longer than any"))?;
        let public_key = PublicKey::read(&info.public_key)
            .with_context(|| format!("the public key in {consumer_info} cannot be used"))?;
        let mut remarks = Vec::new();
        let manifest = match manifest(client, base).await {
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

async fn manifest(client: &Client, base: &str) -> anyhow::Result<PeerManifest> {
    let url = format!("{base}/rest/applinks/1.0/manifest");
    let fetched = client
        .fetch(&url, "application/json, application/xml;q=0.9")
        .await?;
    Ok(PeerManifest::read(fetched.content_type(), &fetched.body)?)
}
