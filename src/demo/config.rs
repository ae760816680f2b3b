//! The files that the real server is started with: a configuration like any installation's, two users, and a logo.

use std::io;
use std::path::{Path, PathBuf};

use crate::oauth::{ConsumerKey, PrivateKey, PublicKey, PublicUrl, Secret};

/// What differs from demo to demo.
#[derive(Debug)]
pub struct Files<'a> {
    /// Where consumers and browsers find linkgate; it listens there.
    pub linkgate: &'a PublicUrl,
    /// `host:port` of its second listener.
    pub admin: &'a str,
    /// Where Buildboard listens.
    pub buildboard: &'a PublicUrl,
    /// The simulated Bitbucket, where its users return.
    pub bitbucket: &'a PublicUrl,
    /// The store's URL.
    pub store: &'a str,
    /// The generic link's consumer key.
    pub form_key: &'a ConsumerKey,
    /// The generic link's shared secret.
    pub form_secret: &'a Secret,
    /// Bitbucket's own consumer key.
    pub own_key: &'a ConsumerKey,
    /// Bitbucket's own public key.
    pub own_public_key: &'a PublicKey,
    /// `host:port` where Buildboard calls Bitbucket through linkgate.
    pub calls: &'a str,
    /// What it shows there.
    pub calls_token: &'a Secret,
    /// linkgate's own key pair, for those calls.
    pub link_key: &'a PrivateKey,
    /// A secret key, for a store that asks for one (PostgreSQL) and a directory that has none yet; SQLite's is made on
    /// the first start.
    pub secret_key: Option<Secret>,
}

impl Files<'_> {
    /// Writes them into a directory; the configuration's path.
    pub fn write(&self, directory: &Path) -> io::Result<PathBuf> {
        let config = directory.join("linkgate.toml");
        write_private(&config, &self.config())?;
        std::fs::write(directory.join("users.toml"), USERS)?;
        std::fs::write(directory.join("logo.svg"), LOGO)?;
        write_private(&directory.join("link.pem"), self.link_key.to_pem().expose())?;
        let key = directory.join(SECRET_KEY);
        if let Some(made) = self.secret_key.as_ref().filter(|_| !key.exists()) {
            write_private(&key, made.expose())?;
        }
        Ok(config)
    }

    fn config(&self) -> String {
        let keys = match self.secret_key {
            Some(_) => format!("[keys]\nsecret_key_file = \"{SECRET_KEY}\"\n\n"),
            None => String::new(),
        };
        format!(
            r##"# Written by `linkgate demo`, anew at each start.

[server]
listen = "{listen}"
admin_listen = "{admin}"
public_url = "{linkgate}"

[upstream]
url = "{buildboard}"
name = "Buildboard"

[store]
url = {store}

{keys}[login]
method = "file"

[login.file]
path = "users.toml"

# linkgate's pages look like the application.
[branding]
logo_file = "logo.svg"
accent = "#8a3b12"

# Who may open /oauth/admin.
[admin]
subjects = ["{ADMINISTRATOR}"]

# The generic link: HMAC-SHA1 and a shared secret.
[[consumers]]
key = "{form_key}"
name = "{FORM_NAME}"
shared_secret = "{form_secret}"
callbacks = ["{bitbucket}"]

# The own-key link: RSA-SHA1, the key as Bitbucket's consumer-info shows it.
[[consumers]]
key = "{own_key}"
name = "{OWN_NAME}"
public_key = "{own_public_key}"
callbacks = ["{bitbucket}"]
two_legged = true
impersonation = true

[identity]
preset = "remote-user"

[[routes]]
path = "/api/**"
auth = "oauth"

[[routes]]
path = "/static/**"
auth = "none"

# The other direction: Buildboard reads in Bitbucket.
[applinks]
consumer_key = "{LINKGATE_KEY}"
key_file = "link.pem"
listen = "{calls}"
token = "{calls_token}"

[[links]]
name = "bitbucket"
title = "Bitbucket"
url = "{bitbucket}"
"##,
            calls = self.calls,
            calls_token = self.calls_token.expose(),
            listen = self.linkgate.authority(),
            admin = self.admin,
            linkgate = self.linkgate.as_str(),
            buildboard = self.buildboard.as_str(),
            store = toml::Value::from(self.store),
            form_key = self.form_key,
            form_secret = self.form_secret.expose(),
            bitbucket = self.bitbucket.as_str(),
            own_key = self.own_key,
            own_public_key = self.own_public_key.to_base64(),
        )
    }
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// The generic link's name on the approval page.
pub const FORM_NAME: &str = "Bitbucket (generic link)";
/// linkgate's consumer key in Bitbucket.
pub const LINKGATE_KEY: &str = "linkgate:demo";
/// The own-key link's name on the approval page.
pub const OWN_NAME: &str = "Bitbucket (own key)";

/// Who may see linkgate's pages for administrators.
pub const ADMINISTRATOR: &str = "alice";

const SECRET_KEY: &str = "linkgate.key";

/// In the colours of Buildboard's own pages, and legible on dark ones.
const LOGO: &str = include_str!("../../templates/demo/logo.svg");

/// Passwords: `alice-password`, `bob-password`.
const USERS: &str = r#"# Passwords: alice-password, bob-password.

[[users]]
name = "alice"
display_name = "Alice Example"
password = "$argon2id$v=19$m=19456,t=2,p=1$KbAq1NW2DCDyz9IUH8Qz4w$pQd53gk92cKU+g+NUjFDCNK2LP9ooRZpRVI0SVGdWwA"

[[users]]
name = "bob"
display_name = "Bob Example"
password = "$argon2id$v=19$m=19456,t=2,p=1$jf4O+5CHUCXXVgiOxlPTaA$w/Yl3Q7zhG0P4nAxyCext0LTAqpyskU+wK8xHdu8Sug"
"#;
