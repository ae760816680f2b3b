//! What the configuration accepts, the gateway accepts: each has its own grammar, because neither may import the other.

use linkgate::gateway::{IdentityHeaders, PathPattern, Upstream};

use super::{SMALLEST, Written};

#[test]
fn on_paths() {
    for path in [
        "/",
        "/**",
        "/api",
        "/api/",
        "/api/**",
        "/api/*/log",
        "/*",
        "/*/**",
        "/a.b/~c",
        "/a:b@c",
        "",
        "api",
        "**",
        "//",
        "//a",
        "/a//b",
        "/a//",
        "/a//**",
        "/a/../b",
        "/a/.",
        "/a*",
        "/a/**/b",
        "/***",
        "/a b",
        "/a?b",
        "/a#b",
        "/a%20b",
        "/a;b",
        "/\u{e9}",
        "/a\\b",
    ] {
        let text = format!("[[routes]]\npath = '{path}'\nauth = \"oauth\"\n");
        let accepted = Written::smallest_and(&text).load(&[]).is_ok();
        assert_eq!(accepted, PathPattern::parse(path).is_ok(), "{path}");
    }
}

#[test]
fn on_the_application() {
    for url in [
        "http://127.0.0.1:9090",
        "http://app",
        "http://app/",
        "http://[::1]:9090",
        "HTTP://app:80",
        "",
        "app:9090",
        "https://app",
        "ftp://app",
        "http://",
        "http://:80",
        "http://app:",
        "http://app:0",
        "http://app:65536",
        "http://app/path",
        "http://app?q",
        "http://app#f",
        "http://u@app",
        "http://u:p@app",
        "http://app:x",
        "http://a b",
    ] {
        let text = SMALLEST.replace("http://127.0.0.1:9090", url);
        let accepted = Written::new(&text).load(&[]).is_ok();
        assert_eq!(accepted, Upstream::parse(url).is_ok(), "{url}");
    }
}

#[test]
fn on_headers() {
    for name in [
        "X-My-User",
        "x_my_user",
        "Remote-User",
        "X-Forwarded-User",
        "",
        "X My",
        "Host",
        "content_length",
        "Cookie",
        "X-Linkgate-User",
        "x_linkgate_user",
        "X-Forwarded-For",
        "Authorization",
        "Te",
        "Transfer-Encoding",
    ] {
        let text = format!("[identity]\nheaders = {{ user = \"{name}\" }}\n");
        let accepted = Written::smallest_and(&text).load(&[]).is_ok();
        assert_eq!(accepted, IdentityHeaders::own(name, None, None).is_ok(), "{name}");
    }
}
