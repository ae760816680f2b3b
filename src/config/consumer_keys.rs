//! What a consumer signs with: one shared secret, or one or more public keys.

use crate::oauth::KeyError;
use crate::oauth::{PublicKey, VerificationKey};

use super::remark::Wrong;
use super::secret::secret;
use super::section::Section;

/// Reads the keys of a consumer: of one family, so that nobody chooses a weaker one.
pub(super) fn verification_keys(section: &Section<'_>) -> Vec<VerificationKey> {
    let public: Vec<_> = PUBLIC.into_iter().filter(|key| section.has(key)).collect();
    let shared: Vec<_> = SHARED.into_iter().filter(|key| section.has(key)).collect();
    if let [first, second, ..] = public.as_slice() {
        section.wrong(
            second,
            format!("{first} is given as well"),
            "put all of the consumer's keys into public_keys",
        );
    }
    match (public.first(), shared.first()) {
        (Some(_), Some(shared)) => section.wrong(
            shared,
            "the consumer has a public key as well",
            "keep one; a consumer that signs in both ways is two consumers, each with a key of its own",
        ),
        (None, None) => section.needs(
            "public_key",
            "write the public key that the consumer shows: public_key = \"MIIB...\", or the secret that it shares: \
             shared_secret = \"...\"",
        ),
        _ => {}
    }
    let secret = secret(section, "shared_secret").inspect(|secret| {
        if secret.expose().chars().count() < 16 {
            let key = shared.first().copied().unwrap_or("shared_secret");
            section.warn(
                key,
                "it is short, and so can be guessed",
                "write 16 characters or more, made by a machine",
            );
        }
    });
    let keys = [
        pasted(section, "public_key"),
        from_file(section, "public_key_file"),
    ];
    section.needs_entries(
        "public_keys",
        "write { file = \"bitbucket.pem\" } or { pem = \"...\" } for each key",
    );
    let more = section.sections("public_keys", one_of_several);
    let public = keys.into_iter().flatten().chain(more).map(VerificationKey::Rsa);
    public.chain(secret.map(VerificationKey::Hmac)).collect()
}

fn one_of_several(section: &Section<'_>) -> Option<PublicKey> {
    match (section.has("file"), section.has("pem")) {
        (true, true) => section.wrong("file", "pem is given as well", "write one table for each key"),
        (false, false) => section.needs("file", "write { file = \"bitbucket.pem\" } or { pem = \"...\" }"),
        _ => {}
    }
    let (in_file, here) = (from_file(section, "file"), pasted(section, "pem"));
    in_file.or(here)
}

fn pasted(section: &Section<'_>, key: &str) -> Option<PublicKey> {
    section
        .parsed(key, read)
        .inspect(|public| remark(section, key, public))
}

fn from_file(section: &Section<'_>, key: &str) -> Option<PublicKey> {
    let path = section.path(key)?;
    let text = section.file(key)?;
    read(&text)
        .map_err(|Wrong { wrong, remedy }| {
            section.wrong(key, format!("{}: {wrong}", path.display()), &remedy);
        })
        .inspect(|public| remark(section, key, public))
        .ok()
}

fn read(text: &str) -> Result<PublicKey, Wrong> {
    PublicKey::parse(text).map_err(|KeyError(why)| Wrong::from_sentence(&why, REMEDY))
}

fn remark(section: &Section<'_>, key: &str, public: &PublicKey) {
    for warning in public.warnings_at(section.now()) {
        let Wrong { wrong, remedy } = Wrong::from_sentence(&warning.to_string(), "");
        section.warn(key, wrong, &remedy);
    }
}

const REMEDY: &str = "paste the RSA public key that the consumer shows: PEM, a certificate, or bare base64";
const PUBLIC: [&str; 3] = ["public_key", "public_key_file", "public_keys"];
const SHARED: [&str; 2] = ["shared_secret", "shared_secret_file"];
