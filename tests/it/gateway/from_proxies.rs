//! Identity headers that a trusted proxy writes for the application's own users.

use super::signed::authorization;
use super::{Options, get, options, options_behind_proxy, serve, status};
use crate::support::{App, Received};

const ALLOWED: &str =
    r#"from_proxies = ["Remote-User", "Remote-Groups", "X-Forwarded-Email", "X-Auth-Request-*", "X-*"]"#;

/// The headers of a proxy that signs users in, and those that a client adds.
const SAID: &str = "Remote-User: alice\r\nRemote-Groups: dev\r\nX-Forwarded-Email: a@b\r\nX-Auth-Request-Groups: ops\r\n\
                    Remote-Name: mallory\r\nRemote_Groups: mallory\r\nX-Auth-Request_Groups: mallory\r\n\
                    X-Linkgate-User: mallory\r\nX-Linkgate-Assertion: mallory\r\n";

async fn received(mut options: Options, app: &App, identity: &str, target: &str, headers: &str) -> Received {
    options.identify(identity);
    let gateway = serve(options).await;
    assert_eq!(status(&get(gateway, target, headers).await), "200");
    app.last()
}

#[tokio::test]
async fn a_trusted_proxy_signs_the_applications_users_in() {
    let app = App::start().await;
    for target in ["/page", "/static/a.css"] {
        let options = options_behind_proxy(&app).await;
        let passed = received(options, &app, ALLOWED, target, SAID).await;
        assert_eq!(passed.header("remote-user"), ["alice"]);
        assert_eq!(passed.header("remote-groups"), ["dev"]);
        assert_eq!(passed.header("x-forwarded-email"), ["a@b"]);
        assert_eq!(passed.header("x-auth-request-groups"), ["ops"]);
        assert!(!passed.head.contains("mallory"), "{}", passed.head);
    }
}

#[tokio::test]
async fn fields_of_an_untrusted_proxy_are_removed() {
    let app = App::start().await;
    let is_silent = |request: &Received| {
        let said = ["remote-groups", "x-forwarded-email", "x-auth-request-groups"];
        let is_absent = |name: &&str| request.header(name).is_empty();
        said.iter().all(is_absent) && !request.head.contains("mallory")
    };
    // Off unless asked for.
    let passed = received(options_behind_proxy(&app).await, &app, "", "/page", SAID).await;
    assert!(is_silent(&passed), "{passed:?}");
    assert!(passed.header("remote-user").is_empty(), "{passed:?}");
    // A client.
    let passed = received(options(&app).await, &app, ALLOWED, "/page", SAID).await;
    assert!(is_silent(&passed), "{passed:?}");
    assert!(passed.header("remote-user").is_empty(), "{passed:?}");
    // A signed call is its consumer's, and where OAuth is not looked at, it has no user.
    for (target, users) in [("/page", &["svc"][..]), ("/static/a.css", &[])] {
        let headers = format!("{SAID}{}", authorization(target));
        let passed = received(options_behind_proxy(&app).await, &app, ALLOWED, target, &headers).await;
        assert!(is_silent(&passed), "{passed:?}");
        assert_eq!(passed.header("remote-user"), users, "{target}");
    }
    // A proxy that appends to the client's header.
    let twice = format!("{SAID}Remote-User: mallory\r\n");
    let passed = received(options_behind_proxy(&app).await, &app, ALLOWED, "/page", &twice).await;
    assert_eq!(passed.header("remote-user"), [""; 0]);
}
