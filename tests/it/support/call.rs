//! A consumer's call, signed here by the book and apart from the program's own signer, so that both can be wrong only
//! in different ways. Every part of it can be bent before or after it is signed.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use sha1::Sha1;

use super::linkgate::{Linkgate, private_key};
use super::raw::{Request, Response, bytes};

/// What a consumer signs with.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    Hmac(String),
    Rsa(Box<PrivateKey>),
}

/// A consumer as the other side knows itself.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) consumer_key: String,
    pub(crate) key: Key,
}

/// Token and secret as an answer gave them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) token: String,
    pub(crate) secret: String,
}

/// Where the protocol parameters stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Header,
    Query,
    Form,
}

/// A call before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Raw path and query.
    pub(crate) target: String,
    /// Protocol parameters but the signature, in the order in which they are sent.
    pub(crate) oauth: Vec<(String, String)>,
    pub(crate) form: Option<Vec<(String, String)>>,
    pub(crate) place: Place,
    pub(crate) key: Key,
    pub(crate) token_secret: String,
    /// The URL that is signed, when it is not the one that is called.
    pub(crate) signed_url: Option<String>,
}

impl Peer {
    /// The consumer of the generic form: HMAC-SHA1 and a shared secret.
    pub(crate) fn hmac() -> Self {
        Self {
            consumer_key: "bitbucket-form".into(),
            key: Key::Hmac("correct-horse-battery-staple".into()),
        }
    }

    /// The consumer with the key pair of its own, which may call as itself and name a user.
    pub(crate) fn rsa() -> Self {
        Self {
            consumer_key: "Stash:8277239845".into(),
            key: Key::Rsa(Box::new(private_key())),
        }
    }

    /// Any consumer with a shared secret.
    pub(crate) fn of(consumer_key: &str, secret: &str) -> Self {
        Self {
            consumer_key: consumer_key.to_owned(),
            key: Key::Hmac(secret.to_owned()),
        }
    }

    /// The other consumer, without session handles.
    pub(crate) fn second() -> Self {
        Self::of("second", "another-shared-secret")
    }

    /// A consumer that may call two-legged, without a user, and may not name one.
    pub(crate) fn robot() -> Self {
        Self::of("robot", "a-robot-needs-a-secret")
    }

    /// A call with fresh nonce and the server's time.
    pub(crate) fn call(&self, linkgate: &Linkgate, method: &str, target: &str) -> Call {
        self.call_at(linkgate.now(), method, target)
    }

    /// A call with fresh nonce and this time.
    pub(crate) fn call_at(&self, now: i64, method: &str, target: &str) -> Call {
        let name = match self.key {
            Key::Hmac(_) => "HMAC-SHA1",
            Key::Rsa(_) => "RSA-SHA1",
        };
        let oauth = [
            ("oauth_consumer_key", self.consumer_key.clone()),
            ("oauth_signature_method", name.to_owned()),
            ("oauth_timestamp", now.to_string()),
            ("oauth_nonce", nonce()),
            ("oauth_version", "1.0".to_owned()),
        ];
        Call {
            method: method.to_owned(),
            target: target.to_owned(),
            oauth: oauth
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            form: None,
            place: Place::Header,
            key: self.key.clone(),
            token_secret: String::new(),
            signed_url: None,
        }
    }

    /// A request token, asked for as Bitbucket asks: everything in the form body.
    pub(crate) async fn request_token(&self, linkgate: &Linkgate, callback: &str) -> Credentials {
        let call = self
            .call(linkgate, "POST", "/oauth/request-token")
            .oauth("oauth_callback", callback)
            .in_form();
        let answer = call.send(linkgate).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.assert_value("oauth_callback_confirmed", "true");
        credentials(&answer)
    }

    /// The call that exchanges a request token.
    pub(crate) fn exchange(&self, linkgate: &Linkgate, token: &Credentials, verifier: &str) -> Call {
        self.call(linkgate, "POST", "/oauth/access-token")
            .token(token)
            .oauth("oauth_verifier", verifier)
            .in_form()
    }

    /// Connects as a user who approves: an access token.
    pub(crate) async fn connect(&self, linkgate: &Linkgate, user: &str) -> Credentials {
        let token = self.request_token(linkgate, CALLBACK).await;
        let verifier = linkgate.browser().approve(&token, user).await;
        let answer = self.exchange(linkgate, &token, &verifier).send(linkgate).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        credentials(&answer)
    }
}

impl Call {
    /// Sets a protocol parameter, in the place that it has already or at the end.
    pub(crate) fn oauth(mut self, name: &str, value: &str) -> Self {
        match self.oauth.iter_mut().find(|(given, _)| given == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.oauth.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// Adds a protocol parameter once more, whether it is there or not.
    pub(crate) fn again(mut self, name: &str, value: &str) -> Self {
        self.oauth.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.oauth.retain(|(given, _)| given != name);
        self
    }

    pub(crate) fn token(mut self, credentials: &Credentials) -> Self {
        self.token_secret.clone_from(&credentials.secret);
        self.oauth("oauth_token", &credentials.token)
    }

    pub(crate) fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        self.form = Some(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        );
        self
    }

    pub(crate) fn in_form(mut self) -> Self {
        self.place = Place::Form;
        self
    }

    pub(crate) fn in_query(mut self) -> Self {
        self.place = Place::Query;
        self
    }

    /// Signs another URL than the one that is called.
    pub(crate) fn signed_for(mut self, url: &str) -> Self {
        self.signed_url = Some(url.to_owned());
        self
    }

    pub(crate) fn keyed(mut self, key: Key) -> Self {
        self.key = key;
        self
    }

    /// The signature base string (RFC 5849, section 3.4.1), by the book.
    pub(crate) fn base_string(&self, base: &str) -> String {
        let url = self
            .signed_url
            .clone()
            .unwrap_or_else(|| format!("{base}{}", self.target));
        let (address, query) = url.split_once('?').unwrap_or((&url, ""));
        let form = self.form.clone().unwrap_or_default();
        let texts = self.oauth.iter().chain(&form);
        let texts = texts.map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()));
        let mut pairs: Vec<_> = texts
            .chain(query_pairs(query))
            .map(|(name, value)| (encode(&name), encode(&value)))
            .collect();
        pairs.sort();
        let normal: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let address = encode(address);
        format!(
            "{}&{address}&{}",
            self.method.to_uppercase(),
            encode(normal.join("&").as_bytes())
        )
    }

    /// The signature over the call as it stands.
    pub(crate) fn signature(&self, base: &str) -> String {
        self.signature_over(&self.base_string(base))
    }

    /// The signature over a base string.
    pub(crate) fn signature_over(&self, text: &str) -> String {
        match &self.key {
            Key::Hmac(secret) => {
                let key = format!("{}&{}", encode(secret), encode(self.token_secret.as_bytes()));
                let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("any length will do");
                mac.update(text.as_bytes());
                STANDARD.encode(mac.finalize().into_bytes())
            }
            Key::Rsa(key) => {
                let key = SigningKey::<Sha1>::new((**key).clone());
                STANDARD.encode(key.sign(text.as_bytes()).to_bytes())
            }
        }
    }

    /// The signed request.
    pub(crate) fn request(&self, linkgate: &Linkgate) -> Request {
        self.request_with(&self.signature(&linkgate.base))
    }

    /// The request with a signature of the caller's choice.
    pub(crate) fn request_with(&self, signature: &str) -> Request {
        let mut oauth = self.oauth.clone();
        oauth.push(("oauth_signature".to_owned(), signature.to_owned()));
        let mut request = Request::new(&self.method, &self.target);
        let form = self.form.clone();
        match self.place {
            Place::Header => {
                let pairs: Vec<_> = oauth
                    .iter()
                    .map(|(n, v)| format!("{}=\"{}\"", encode(n), encode(v)))
                    .collect();
                request = request.header("Authorization", format!("OAuth {}", pairs.join(", ")));
                if let Some(form) = form {
                    request = request.form(form_text(&form));
                }
            }
            Place::Query => {
                let mark = if self.target.contains('?') { '&' } else { '?' };
                request.target = format!("{}{mark}{}", self.target, form_text(&oauth));
                if let Some(form) = form {
                    request = request.form(form_text(&form));
                }
            }
            Place::Form => {
                oauth.extend(form.unwrap_or_default());
                request = request.form(form_text(&oauth));
            }
        }
        request
    }

    pub(crate) async fn send(&self, linkgate: &Linkgate) -> Response {
        self.request(linkgate).send(linkgate.address).await
    }

    /// Sends the call, which must be answered 200.
    #[track_caller]
    pub(crate) fn passes(&self, linkgate: &Linkgate) -> impl Future<Output = Response> + use<> {
        self.request(linkgate).passes(linkgate.address)
    }

    /// Sends the call, which must be refused with this `oauth_problem` and its status.
    #[track_caller]
    pub(crate) fn refused(
        &self,
        linkgate: &Linkgate,
        problem: &'static str,
    ) -> impl Future<Output = Response> + use<> {
        self.request(linkgate).refused(linkgate.address, problem)
    }
}

/// Token and secret of an answer.
pub(crate) fn credentials(answer: &Response) -> Credentials {
    Credentials {
        token: answer.value("oauth_token").expect("a token"),
        secret: answer.value("oauth_token_secret").expect("a secret"),
    }
}

/// A nonce that no other call of this test run has.
pub(crate) fn nonce() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(
        "{:x}n{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Percent-encoding (RFC 5849, section 3.6).
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    bytes
        .as_ref()
        .iter()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

pub(crate) fn form_text(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| format!("{}={}", encode(n), encode(v)))
        .collect();
    pairs.join("&")
}

fn query_pairs(query: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (bytes(&name.replace('+', " ")), bytes(&value.replace('+', " "))))
}

/// Where the tests' consumers return.
pub(crate) const CALLBACK: &str =
    "https://bitbucket.example.com/plugins/servlet/applinks/oauth/login-dance/access?applicationLinkID=1f0a";
