//! `[[consumers]]`: who may sign, and what each may do.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde::Deserialize;

use crate::model::{Consumer, ConsumerSource};
use crate::oauth::encoding::is_unreserved;
use crate::oauth::{
    AllowedCallback, Callback, ConsumerKey, PublicKey, Secret, SignatureMethod, Timestamp, VerificationKey,
};
use crate::setting::{FromFile, in_two_lines, networks, yes};

use super::Config;
use super::problem::Report;

/// A consumer as the administrator writes it, in the configuration or on the command line.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub struct ConsumerConfig {
    pub key: ConsumerKey,
    pub name: Option<String>,
    pub public_key: Option<PublicKey>,
    pub public_key_file: Option<FromFile<PublicKey>>,
    pub public_keys: Option<Vec<PublicKeyConfig>>,
    pub shared_secret: Option<Secret>,
    pub signature_methods: Option<Vec<SignatureMethod>>,
    #[serde(default)]
    pub callbacks: Vec<AllowedCallback>,
    pub default_callback: Option<Callback>,
    #[serde(default)]
    pub two_legged: bool,
    pub two_legged_user: Option<String>,
    #[serde(default)]
    pub impersonation: bool,
    #[serde(default = "yes")]
    pub session_handles: bool,
    #[serde(default)]
    pub require_body_hash: bool,
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    #[serde(default, deserialize_with = "networks")]
    pub addresses: Vec<IpNet>,
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// One of several public keys: in a file, or pasted.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeyConfig {
    pub file: Option<FromFile<PublicKey>>,
    pub pem: Option<PublicKey>,
}

impl ConsumerConfig {
    /// Every public key, with the key under which it is written.
    pub(crate) fn public_keys(&self) -> Vec<(String, &PublicKey)> {
        let pasted = self.public_key.iter().map(|key| ("public_key".to_owned(), key));
        let mut keys: Vec<_> = pasted.collect();
        let in_file = self.public_key_file.iter();
        keys.extend(in_file.map(|file| ("public_key_file".to_owned(), &file.content)));
        for (at, entry) in self.public_keys.iter().flatten().enumerate() {
            let key = |name: &str| format!("public_keys[{at}].{name}");
            keys.extend(entry.file.iter().map(|file| (key("file"), &file.content)));
            keys.extend(entry.pem.iter().map(|pem| (key("pem"), pem)));
        }
        keys
    }

    /// Makes the consumer, and calls `refuse` for each rule that it breaks: with the key, and with what is wrong and, on a
    /// second line, what to write instead.
    pub(crate) fn resolve(
        &self,
        source: ConsumerSource,
        is_https_only: bool,
        mut refuse: impl FnMut(&str, &str),
    ) -> Consumer {
        self.check_keys(&mut refuse);
        let public = self.public_keys().into_iter();
        let public = public.map(|(_, key)| VerificationKey::Rsa(key.clone()));
        let shared = self.shared_secret.iter().cloned().map(VerificationKey::Hmac);
        let keys: Vec<_> = public.chain(shared).collect();
        let methods = self.check_methods(is_https_only, &mut refuse);
        if let Some(Callback::Url(url)) = &self.default_callback
            && !self.callbacks.iter().any(|pattern| pattern.allows(url))
        {
            let text = "callbacks does not allow it\nadd its origin to callbacks";
            refuse("default_callback", text);
        }
        if self.two_legged_user.is_some() && !self.two_legged {
            let text = "the consumer may not call as itself\nwrite two_legged = true too, or leave it out";
            refuse("two_legged_user", text);
        }
        Consumer {
            name: self.name.clone().unwrap_or_else(|| self.key.to_string()),
            key: self.key.clone(),
            keys,
            methods,
            callbacks: self.callbacks.clone(),
            default_callback: self.default_callback.clone(),
            two_legged: self.two_legged,
            two_legged_user: self.two_legged_user.clone(),
            impersonation: self.impersonation,
            session_handles: self.session_handles,
            require_body_hash: self.require_body_hash,
            addresses: self.addresses.clone(),
            enabled: self.enabled,
            source,
        }
    }

    /// The keys are of one family, so that an attacker cannot choose the weaker one.
    fn check_keys(&self, refuse: &mut impl FnMut(&str, &str)) {
        const WRITE_KEYS: &str = "write { file = \"bitbucket.pem\" } or { pem = \"...\" }";
        let mut given = Vec::new();
        given.extend(self.public_key.as_ref().map(|_| "public_key"));
        given.extend(self.public_key_file.as_ref().map(|_| "public_key_file"));
        given.extend(self.public_keys.as_ref().map(|_| "public_keys"));
        if let [first, second, ..] = given[..] {
            let text = format!("{first} is given as well\nput all of the consumer's keys into public_keys");
            refuse(second, &text);
        }
        match (given.is_empty(), self.shared_secret.is_some()) {
            (false, true) => refuse(
                "shared_secret",
                "the consumer has a public key as well\n\
                 keep one; a consumer that signs in both ways is two consumers, each with a key of its own",
            ),
            (true, false) => refuse(
                "public_key",
                "it is missing\nwrite the public key that the consumer shows: public_key = \"MIIB...\", or the secret \
                 that it shares: shared_secret = \"...\"",
            ),
            _ => {}
        }
        let Some(entries) = &self.public_keys else {
            return;
        };
        if entries.is_empty() {
            refuse(
                "public_keys",
                &format!("the list is empty\n{WRITE_KEYS} for each key"),
            );
        }
        for (at, entry) in entries.iter().enumerate() {
            let key = format!("public_keys[{at}].file");
            match (&entry.file, &entry.pem) {
                (Some(_), Some(_)) => refuse(&key, "pem is given as well\nwrite one table for each key"),
                (None, None) => refuse(&key, &format!("it is missing\n{WRITE_KEYS}")),
                _ => {}
            }
        }
    }

    fn check_methods(
        &self,
        is_https_only: bool,
        refuse: &mut impl FnMut(&str, &str),
    ) -> BTreeSet<SignatureMethod> {
        let (is_rsa, kind, usual) = match self.shared_secret {
            None => (true, "a public key", SignatureMethod::RsaSha1),
            Some(_) => (false, "a shared secret", SignatureMethod::HmacSha1),
        };
        let Some(methods) = &self.signature_methods else {
            return BTreeSet::from([usual]);
        };
        if methods.is_empty() {
            refuse(
                "signature_methods",
                "the list is empty\nname a method, or leave it out",
            );
        }
        for (at, method) in methods.iter().enumerate() {
            let key = format!("signature_methods[{at}]");
            let (name, usual) = (method.name(), usual.name());
            if method.is_rsa() != is_rsa {
                let remedy = format!("write \"{usual}\", or leave signature_methods out");
                refuse(&key, &format!("{name} does not go with {kind}\n{remedy}"));
            } else if *method == SignatureMethod::Plaintext && !is_https_only {
                refuse(
                    &key,
                    "PLAINTEXT sends the secret itself, and a public URL is http\n\
                     write https URLs as server.public_url and public_urls, or leave PLAINTEXT out",
                );
            }
        }
        methods.iter().copied().collect()
    }
}

/// Makes the consumers, and checks each of them.
pub(super) fn check(config: &mut Config, report: &mut Report, now: Timestamp) {
    let mut seen = BTreeMap::new();
    let is_https_only = config.is_https_only();
    let written = std::mem::take(&mut config.consumer_configs);
    for (at, written) in written.iter().enumerate() {
        let section = format!("consumers[{at}]");
        let key = |name: &str| format!("{section}.{name}");
        if let Some(first) = seen.insert(&written.key, at) {
            report.error(
                &key("key"),
                format!(
                    "consumers[{first}] has the key {:?} too\n\
                     write each consumer once; during a rotation, both of its keys go into public_keys",
                    written.key.as_str()
                ),
            );
        }
        let refuse = |name: &str, text: &str| report.error(&key(name), text);
        let consumer = written.resolve(ConsumerSource::Config, is_https_only, refuse);
        for (name, public_key) in written.public_keys() {
            for warning in public_key.warnings_at(now) {
                report.warn_if(true, &key(&name), in_two_lines(&warning.to_string()));
            }
        }
        if let Some(secret) = written.shared_secret.as_ref().map(Secret::expose) {
            report.warn_if(
                secret.chars().count() < 16,
                &key("shared_secret"),
                "it is short, and so can be guessed\nwrite 16 characters or more, made by a machine",
            );
            report.warn_if(
                !secret.bytes().all(is_unreserved),
                &key("shared_secret"),
                "it has characters that some consumers forget to percent-encode when they sign\n\
                 make one of letters and digits: linkgate consumer add ... --generate-secret, or openssl rand -hex 24",
            );
        }
        report.warn_if(
            written.impersonation && !written.two_legged,
            &key("impersonation"),
            "a call that names a user is two-legged, and two_legged is off: it will be refused\n\
             write two_legged = true too",
        );
        if let Some(file) = report.secret_files.get(&key("shared_secret")) {
            config.secret_files.insert(consumer.key.clone(), file.clone());
        }
        config.consumers.push(consumer);
    }
}
