//! The rules between values, and the warnings.

use std::path::Path;

use crate::login::Method;
use crate::oauth::{PublicUrl, Timestamp};
use crate::setting::{in_two_lines, read_file};
use crate::tls::Certificate;

use super::Config;
use super::applinks::ListenAt;
use super::problem::Report;
use super::server::is_local;

/// Checks what no value alone can show, and makes the consumers.
pub(super) fn check(config: &mut Config, report: &mut Report, now: Timestamp) {
    server(config, report, now);
    upstream(config, report);
    store(config, report);
    login(config, report);
    super::consumers::check(config, report, now);
    identity(config, report);
    routes(config, report);
    lifetimes(config, report);
    super::applinks::check(config, report);
    branding(config, report);
}

fn server(config: &Config, report: &mut Report, now: Timestamp) {
    let server = &config.server;
    let url = &server.public_url;
    report.error_if(
        server.listen == server.admin_listen && server.listen.port() != 0,
        "server.admin_listen",
        "it is the same as server.listen\nwrite another port: the health checks are not for the world",
    );
    for (at, network) in server.trusted_proxies.iter().enumerate() {
        report.error_if(
            network.prefix_len() == 0,
            &format!("server.trusted_proxies[{at}]"),
            "every address is trusted, so anybody can write who a request comes from\n\
             write the addresses of the proxies alone",
        );
    }
    report.error_if(
        server.h2c && server.tls.is_some(),
        "server.h2c",
        "with [server.tls], nothing is served in clear text\n\
         remove it: over TLS, clients choose HTTP/2 by themselves",
    );
    let (origin, own) = (url.origin(), server.path_prefix.place("/oauth"));
    report.warn_if(
        !url.path_prefix().is_empty(),
        "server.public_url",
        format!(
            "it has a path: an Application URL with this path makes Bitbucket call {origin}{own}/..., without it\n\
             enter {origin} as the Application URL in Bitbucket, without the path"
        ),
    );
    report.warn_if(
        !url.is_secure() && !is_local(url),
        "server.public_url",
        "it is http: tokens, and the passwords of a sign-in page, travel in clear\n\
         end TLS here with [server.tls], or in a proxy in front, and write the https URL",
    );
    let Some(files) = &server.tls else {
        return;
    };
    let mut read = |key: &str, file: &Path| {
        read_file(file, 1 << 20)
            .map_err(|why| report.error(key, why))
            .ok()
    };
    let texts = (read(CERTIFICATE, &files.certificate), read(KEY, &files.key));
    if let (Some(certificates), Some(key)) = texts {
        match Certificate::parse(&certificates, &key) {
            Ok(certificate) => warn_of_certificate(&certificate, url, report, now),
            Err(error) => {
                let file = if error.is_key_error() { KEY } else { CERTIFICATE };
                report.error(file, in_two_lines(&error.to_string()));
            }
        }
    }
}

const CERTIFICATE: &str = "server.tls.cert_file";
const KEY: &str = "server.tls.key_file";

fn warn_of_certificate(certificate: &Certificate, url: &PublicUrl, report: &mut Report, now: Timestamp) {
    const DAY: i64 = 86_400;
    let expires = match (certificate.not_after.seconds() - now.seconds()) / DAY {
        _ if certificate.not_after < now => "has expired".to_owned(),
        0 => "expires in less than a day".to_owned(),
        1 => "expires in 1 day".to_owned(),
        days => format!("expires in {days} days"),
    };
    report.warn_if(
        certificate.not_after < now.plus(14 * DAY),
        CERTIFICATE,
        format!("the certificate {expires}\nrenew it; linkgate reads the new one by itself"),
    );
    report.warn_if(
        certificate.not_before > now,
        CERTIFICATE,
        "the certificate is not valid yet\nwait, or look at this machine's clock",
    );
    report.warn_if(
        !url.is_secure(),
        CERTIFICATE,
        "server.public_url is http, and this listener speaks only TLS\n\
         write the https URL as server.public_url",
    );
    let host = url.host();
    report.warn_if(
        !certificate.is_valid_for(host),
        CERTIFICATE,
        format!(
            "the certificate is not for {host}, the host of server.public_url\n\
             write one that is, or consumers and browsers will not trust it"
        ),
    );
}

fn upstream(config: &Config, report: &mut Report) {
    let upstream = &config.upstream;
    let mut listeners = vec![
        ("server.listen", config.server.listen),
        ("server.admin_listen", config.server.admin_listen),
    ];
    if let ListenAt::Tcp(address) = config.applinks.listen {
        listeners.push(("applinks.listen", address));
    }
    for (key, listener) in listeners {
        report.error_if(
            upstream.url.leads_to(listener),
            "upstream.url",
            format!(
                "it is {key}: linkgate would forward every request to itself\n\
                 write the application's own address: url = \"http://127.0.0.1:8080\""
            ),
        );
    }
    let public_origin = config.server.public_url.origin();
    report.warn_if(
        upstream.url.as_str().eq_ignore_ascii_case(public_origin),
        "upstream.url",
        "it is public_url: if that leads here, linkgate forwards every request to itself\n\
         write the application's own address, which no proxy forwards to linkgate",
    );
    for (key, is_given) in [
        ("upstream.ca_file", upstream.ca_file.is_some()),
        ("upstream.server_name", upstream.server_name.is_some()),
    ] {
        report.error_if(
            is_given && !upstream.url.is_secure(),
            key,
            "upstream.url is http, which has no certificates\n\
             write https://host:port as upstream.url, or leave it out",
        );
    }
}

fn store(config: &Config, report: &mut Report) {
    let (store, key_file) = (&config.store, &config.keys.secret_key_file);
    let is_password_given = report.is_written("store.password");
    report.error_if(
        store.has_password_in_url() && is_password_given,
        "store.url",
        "the URL has a password, and password or password_file has one too\nkeep one; a file is best",
    );
    report.warn_if(
        !store.is_encrypted(),
        "store.url",
        "the way to the database may be in clear text, tokens and password included\n\
         add ?sslmode=verify-full to the URL, or sslmode=require if its certificate is not checked",
    );
    report.error_if(
        !store.is_postgres() && is_password_given,
        "store.password",
        "SQLite has no password\nleave it out",
    );
    if !store.is_postgres() {
        return;
    }
    if !report.is_written("keys.secret_key_file") {
        report.error(
            "keys.secret_key_file",
            "it is missing\nwith PostgreSQL every replica needs the same key: make it with \
             `linkgate key generate --out linkgate.key`, and write its path",
        );
    } else if let Err(why) = read_file(key_file, 1 << 20) {
        report.error("keys.secret_key_file", why);
    }
}

fn login(config: &Config, report: &mut Report) {
    let login = &config.login;
    let name = login.method.name();
    let is_missing = match login.method {
        Method::File => login.file.is_none(),
        Method::Ldap => login.ldap.is_none(),
        Method::Probe => login.probe.is_none(),
        Method::Handoff => login.handoff.is_none(),
        Method::Oidc => login.oidc.is_none(),
        Method::TrustedHeader => false,
    };
    report.error_if(
        is_missing,
        &format!("login.{name}"),
        format!("it is missing\nwrite [login.{name}] and its keys, as in config/linkgate.toml"),
    );
    report.error_if(
        login.method == Method::TrustedHeader && config.server.trusted_proxies.is_empty(),
        "login.method",
        format!("server.trusted_proxies is empty, so no header would be trusted\n{WRITE_PROXIES}"),
    );
    report.error_if(
        (login.method == Method::Ldap && cfg!(not(feature = "ldap")))
            || (login.method == Method::Oidc && cfg!(not(feature = "oidc"))),
        "login.method",
        format!(
            "this build of linkgate does not have it\n\
             use a build with the feature: cargo build --release --features {name}; the container image has it"
        ),
    );
    report.error_if(
        login.session_idle > login.session_lifetime,
        "login.session_idle",
        "it is longer than login.session_lifetime, after which a session is over in any case\n\
         write a shorter one: session_idle = \"12h\"",
    );
    if let Some(ldap) = &login.ldap {
        report.warn_if(
            !ldap.is_secure(),
            "login.ldap.start_tls",
            "passwords travel to the directory in clear\nleave it out, or write an ldaps:// url",
        );
        report.error_if(
            ldap.bind_dn.is_some() && ldap.bind_password.is_none(),
            "login.ldap.bind_password_file",
            "it is missing\nwrite a file with the password of bind_dn",
        );
    }
    if let Some(source) = login.user_directory() {
        report.warn_if(
            !config.impersonation.users.is_empty(),
            "impersonation.users",
            format!("it is not used: {source} decides who exists\nleave it out"),
        );
    }
}

const WRITE_PROXIES: &str = "write the proxy's address into [server]: trusted_proxies = [\"127.0.0.1\"]";

fn identity(config: &Config, report: &mut Report) {
    let written = config.identity.headers();
    for (at, name) in config.identity.allow.iter().enumerate() {
        report.error_if(
            written.always_removes(name.as_str()),
            &format!("identity.allow[{at}]"),
            "linkgate removes this header from every request, or writes it\nleave it out",
        );
    }
    report.error_if(
        !config.identity.from_proxies.is_empty() && config.server.trusted_proxies.is_empty(),
        FROM_PROXIES,
        format!("server.trusted_proxies is empty, so none of them passes\n{WRITE_PROXIES}"),
    );
    let header = config.login.trusted_header.header.as_str();
    let is_needed = config.login.method == Method::TrustedHeader && written.always_removes(header);
    report.warn_if(
        is_needed && !report.is_written(FROM_PROXIES),
        FROM_PROXIES,
        format!(
            "{header} is removed from every request, so the application does not know its users by it\n\
             if it should, write from_proxies = [\"{header}\"], and [] if not"
        ),
    );
    let Some(headers) = &config.identity.headers else {
        return;
    };
    report.error_if(
        report.is_written("identity.preset"),
        "identity.headers",
        "preset is given as well\nkeep preset or headers, not both",
    );
    let mut known = vec![("user", &headers.user)];
    for (key, header) in [("name", &headers.name), ("consumer", &headers.consumer)] {
        let Some(header) = header else { continue };
        if let Some((other, _)) = known.iter().find(|(_, other)| *other == header) {
            report.error(
                &format!("identity.headers.{key}"),
                format!("{other} has the same name\nwrite a header of its own"),
            );
        }
        known.push((key, header));
    }
}

const FROM_PROXIES: &str = "identity.from_proxies";

fn routes(config: &Config, report: &mut Report) {
    let routes = &config.routes;
    for (at, route) in routes.iter().enumerate() {
        if let Some(first) = routes[..at].iter().position(|earlier| earlier.covers(route)) {
            let (path, earlier) = (route.path.as_str(), routes[first].path.as_str());
            report.error(
                &format!("routes[{at}].path"),
                format!(
                    "{path} can never apply: routes[{first}] ({earlier}) is tried before it, and matches all of it\n\
                     write the entry for fewer paths first, or remove one of them"
                ),
            );
        }
    }
}

fn lifetimes(config: &Config, report: &mut Report) {
    let tokens = &config.tokens;
    report.error_if(
        tokens.session_lifetime() < tokens.access_token_lifetime,
        "tokens.session_lifetime",
        "it is shorter than access_token_lifetime, so no token could be renewed at its end\n\
         write a longer one, or leave it out: access_token_lifetime and 30 days",
    );
    report.error_if(
        tokens.timestamp_window.past > 3600,
        "tokens.timestamp_window",
        "it is more than an hour, and as long as this every nonce is remembered\n\
         write \"5m\", and set the clocks by NTP",
    );
}

fn branding(config: &Config, report: &mut Report) {
    let branding = &config.branding;
    report.warn_if(
        config.upstream.name.is_some() && report.is_written("branding.name"),
        "branding.name",
        "upstream.name is written too, and this one is used\nleave upstream.name out",
    );
    if let Some(given) = branding.accent {
        let (used, contrast) = (given.light().accent, given.contrast_on_light());
        report.warn_if(
            used != given,
            "branding.accent",
            format!(
                "{given} has a contrast of {contrast:.1} on light pages, where letters need 4.5: {used} is used there\n\
                 write a darker one, or leave it so"
            ),
        );
    }
}
