//! The rules between values, and the warnings.

use std::path::Path;

use crate::login::{LdapConfig, Method};
use crate::oauth::{PublicUrl, Timestamp};
use crate::setting::{in_two_lines, read_file};
use crate::store::is_encrypted;
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
    if server.listen == server.admin_listen && server.listen.port() != 0 {
        report.error(
            "server.admin_listen",
            "it is the same as server.listen",
            "write another port: the health checks are not for the world",
        );
    }
    for (at, network) in server.trusted_proxies.iter().enumerate() {
        if network.prefix_len() == 0 {
            report.error(
                &format!("server.trusted_proxies[{at}]"),
                "every address is trusted, so anybody can write who a request comes from",
                "write the addresses of the proxies alone",
            );
        }
    }
    if server.h2c && server.tls.is_some() {
        report.error(
            "server.h2c",
            "with [server.tls], nothing is served in clear text",
            "remove it: over TLS, clients choose HTTP/2 by themselves",
        );
    }
    if !url.path_prefix().is_empty() {
        let (origin, own) = (url.origin(), server.path_prefix.place("/oauth"));
        report.warn(
            "server.public_url",
            format!("it has a path: an Application URL with this path makes Bitbucket call {origin}{own}/..., without it"),
            &format!("enter {origin} as the Application URL in Bitbucket, without the path"),
        );
    }
    if !url.is_secure() && !is_local(url) {
        report.warn(
            "server.public_url",
            "it is http: tokens, and the passwords of a sign-in page, travel in clear",
            "end TLS here with [server.tls], or in a proxy in front, and write the https URL",
        );
    }
    let Some(files) = &server.tls else {
        return;
    };
    let mut read = |key: &str, file: &Path| {
        let bytes = read_file(file, 1 << 20);
        bytes.map_err(|why| report.error_in_two_lines(key, &why)).ok()
    };
    let texts = (read(CERTIFICATE, &files.certificate), read(KEY, &files.key));
    if let (Some(certificates), Some(key)) = texts {
        match Certificate::parse(&certificates, &key) {
            Ok(certificate) => warn_of_certificate(&certificate, url, report, now),
            Err(error) => {
                let file = if error.is_key_error() { KEY } else { CERTIFICATE };
                report.error_in_two_lines(file, &in_two_lines(&error.to_string()));
            }
        }
    }
}

const CERTIFICATE: &str = "server.tls.cert_file";
const KEY: &str = "server.tls.key_file";

fn warn_of_certificate(certificate: &Certificate, url: &PublicUrl, report: &mut Report, now: Timestamp) {
    const RENEW: &str = "renew it; linkgate reads the new one by itself";
    const DAY: i64 = 86_400;
    let mut warn = |wrong: &str, remedy| report.warn(CERTIFICATE, wrong, remedy);
    match (certificate.not_after.seconds() - now.seconds()) / DAY {
        _ if certificate.not_after < now => warn("the certificate has expired", RENEW),
        0 => warn("the certificate expires in less than a day", RENEW),
        1 => warn("the certificate expires in 1 day", RENEW),
        days @ 2..14 => warn(&format!("the certificate expires in {days} days"), RENEW),
        _ => {}
    }
    if certificate.not_before > now {
        warn(
            "the certificate is not valid yet",
            "wait, or look at this machine's clock",
        );
    }
    if !url.is_secure() {
        warn(
            "server.public_url is http, and this listener speaks only TLS",
            "write the https URL as server.public_url",
        );
    }
    if !certificate.is_valid_for(url.host()) {
        let host = url.host();
        warn(
            &format!("the certificate is not for {host}, the host of server.public_url"),
            "write one that is, or consumers and browsers will not trust it",
        );
    }
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
        if upstream.url.leads_to(listener) {
            report.error(
                "upstream.url",
                format!("it is {key}: linkgate would forward every request to itself"),
                "write the application's own address: url = \"http://127.0.0.1:8080\"",
            );
        }
    }
    if upstream
        .url
        .as_str()
        .eq_ignore_ascii_case(config.server.public_url.origin())
    {
        report.warn(
            "upstream.url",
            "it is public_url: if that leads here, linkgate forwards every request to itself",
            "write the application's own address, which no proxy forwards to linkgate",
        );
    }
    if upstream.url.is_secure() {
        return;
    }
    for (key, is_given) in [
        ("upstream.ca_file", upstream.ca_file.is_some()),
        ("upstream.server_name", upstream.server_name.is_some()),
    ] {
        if is_given {
            report.error(
                key,
                "upstream.url is http, which has no certificates",
                "write https://host:port as upstream.url, or leave it out",
            );
        }
    }
}

fn store(config: &Config, report: &mut Report) {
    let (store, key_file) = (&config.store, &config.keys.secret_key_file);
    let is_password_given = report.is_written("store.password");
    if store.has_password_in_url() && is_password_given {
        report.error(
            "store.url",
            "the URL has a password, and password or password_file has one too",
            "keep one; a file is best",
        );
    }
    if !is_encrypted(store.url()) {
        report.warn(
            "store.url",
            "the way to the database may be in clear text, tokens and password included",
            "add ?sslmode=verify-full to the URL, or sslmode=require if its certificate is not checked",
        );
    }
    if !store.is_postgres() {
        if is_password_given {
            report.error("store.password", "SQLite has no password", "leave it out");
        }
        return;
    }
    if !report.is_written("keys.secret_key_file") {
        report.error(
            "keys.secret_key_file",
            "it is missing",
            "with PostgreSQL every replica needs the same key: make it with `linkgate key generate --out linkgate.key`, and \
             write its path",
        );
    } else if let Err(why) = read_file(key_file, 1 << 20) {
        report.error_in_two_lines("keys.secret_key_file", &why);
    }
}

fn login(config: &Config, report: &mut Report) {
    let login = &config.login;
    let table = match login.method {
        Method::File => login.file.is_none(),
        Method::Ldap => login.ldap.is_none(),
        Method::Probe => login.probe.is_none(),
        Method::Handoff => login.handoff.is_none(),
        Method::Oidc => login.oidc.is_none(),
        Method::TrustedHeader => false,
    };
    if table {
        let name = login.method.name();
        let remedy = format!("write [login.{name}] and its keys, as in config/linkgate.toml");
        report.error(&format!("login.{name}"), "it is missing", &remedy);
    }
    if login.method == Method::TrustedHeader && config.server.trusted_proxies.is_empty() {
        report.error(
            "login.method",
            "server.trusted_proxies is empty, so no header would be trusted",
            "write the proxy's address into [server]: trusted_proxies = [\"127.0.0.1\"]",
        );
    }
    let feature = match login.method {
        Method::Ldap if cfg!(not(feature = "ldap")) => "ldap",
        Method::Oidc if cfg!(not(feature = "oidc")) => "oidc",
        _ => "",
    };
    if !feature.is_empty() {
        let remedy = format!(
            "use a build with the feature: cargo build --release --features {feature}; the container image has it"
        );
        report.error("login.method", "this build of linkgate does not have it", &remedy);
    }
    if login.session_idle > login.session_lifetime {
        report.error(
            "login.session_idle",
            "it is longer than login.session_lifetime, after which a session is over in any case",
            "write a shorter one: session_idle = \"12h\"",
        );
    }
    if let Some(ldap) = &login.ldap {
        check_ldap(ldap, report);
    }
    if let Some(source) = login.user_directory()
        && !config.impersonation.users.is_empty()
    {
        let wrong = format!("it is not used: {source} decides who exists");
        report.warn("impersonation.users", wrong, "leave it out");
    }
}

fn check_ldap(ldap: &LdapConfig, report: &mut Report) {
    if !ldap.is_secure() {
        report.warn(
            "login.ldap.start_tls",
            "passwords travel to the directory in clear",
            "leave it out, or write an ldaps:// url",
        );
    }
    if ldap.bind_dn.is_some() && ldap.bind_password.is_none() {
        report.error(
            "login.ldap.bind_password_file",
            "it is missing",
            "write a file with the password of bind_dn",
        );
    }
}

fn identity(config: &Config, report: &mut Report) {
    let written = config.identity.headers();
    for (at, name) in config.identity.allow.iter().enumerate() {
        if written.always_removes(name.as_str()) {
            report.error(
                &format!("identity.allow[{at}]"),
                "linkgate removes this header from every request, or writes it",
                "leave it out",
            );
        }
    }
    if !config.identity.from_proxies.is_empty() && config.server.trusted_proxies.is_empty() {
        let remedy = "write the proxy's address into [server]: trusted_proxies = [\"127.0.0.1\"]";
        report.error(
            FROM_PROXIES,
            "server.trusted_proxies is empty, so none of them passes",
            remedy,
        );
    }
    let header = config.login.trusted_header.header.as_str();
    let is_needed = config.login.method == Method::TrustedHeader && written.always_removes(header);
    if is_needed && !report.is_written(FROM_PROXIES) {
        report.warn(
            FROM_PROXIES,
            format!(
                "{header} is removed from every request, so the application does not know its users by it"
            ),
            &format!("if it should, write from_proxies = [\"{header}\"], and [] if not"),
        );
    }
    let Some(headers) = &config.identity.headers else {
        return;
    };
    if report.is_written("identity.preset") {
        report.error(
            "identity.headers",
            "preset is given as well",
            "keep preset or headers, not both",
        );
    }
    let (user, name, consumer) = (
        Some(&headers.user),
        headers.name.as_ref(),
        headers.consumer.as_ref(),
    );
    for (key, header, others) in [
        ("name", name, &[("user", user)][..]),
        ("consumer", consumer, &[("user", user), ("name", name)]),
    ] {
        let same = others
            .iter()
            .find(|(_, other)| header.is_some() && *other == header);
        if let Some((other, _)) = same {
            let key = format!("identity.headers.{key}");
            report.error(
                &key,
                format!("{other} has the same name"),
                "write a header of its own",
            );
        }
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
                format!("{path} can never apply: routes[{first}] ({earlier}) is tried before it, and matches all of it"),
                "write the entry for fewer paths first, or remove one of them",
            );
        }
    }
}

fn lifetimes(config: &Config, report: &mut Report) {
    let tokens = &config.tokens;
    if tokens.session_lifetime < tokens.access_token_lifetime {
        report.error(
            "tokens.session_lifetime",
            "it is shorter than access_token_lifetime, so no token could be renewed at its end",
            "write a longer one, or leave it out: access_token_lifetime and 30 days",
        );
    }
    if tokens.timestamp_window.past > 3600 {
        report.error(
            "tokens.timestamp_window",
            "it is more than an hour, and as long as this every nonce is remembered",
            "write \"5m\", and set the clocks by NTP",
        );
    }
}

fn branding(config: &Config, report: &mut Report) {
    let branding = &config.branding;
    if config.upstream.name.is_some() && report.is_written("branding.name") {
        report.warn(
            "branding.name",
            "upstream.name is written too, and this one is used",
            "leave upstream.name out",
        );
    }
    if let Some(accent) = &branding.accent
        && accent.light().accent != accent.0
    {
        let (given, used) = (accent.0, accent.light().accent);
        let contrast = accent.contrast_on_light();
        report.warn(
            "branding.accent",
            format!("{given} has a contrast of {contrast:.1} on light pages, where letters need 4.5: {used} is used there"),
            "write a darker one, or leave it so",
        );
    }
}
