//! `linkgate link show`: what to enter at the other side, field by field.

use std::fmt::Write as _;

use crate::config::{Config, ListenAt};
use crate::links::{LinkConfig, Users};

use super::super::config::ConfigFile;
use super::super::print;

/// Runs the command.
pub(super) fn run(config: &ConfigFile) -> anyhow::Result<()> {
    print(&instructions(&config.load()?))
}

/// What to enter at Bitbucket, for both directions as far as they are configured.
pub(super) fn instructions(config: &Config) -> String {
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
    let (url, name) = (config.server.public_url.as_str(), &config.branding.name);
    let mut text = format!(
        "On Bitbucket: Administration > Application Links > Create link, type Atlassian product\n\n\
         Outgoing, so that Bitbucket calls {name}:\n"
    );
    let fields = if config.applinks.consumer_info {
        vec![
            ("Application URL", url.to_owned()),
            (
                "Outgoing authentication",
                "OAuth: Bitbucket signs with its own key, nothing else to enter".to_owned(),
            ),
        ]
    } else {
        vec![
            ("Application URL", config.server.public_url.origin().to_owned()),
            ("Application Name", name.clone()),
            ("Application Type", "Generic Application".to_owned()),
            ("Service Provider Name", name.clone()),
            (
                "Consumer Key, Shared secret",
                "of a [[consumers]] entry with a shared_secret".to_owned(),
            ),
            ("Request Token URL", format!("{url}/oauth/request-token")),
            ("Access Token URL", format!("{url}/oauth/access-token")),
            ("Authorize URL", format!("{url}/oauth/authorize")),
        ]
    };
    push(&mut text, &fields);
    text
}

fn incoming(config: &Config, link: &LinkConfig) -> String {
    let applinks = &config.applinks;
    let mut text = format!(
        "\nOn {}, incoming, so that {} calls it (link \"{}\"):\n",
        link.url.as_str(),
        config.branding.name,
        link.name
    );
    let key = applinks.keys().next().map(crate::oauth::PrivateKey::public_key);
    let callback = format!(
        "{}/oauth/links/{}/callback",
        config.server.public_url.as_str(),
        link.name
    );
    let impersonate = link.users == Users::Impersonate;
    let yes = |yes| if yes { "yes" } else { "no" }.to_owned();
    push(
        &mut text,
        &[
            (
                "Consumer Key",
                applinks
                    .consumer_key
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ),
            ("Consumer Name", config.branding.name.clone()),
            (
                "Public Key",
                key.as_ref()
                    .map(crate::oauth::PublicKey::to_base64)
                    .unwrap_or_default(),
            ),
            ("Consumer Callback URL", callback),
            ("Allow 2-Legged OAuth", yes(link.itself || impersonate)),
            ("Allow user impersonation", yes(impersonate)),
            (
                "(fingerprint, to compare)",
                key.map(|key| key.fingerprint()).unwrap_or_default(),
            ),
        ],
    );
    text.push('\n');
    text
}

fn push(text: &mut String, fields: &[(&str, String)]) {
    for (field, value) in fields {
        let _ = writeln!(text, "  {field:27}  {value}");
    }
}
