//! `[server.tls]`: the certificate that the public listener shows.

use crate::oauth::{PublicUrl, Timestamp};
use crate::tls::{Certificate, CertificateFiles};

use super::section::Section;

/// Reads the section, and the two files: whoever starts with them must be able to use them.
pub(super) fn read(section: &Section<'_>, public_url: Option<&PublicUrl>) -> Option<CertificateFiles> {
    let (certificate, key) = (section.path("cert_file"), section.path("key_file"));
    if !section.is_written() {
        return None;
    }
    section.needs(
        "cert_file",
        "write the PEM file with the certificate, its issuers below it: cert_file = \"fullchain.pem\"",
    );
    section.needs(
        "key_file",
        "write the PEM file with its private key: key_file = \"privkey.pem\"",
    );
    let texts = (section.file("cert_file"), section.file("key_file"));
    if let (Some(certificates), Some(key)) = texts {
        match Certificate::parse(certificates.as_bytes(), key.as_bytes()) {
            Ok(certificate) => warn_of(section, &certificate, public_url),
            Err(error) => {
                let file = if error.is_key_error() {
                    "key_file"
                } else {
                    "cert_file"
                };
                section.wrong_as_said(file, &error.to_string());
            }
        }
    }
    Some(CertificateFiles {
        certificate: certificate?,
        key: key?,
    })
}

fn warn_of(section: &Section<'_>, certificate: &Certificate, public_url: Option<&PublicUrl>) {
    let now = section.now();
    if certificate.not_after < now {
        section.warn("cert_file", "the certificate has expired", RENEW);
    } else if certificate.not_after < now.plus(SOON) {
        let days = days(now, certificate.not_after);
        section.warn("cert_file", format!("the certificate expires in {days}"), RENEW);
    }
    if certificate.not_before > now {
        section.warn(
            "cert_file",
            "the certificate is not valid yet",
            "wait, or look at this machine's clock",
        );
    }
    let Some(url) = public_url else {
        return;
    };
    if !url.is_secure() {
        section.warn(
            "cert_file",
            "server.public_url is http, and this listener speaks only TLS",
            "write the https URL as server.public_url",
        );
    }
    if !certificate.is_valid_for(url.host()) {
        section.warn(
            "cert_file",
            format!(
                "the certificate is not for {}, the host of server.public_url",
                url.host()
            ),
            "write one that is, or consumers and browsers will not believe it",
        );
    }
}

fn days(from: Timestamp, to: Timestamp) -> String {
    match (to.seconds() - from.seconds()) / DAY {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

const RENEW: &str = "renew it; linkgate reads the new one by itself";
const DAY: i64 = 86_400;
const SOON: i64 = 14 * DAY;
