//! `[[consumers]]`: who may sign, and what each may do.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Consumer, ConsumerSource};
use crate::oauth::{AllowedCallback, Callback, ConsumerKey, PublicUrl, SignatureMethod, VerificationKey};

use super::choice::unknown;
use super::consumer_keys::verification_keys;
use super::remark::Wrong;
use super::section::Section;
use super::server::Server;

/// Reads every consumer, and the names of the files with their shared secrets; two consumers of one key are a mistake.
pub(super) fn read(
    root: &Section<'_>,
    server: Option<&Server>,
) -> (Vec<Consumer>, BTreeMap<ConsumerKey, String>) {
    let is_secure = server.is_none_or(|server| {
        server.public_url.is_secure() && server.public_urls.iter().all(PublicUrl::is_secure)
    });
    let (mut seen, mut secret_files) = (Vec::new(), BTreeMap::new());
    let consumers = root.sections("consumers", |section| {
        let key = read_key(section, &seen);
        seen.push(key.clone());
        let consumer = read_one(section, key, is_secure)?;
        if let Some(file) = section.get("shared_secret_file") {
            secret_files.insert(consumer.key.clone(), file);
        }
        Some(consumer)
    });
    (consumers, secret_files)
}

fn read_one(section: &Section<'_>, key: Option<ConsumerKey>, is_secure: bool) -> Option<Consumer> {
    let name = section.get("name");
    let keys = verification_keys(section);
    let methods = read_methods(section, &keys, is_secure);
    let callbacks = section.parsed_list("callbacks", |text| {
        AllowedCallback::parse(text).map_err(|why| Wrong::unusable(text, why))
    });
    let default_callback = read_default_callback(section, &callbacks);
    let two_legged = section.or("two_legged", false);
    let two_legged_user = section.get("two_legged_user");
    let impersonation = section.or("impersonation", false);
    if !two_legged && two_legged_user.is_some() {
        section.wrong(
            "two_legged_user",
            "the consumer may not call as itself",
            "write two_legged = true too, or leave it out",
        );
    }
    if !two_legged && impersonation {
        section.warn(
            "impersonation",
            "a call that names a user is two-legged, and two_legged is off: it will be refused",
            "write two_legged = true too",
        );
    }
    let session_handles = section.or("session_handles", true);
    let require_body_hash = section.or("require_body_hash", false);
    let addresses = section.list("addresses");
    let enabled = section.or("enabled", true);
    let key = key?;
    Some(Consumer {
        name: name.unwrap_or_else(|| key.as_str().to_owned()),
        key,
        keys,
        methods,
        callbacks,
        default_callback,
        two_legged,
        two_legged_user,
        impersonation,
        session_handles,
        require_body_hash,
        addresses,
        enabled,
        source: ConsumerSource::Config,
    })
}

fn read_key(section: &Section<'_>, seen: &[Option<ConsumerKey>]) -> Option<ConsumerKey> {
    section.needs(
        "key",
        "write the consumer key, as the consumer has it: key = \"Stash:8277239845\"",
    );
    let key = section.parsed("key", |text| {
        ConsumerKey::parse(text).ok_or_else(|| {
            Wrong::unusable(
                text,
                "write 1 to 255 characters, none of them a control character",
            )
        })
    })?;
    if let Some(first) = seen.iter().position(|earlier| earlier.as_ref() == Some(&key)) {
        section.wrong(
            "key",
            format!("consumers[{first}] has the key {:?} too", key.as_str()),
            "write each consumer once; during a rotation, both of its keys go into public_keys",
        );
    }
    Some(key)
}

fn read_methods(
    section: &Section<'_>,
    keys: &[VerificationKey],
    is_secure: bool,
) -> BTreeSet<SignatureMethod> {
    let is_rsa = keys.iter().any(|key| matches!(key, VerificationKey::Rsa(_)));
    let usual = if is_rsa {
        SignatureMethod::RsaSha1
    } else {
        SignatureMethod::HmacSha1
    };
    let read = |text: &str| {
        let method = SignatureMethod::parse(text)
            .ok_or_else(|| unknown(text, SignatureMethod::ALL.iter().map(|method| method.name())))?;
        if !keys.is_empty() && method.is_rsa() != is_rsa {
            let has = if is_rsa { "a public key" } else { "a shared secret" };
            let wrong = format!("{text} does not go with {has}");
            return Err(Wrong::new(
                wrong,
                format!("write {:?}, or leave signature_methods out", usual.name()),
            ));
        }
        if method == SignatureMethod::Plaintext && !is_secure {
            return Err(Wrong::new(
                "PLAINTEXT sends the secret itself, and a public URL is http",
                "write https URLs as server.public_url and public_urls, or leave PLAINTEXT out",
            ));
        }
        Ok(method)
    };
    let methods: BTreeSet<_> = section
        .parsed_list("signature_methods", read)
        .into_iter()
        .collect();
    section.needs_entries("signature_methods", "name a method, or leave it out");
    if section.has("signature_methods") {
        return methods;
    }
    BTreeSet::from([usual])
}

fn read_default_callback(section: &Section<'_>, allowed: &[AllowedCallback]) -> Option<Callback> {
    let callback = section.parsed("default_callback", |text| {
        Callback::parse(text).map_err(|problem| Wrong::unusable(text, &problem.advice()))
    })?;
    if let Callback::Url(url) = &callback
        && !allowed.iter().any(|pattern| pattern.allows(url))
    {
        section.wrong(
            "default_callback",
            "callbacks does not allow it",
            "add its origin to callbacks",
        );
    }
    Some(callback)
}
