//! Calls in a user's name where the login cannot say who exists.

use std::sync::Arc;

use linkgate::model::{NamePattern, User, UserStatus};
use linkgate::provider::{Directory, ImpersonationConfig, Provider, Rules};
use linkgate::store::Store;

use super::signed::{authorization, is_refused};
use super::{get, keyring, options, serve, status, store};
use crate::support::App;
use linkgate::clock::Clock;

/// No user but those whom the login method knows.
const NONE: ImpersonationConfig = ImpersonationConfig {
    except: Vec::new(),
    users: Vec::new(),
    signed_in_before: false,
};

/// A gateway whose login method knows no user.
async fn knowing_no_user(app: &App, store: Store, rule: ImpersonationConfig) -> std::net::SocketAddr {
    let directory = Directory::new(|_| async { UserStatus::Unknown });
    let mut rules = Rules::new("https://builds.example.com");
    rules.impersonation = rule;
    rules.sessions.login_method = "oidc";
    let mut options = options(app).await;
    options.check.provider = Arc::new(Provider::new(store, keyring(), Clock::System, directory, rules));
    serve(options).await
}

async fn remembered(subject: &str, proved_by: &str) -> Store {
    let store = store().await;
    let user = User {
        subject: subject.to_owned(),
        display_name: format!("{subject} Example"),
        proved_by: proved_by.to_owned(),
        proved_at: Clock::System.now(),
    };
    store.remember_user(&user).await.unwrap();
    store
}

async fn naming(gateway: std::net::SocketAddr, name: &str) -> String {
    let target = format!("/api/x?xoauth_requestor_id={name}");
    get(gateway, &target, &authorization(&target)).await
}

#[tokio::test]
async fn a_user_who_signed_in_before_can_be_named() {
    let app = App::start().await;
    let rule = ImpersonationConfig {
        signed_in_before: true,
        ..NONE
    };
    let gateway = knowing_no_user(&app, remembered("alice", "oidc").await, rule).await;
    assert_eq!(status(&naming(gateway, "alice").await), "200");
    let request = app.only();
    assert_eq!(request.header("remote-user"), ["alice"]);
    assert_eq!(request.header("x-linkgate-name"), ["alice Example"]);
    assert_eq!(request.header("x-linkgate-call"), ["impersonated"]);
    for other in ["Alice", "bob", "alice%20", "svc"] {
        let answer = naming(gateway, other).await;
        assert!(is_refused(&answer, "permission_denied"), "{other}: {answer}");
    }
    assert_eq!(app.received().len(), 1);
}

#[tokio::test]
async fn a_user_of_another_login_method_is_another_user() {
    let app = App::start().await;
    let rule = ImpersonationConfig {
        signed_in_before: true,
        ..NONE
    };
    let gateway = knowing_no_user(&app, remembered("alice", "file").await, rule).await;
    assert!(is_refused(&naming(gateway, "alice").await, "permission_denied"));
    assert!(app.received().is_empty());
}

#[tokio::test]
async fn names_and_patterns_can_be_named() {
    let app = App::start().await;
    let names = ["carol", "build-*"].map(|name| NamePattern::parse(name).unwrap());
    let rule = ImpersonationConfig {
        users: names.to_vec(),
        ..NONE
    };
    let gateway = knowing_no_user(&app, remembered("alice", "oidc").await, rule).await;
    for name in ["carol", "build-7"] {
        assert_eq!(status(&naming(gateway, name).await), "200", "{name}");
        assert_eq!(app.last().header("remote-user"), [name]);
    }
    // She has signed in; that is not the rule here.
    for name in ["alice", "carola", "Build-7"] {
        assert!(
            is_refused(&naming(gateway, name).await, "permission_denied"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_excluded_cannot_be_named_in_any_capitals() {
    let app = App::start().await;
    let excluded = ["Root".to_owned(), "J\u{f6}rg".to_owned()];
    let names = ["r*", "R*", "J*", "j*"].map(|name| NamePattern::parse(name).unwrap());
    let rule = ImpersonationConfig {
        except: excluded.to_vec(),
        users: names.to_vec(),
        signed_in_before: false,
    };
    let gateway = knowing_no_user(&app, store().await, rule).await;
    for name in ["Root", "root", "ROOT", "j%C3%96rg"] {
        let answer = naming(gateway, name).await;
        assert!(is_refused(&answer, "permission_denied"), "{name}: {answer}");
        assert!(answer.contains("Administrators"), "{answer}");
    }
    assert_eq!(status(&naming(gateway, "rooty").await), "200");
}

/// Names that an application may take for others, also where every name is a user's.
const LOOKALIKES: &str = "
root%20 %20root alice%C2%A0 root%E3%80%80 ro%E2%80%8Bot root%E2%80%8D root%EF%BB%BF ro%C2%ADot
root%E2%80%AE %EF%BD%92%EF%BD%8F%EF%BD%8F%EF%BD%94 %EF%BC%B2oot roo%EF%B8%8Ft root%E3%85%A4
al%20%20ice al%E2%80%83ice %E2%84%AAarl J%75%CC%88rgen %C2%AA root%C2%85
";

#[tokio::test]
async fn a_name_that_may_be_read_as_another_cannot_be_named() {
    let app = App::start().await;
    let rules = Rules {
        impersonation: ImpersonationConfig {
            except: vec!["root".to_owned(), "Ju\u{308}rgen".to_owned()],
            ..NONE
        },
        ..Rules::new("https://builds.example.com")
    };
    let everybody = Directory::new(|name: String| async move { UserStatus::Active { display_name: name } });
    let mut options = options(&app).await;
    let store = store().await;
    options.check.provider = Arc::new(Provider::new(store, keyring(), Clock::System, everybody, rules));
    let gateway = serve(options).await;
    for name in LOOKALIKES.split_whitespace() {
        let answer = naming(gateway, name).await;
        let is_answered = is_refused(&answer, "permission_denied") || status(&answer) == "400";
        assert!(is_answered, "{name}: {answer}");
    }
    let answer = naming(gateway, "J%C3%BCrgen").await;
    assert!(answer.contains("Administrators"), "{answer}");
    assert!(app.received().is_empty());
    for (name, header) in [
        ("Anna%20M%C3%BCller", "Anna M%C3%BCller"),
        ("%E6%97%A5%E6%9C%AC", "%E6%97%A5%E6%9C%AC"),
        ("o%27brien.x%40example.com", "o'brien.x@example.com"),
    ] {
        assert_eq!(status(&naming(gateway, name).await), "200", "{name}");
        let request = app.last();
        assert_eq!(request.header("remote-user"), [header], "{name}");
    }
}

#[tokio::test]
async fn an_unavailable_login_method_lets_no_user_be_named() {
    let app = App::start().await;
    let gateway = knowing_no_user(&app, remembered("alice", "probe").await, NONE).await;
    let answer = naming(gateway, "alice").await;
    assert!(is_refused(&answer, "permission_denied"), "{answer}");
    assert!(answer.contains("at%20the%20moment"), "{answer}");
    assert!(!answer.contains("token_"), "{answer}");
    assert!(app.received().is_empty());
}
